"""Prediction, least squares and coding of one band, compiled; encoder and decoder are the same function.

Each sample is predicted from reconstructed samples, with weights that minimise the squared error of earlier predictions
(backward adaptation: no side information). The residual is quantised with a step of 2 E + 1, where E is the bound. Its
expected magnitude splits it into a sign, a few steps of unary code and plain low bits (as in Golomb 1966). Three
contexts learn the probabilities of signs and unary steps: the expected magnitude; the magnitudes around, in the band
and in earlier bands; the signs around and the prediction's fraction. A logistic mixture (Mahoney 2005) combines the
three, and an arithmetic coder for bits (Witten, Neal & Cleary 1987, in the carryless form of Mahoney's lpaq) codes with
the result.

Coding is in integers. Prediction is in double precision: every loop that may be turned into vectors works element by
element, and sums run over the outer loop, so that the order of operations is the same on every processor.
"""

import math

import numpy as np

from bandpress.bounded.model import (
    AT,
    BLOCK,
    DECISIONS,
    HIGH,
    LOW,
    MOST_PARAMETER,
    ONE,
    SETTLED,
    WINDOW,
    WINDOW_BYTES,
)
from bandpress.compiled import helper, kernel

# The arithmetic coder.
_ALL = 0xFFFFFFFF
_TOP = 0xFF000000
_HALF = 1 << 15
# Decisions about a residual: zero, sign, steps, and the first low bit by the number of steps.
_ZERO, _SIGN, _STEP, _LOW_BIT = 0, 1, 2, 26
_MOST_STEPS = 20
_ESCAPE_BITS = 18
#: Least distance of a probability from 0 and 1; learning rate of the mixing weights.
_SURE = 16
_LEARNING = 2
#: Most updates of the weights per band; share that sums keep after an update; ridge towards the weights of the previous
#: band, in squared counts; least pivot as a share of the diagonal.
_MOST_SOLUTIONS = 512
_MEMORY = 0.98
_RIDGE = 600.0
_LEAST_PIVOT = 1e-9
#: Share by which a lossy reconstruction moves towards its prediction before it serves as a reference.
_DRAWN = 0.15
#: Weights of the expected magnitude: west and north, diagonals, two away; earlier bands; the mean.
_NEAR, _DIAGONAL, _FAR, _BEFORE, _MEAN = 0.09, 0.025, 0.022, 0.42, 0.25
#: Rate at which the mean magnitude of the band adapts.
_FOLLOW = 1.0 / 128
#: Magnitudes of earlier bands relative to their mean: share kept per band; spatial kernel.
_PAST = 0.65
_CENTRE, _SIDE, _CORNER = 4.0 / 14, 1.5 / 14, 1.0 / 14

_ROOM = f"Tuple(({', '.join(['float64[:, ::1]'] * 4 + ['float64[::1]'] * 4)}))"
_CODER = "Tuple((int64[::1], UniTuple(int32[:, ::1], 2), UniTuple(int32[::1], 4), int64[::1], uint8[::1]))"
_CODE_BAND = (
    "float64(boolean, int32[:, ::1], int64, int64, int64, int64, float32[::1], int64[::1], float64[::1], "
    f"float32[:, :, ::1], int8[:, :, ::1], float64, {_ROOM}, {_CODER})"
)
_FINISH_BAND = "void(float32[::1], int64, int64, int64, float32[:, :, ::1], float64)"


@helper
def _code_bit(decoding, bit, probability, state, data):
    """Code a bit, or decode one and return it; `probability` is that of a one, in 1 / 65,536."""
    low, high = state[LOW], state[HIGH]
    size = high - low
    middle = low + (size >> 16) * probability + ((size & 0xFFFF) * probability >> 16)
    if decoding:
        bit = 1 if state[WINDOW] <= middle else 0
    if bit:
        high = middle
    else:
        low = middle + 1
    while (low ^ high) & _TOP == 0:
        at = state[AT]
        if decoding:
            new = np.int64(data[at]) if at < len(data) else 0
            state[WINDOW] = (state[WINDOW] << 8 & _ALL) | new
        else:
            data[at] = high >> 24
        state[AT] = at + 1
        low = low << 8 & _ALL
        high = (high << 8 & _ALL) | 255
    state[LOW], state[HIGH] = low, high
    return bit


@kernel("int64(boolean, int64, int64, int64[::1], uint8[::1])")
def code_number(decoding, value, width, state, data):
    """Code a number of `width` equally likely bits, or decode one and return it."""
    out = 0
    for place in range(width - 1, -1, -1):
        out = out << 1 | _code_bit(decoding, value >> place & 1, _HALF, state, data)
    return out


@helper
def _code_exp_golomb(decoding, value, most, state, data):
    """Code a number from 0 on with an exponential Golomb code, or decode one; no more than `most` bits are read."""
    value += 1
    width = 0
    while width < most and _code_bit(decoding, 1 if value >> (width + 1) else 0, _HALF, state, data):
        width += 1
    return (1 << width | code_number(decoding, value & ((1 << width) - 1), width, state, data)) - 1


@helper
def _log(value, logarithm):
    """Return sixteen times the binary logarithm of `value` + 1, for values from 0."""
    value += 1
    out = 0
    while value >= 4096:
        value >>= 1
        out += 16
    return out + logarithm[value]


@helper
def _learned(known, target, rates):
    """Return the updated cell after a decision: a probability in the upper 16 bits, a count in the lower 8."""
    p, n = known >> 8, known & 255
    p += (target - p) * rates[n] >> 16
    return min(max(p, _SURE), ONE - _SURE) << 8 | min(n + 1, SETTLED)


@helper
def _decide(decoding, bit, decision, parameter, cells, model, tables, state, data):
    cells_of, weights = model
    squash, stretch, _, rates = tables
    a, b, c = cells[0] + decision, cells[1] + decision, cells[2] + decision
    known_a, known_b, known_c = cells_of[0, a], cells_of[1, b], cells_of[2, c]
    xa, xb, xc = stretch[known_a >> 12], stretch[known_b >> 12], stretch[known_c >> 12]
    w = parameter * DECISIONS + decision
    wa, wb, wc = weights[w, 0], weights[w, 1], weights[w, 2]
    logit = (np.int64(wa) * xa + np.int64(wb) * xb + np.int64(wc) * xc) >> 16
    p = squash[min(max(logit, -2047), 2047) + 2048]
    bit = _code_bit(decoding, bit, np.int64(p), state, data)
    target = 65535 if bit else 0
    error = (target - p) * _LEARNING
    weights[w, 0] = wa + ((xa * error) >> 18)
    weights[w, 1] = wb + ((xb * error) >> 18)
    weights[w, 2] = wc + ((xc * error) >> 18)
    cells_of[0, a] = _learned(known_a, target, rates)
    cells_of[1, b] = _learned(known_b, target, rates)
    cells_of[2, c] = _learned(known_c, target, rates)
    return bit


@helper
def _code_residual(
    decoding, residual, expected, around, before, signs, fraction, cells, model, tables, state, data
):
    """Code a residual, or decode one and return it.

    Parameters
    ----------
    decoding
        Whether to decode.
    residual
        Residual in quantiser steps; ignored in decoding.
    expected, around, before
        Magnitudes in 1 / 16 step: expected here; of the residuals around; of earlier bands at this place.
    signs
        Signs of the residuals to the west, to the north and in the previous band, 0 … 26.
    fraction
        Fraction of the prediction, 0 … 3.
    cells
        Work space for the cells of the contexts, int64, shape (contexts,).
    model, tables
        See `new_state` and `mixing_tables`.
    state, data
        State and bytes of the arithmetic coder, see `bandpress.bounded.model`.
    """
    logarithm = tables[2]
    level = _log(expected, logarithm)
    parameter = max(0, (level - 88) // 16)
    cells[0] = min(level // 3, 120) * DECISIONS
    cells[1] = (
        min(_log(around, logarithm) // 8, 31) * 32 + min(_log(before, logarithm) // 8, 31)
    ) * DECISIONS
    # The fraction of the prediction tells nothing if residuals span many steps.
    detail = signs * 4 + fraction if parameter < 2 else signs * 4
    cells[2] = (min(level // 8, 31) * 108 + detail) * DECISIONS
    known = min(parameter, MOST_PARAMETER)
    if parameter == 0:
        if _decide(decoding, 1 if residual == 0 else 0, _ZERO, known, cells, model, tables, state, data):
            return 0
        negative = _decide(
            decoding, 1 if residual < 0 else 0, _SIGN, known, cells, model, tables, state, data
        )
        size = (-residual if residual < 0 else residual) - 1
    else:
        negative = _decide(
            decoding, 1 if residual < 0 else 0, _SIGN, known, cells, model, tables, state, data
        )
        size = -residual - 1 if residual < 0 else residual
    steps = size >> parameter
    i = 0
    while i < _MOST_STEPS and not _decide(
        decoding, 1 if steps == i else 0, _STEP + i, known, cells, model, tables, state, data
    ):
        i += 1
    if i == _MOST_STEPS:
        i += _code_exp_golomb(decoding, steps - i, _ESCAPE_BITS, state, data)
    out = i
    if parameter > 0:
        place = _LOW_BIT + min(i, 3)
        out = out << 1 | _decide(
            decoding, size >> (parameter - 1) & 1, place, known, cells, model, tables, state, data
        )
        rest = size & ((1 << (parameter - 1)) - 1)
        out = out << (parameter - 1) | code_number(decoding, rest, parameter - 1, state, data)
        return -out - 1 if negative else out
    return -out - 1 if negative else out + 1


@helper
def _accumulate(rows, targets, count, size, gram, cross):
    """Add the products of some samples to the normal equations.

    Parameters
    ----------
    rows, targets
        Regressors, shape (samples, regressors), and the values to predict, float64. Samples from `count` to the next
        multiple of four are set to zero.
    count, size
        Numbers of samples and of regressors in use.
    gram, cross
        Products of regressors (lower triangle) and of regressors with targets.
    """
    stop = (count + 3) // 4 * 4
    for s in range(count, stop):
        targets[s] = 0.0
        for i in range(size):
            rows[s, i] = 0.0
    for s in range(0, stop, 4):
        r0, r1, r2, r3 = rows[s], rows[s + 1], rows[s + 2], rows[s + 3]
        for i in range(size):
            a0, a1, a2, a3 = r0[i], r1[i], r2[i], r3[i]
            line = gram[i]
            for j in range(i + 1):
                line[j] += a0 * r0[j] + a1 * r1[j] + a2 * r2[j] + a3 * r3[j]
        t0, t1, t2, t3 = targets[s], targets[s + 1], targets[s + 2], targets[s + 3]
        for i in range(size):
            cross[i] += t0 * r0[i] + t1 * r1[i] + t2 * r2[i] + t3 * r3[i]


@helper
def _solve(gram, cross, size, ridge, prior, lower, upper, out):
    """Solve the normal equations, regularised towards prior weights, by Cholesky's method.

    Parameters
    ----------
    gram, cross, size
        See `accumulate`.
    ridge
        Added to the diagonal.
    prior
        Weights that the ridge pulls towards.
    lower, upper
        Work space for the factor, shape (regressors, regressors) each.
    out
        Weights found.
    """
    for i in range(size):
        for j in range(i + 1):
            lower[i, j] = gram[i, j]
        lower[i, i] += ridge
        out[i] = cross[i] + ridge * prior[i]
    for j in range(size):
        pivot = lower[j, j]
        least = _LEAST_PIVOT * (gram[j, j] + ridge)
        root = math.sqrt(pivot if pivot > least else least)
        inverse = 1.0 / root
        column = upper[j]
        lower[j, j] = root
        for i in range(j + 1, size):
            column[i] = lower[i, j] * inverse
        for i in range(j + 1, size):
            factor = column[i]
            lower[i, j] = factor
            line = lower[i]
            for k in range(j + 1, i + 1):
                line[k] -= factor * column[k]
    for j in range(size):
        found = out[j] / lower[j, j]
        out[j] = found
        column = upper[j]
        for i in range(j + 1, size):
            out[i] -= found * column[i]
    for k in range(size - 1, -1, -1):
        found = out[k] / lower[k, k]
        out[k] = found
        line = lower[k]
        for i in range(k):
            out[i] -= found * line[i]


@kernel(_CODE_BAND)
def code_band(
    decoding,
    samples,
    centre,
    error,
    least,
    most,
    planes,
    offsets,
    weights,
    magnitudes,
    signs,
    mean,
    room,
    coder,
):
    """Code one band, or decode it; either way `samples` hold the reconstruction afterwards.

    Parameters
    ----------
    decoding
        Whether to decode.
    samples
        The band, int32, shape (lines, samples).
    centre
        Value subtracted from the samples of the band before prediction.
    error
        The bound.
    least, most
        Limits of the sample type, to which reconstructions are clipped.
    planes
        Reconstructed bands minus their centres, moved towards their predictions if lossy, float32, flat: one plane
        after the other, each with a border of one sample.
    offsets
        Positions in `planes` of the regressors of the first sample, int64, those in the band itself first; then the
        position of the first sample itself.
    weights
        Weights at the end of the previous band, replaced by those at the end of this band; float64, shape
        (regressors,).
    magnitudes
        Magnitudes of residuals, float32, shape (2, lines + 4, samples + 4): of this band; of earlier bands, smoothed
        and relative to their means.
    signs
        Signs of residuals, 0, 1 or 2, int8, shape (2, lines + 1, samples + 1): of this band, whose border is zero, and
        of the previous band.
    mean
        Mean magnitude of the residuals of the previous band.
    room
        Work space, float64: normal equations, their factor, rows, sums.
    coder
        Cells, model, tables, state and data of `code_residual`.

    Returns
    -------
    mean : float
        Mean magnitude of the residuals; -1 if the data end before the band does.
    """
    lines, width = samples.shape
    size = len(offsets) - 1
    gram, lower, upper, rows = room[:4]
    cross, prior, sums, targets = room[4:]
    cells, model, tables, state, data = coder
    here, before = magnitudes[0], magnitudes[1]
    home = offsets[size]
    stride = width + 2
    step = 2 * error + 1
    drawn = _DRAWN if error > 0 else 0.0
    for i in range(size):
        prior[i] = weights[i]
        cross[i] = 0.0
        for j in range(size):
            gram[i, j] = 0.0
    parts = (width + BLOCK - 1) // BLOCK
    firsts = (10 * width + BLOCK - 1) // BLOCK
    every = max(1, lines * parts // _MOST_SOLUTIONS)
    blocks = 0
    count = 0
    total = 0.0
    for y in range(lines):
        # The border: left of the line stands the sample above; above the first line, the mean.
        planes[home + y * stride - 1] = planes[home + (y - 1) * stride] if y > 0 else np.float32(0.0)
        if y > 0:
            planes[home + (y - 1) * stride + width] = planes[home + (y - 1) * stride + width - 1]
        # In the first line weights are poor, and each sample improves them: short blocks.
        pieces = firsts if y == 0 else parts
        for piece in range(pieces):
            first, stop = piece * width // pieces, (piece + 1) * width // pieces
            length = stop - first
            place = y * stride + first
            for t in range(length):
                sums[t] = 0.0
            for i in range(1, size):
                weight = weights[i]
                at = offsets[i] + place
                for t in range(length):
                    sums[t] += weight * planes[at + t]
            west = weights[0]
            for t in range(length):
                x = first + t
                at = home + place + t
                value = sums[t] + west * planes[at - 1] + centre
                if not value > least:
                    value = np.float64(least)
                if value > most:
                    value = np.float64(most)
                predicted = np.int64(math.floor(value + 0.5))
                around = _NEAR * (here[y + 2, x + 1] + here[y + 1, x + 2])
                around += _DIAGONAL * (here[y + 1, x + 1] + here[y + 1, x + 3])
                around += _FAR * (here[y + 2, x] + here[y, x + 2])
                past = before[y + 2, x + 2] * mean
                expected = around + _BEFORE * past + _MEAN * mean
                residual = 0
                if not decoding:
                    difference = samples[y, x] - predicted
                    residual = (abs(difference) + error) // step
                    if difference < 0:
                        residual = -residual
                residual = _code_residual(
                    decoding,
                    residual,
                    np.int64(expected * 16.0),
                    np.int64(around * 48.0),
                    np.int64(past * 16.0),
                    9 * signs[0, y + 1, x] + 3 * signs[0, y, x + 1] + signs[1, y + 1, x + 1],
                    np.int64((value + 0.5 - predicted) * 4.0) & 3,
                    cells,
                    model,
                    tables,
                    state,
                    data,
                )
                value_ = min(max(predicted + residual * step, least), most)
                samples[y, x] = value_
                planes[at] = np.float32(value_ + drawn * (value - value_) - centre)
                size_ = np.float64(abs(residual))
                here[y + 2, x + 2] = np.float32(size_)
                signs[0, y + 1, x + 1] = 1 if residual > 0 else (2 if residual < 0 else 0)
                total += size_
                mean += (size_ - mean) * _FOLLOW
            # One coded sample in `every` joins the normal equations; all of them at first.
            thin = every if blocks >= every else 1
            for t in range(blocks % thin, length, thin):
                row = rows[count]
                for i in range(size):
                    row[i] = planes[offsets[i] + place + t]
                targets[count] = planes[home + place + t]
                count += 1
            blocks += 1
            if blocks % every == 0 or blocks & (blocks - 1) == 0 or count > len(targets) - BLOCK - 4:
                _accumulate(rows, targets, count, size, gram, cross)
                count = 0
                _solve(gram, cross, size, _RIDGE, prior, lower, upper, weights)
                for i in range(size if y > 0 else 0):
                    cross[i] *= _MEMORY
                    for j in range(i + 1):
                        gram[i, j] *= _MEMORY
        here[y + 2, 0] = here[y + 2, 1] = here[y + 2, 2]
        here[y + 2, width + 2] = here[y + 2, width + 3] = here[y + 2, width + 1]
        if y == 0:
            for x in range(width + 4):
                here[0, x] = here[1, x] = here[2, x]
        if decoding and state[AT] > len(data) + WINDOW_BYTES:
            return -1.0
    return total / (lines * width)


@kernel(_FINISH_BAND)
def finish_band(planes, home, lines, width, magnitudes, mean):
    """Fill the border of a band's plane; add its magnitudes to those of earlier bands."""
    stride = width + 2
    for y in range(lines):
        at = home + y * stride
        planes[at - 1] = planes[at]
        planes[at + width] = planes[at + width - 1]
    for x in range(-1, width + 1):
        planes[home - stride + x] = planes[home + x]
        planes[home + lines * stride + x] = planes[home + (lines - 1) * stride + x]
    here, before = magnitudes[0], magnitudes[1]
    for x in range(width + 4):
        here[lines + 2, x] = here[lines + 1, x]
        here[1, x] = here[2, x]
    scale = (1.0 - _PAST) / (mean + 0.02)
    for y in range(2, lines + 2):
        for x in range(2, width + 2):
            smooth = _CENTRE * here[y, x]
            smooth += _SIDE * (here[y, x - 1] + here[y, x + 1] + here[y - 1, x] + here[y + 1, x])
            smooth += _CORNER * (
                here[y - 1, x - 1] + here[y - 1, x + 1] + here[y + 1, x - 1] + here[y + 1, x + 1]
            )
            before[y, x] = np.float32(_PAST * before[y, x] + scale * smooth)
