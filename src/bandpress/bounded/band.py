"""Prediction and coding of one band, compiled; encoder and decoder are the same function.

Each sample is predicted from reconstructed samples, with weights that minimise the squared error of earlier predictions
(backward adaptation: no side information). The residual is quantised with a step of 2 E + 1, where E is the bound, and
coded.

Coding is in integers. Prediction is in double precision: every loop that may be turned into vectors works element by
element, and sums run over the outer loop, so that the order of operations is the same on every processor.
"""

import math

import numpy as np

from bandpress.bounded.leastsquares import accumulate, solve
from bandpress.bounded.model import AT, BLOCK, WINDOW_BYTES
from bandpress.bounded.residuals import code_residual
from bandpress.compiled import kernel

#: Most updates of the weights per band; share that sums keep after an update; ridge towards the weights of the previous
#: band, in squared counts.
_MOST_SOLUTIONS = 512
_MEMORY = 0.98
_RIDGE = 600.0
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
                residual = code_residual(
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
                accumulate(rows, targets, count, size, gram, cross)
                count = 0
                solve(gram, cross, size, _RIDGE, prior, lower, upper, weights)
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
