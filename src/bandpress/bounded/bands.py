"""Prediction and coding of one band with a bound on every sample, compiled.

Each sample is predicted from reconstructed samples: causal neighbours in its band, the same pixel in earlier bands and
the neighbours of that pixel in the nearest of them. The weights are those of least squares over what the decoder knows
too, with older samples fading (backward adaptation: no side information), drawn towards the weights of the band before.
The prediction's error is quantised with a step of 2 E + 1, E the bound, and coded by `residuals`.
"""

import math

import numpy as np
from numba import njit

from bandpress.bounded.leastsquares import accumulate, solve
from bandpress.bounded.residuals import code_residual

#: Neighbours in the band itself: west first, the only one that the sample before decides.
CAUSAL = ((0, -1), (-1, 0), (-1, -1), (-1, 1))
#: Neighbours in each of the nearest earlier bands, and how many bands those are.
AROUND = ((0, -1), (-1, 0), (0, 1), (1, 0))
NEAREST = 3
#: Samples that are predicted with the same weights, at most, and how often weights are found anew in a band, at most.
BLOCK = 50
_MOST_SOLUTIONS = 512
#: What a solution's sums keep of those before; what draws towards the band before, in squared counts.
_MEMORY = 0.98
_RIDGE = 600.0
#: How the expected magnitude follows from residuals: west and north, diagonals, two away; the bands before; the mean.
_NEAR, _DIAGONAL, _FAR, _BEFORE, _MEAN = 0.09, 0.025, 0.022, 0.42, 0.25
#: The band's mean magnitude follows this fast.
_FOLLOW = 1.0 / 128
#: Magnitudes relative to the mean, over the bands: what the past keeps; the kernel over space.
_PAST = 0.65
_CENTRE, _SIDE, _CORNER = 4.0 / 14, 1.5 / 14, 1.0 / 14


def regressors(band: int, references: int) -> np.ndarray:
    """Return what a band is predicted from, by role.

    Parameters
    ----------
    band
        Number of bands before it.
    references
        Earlier bands that may be used.

    Returns
    -------
    numpy.ndarray
        int64, shape (regressors, 4): role, bands back, lines down, samples right. A role is the same in every band.
    """
    found = [(i, 0, *at) for i, at in enumerate(CAUSAL)]
    role = len(CAUSAL)
    for back in range(1, NEAREST + 1):
        if back <= band:
            found += [(role + i, back, *at) for i, at in enumerate(AROUND)]
        role += len(AROUND)
    found += [(role + back - 1, back, 0, 0) for back in range(1, min(band, references) + 1)]
    return np.array(found, np.int64)


def roles(references: int) -> int:
    """Return the number of roles that `regressors` may give."""
    return len(CAUSAL) + NEAREST * len(AROUND) + references


@njit(cache=True, nogil=True)
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
        What is subtracted from the samples of the band before prediction.
    error
        The bound.
    least, most
        Of the type of the samples: reconstructions stay within.
    planes
        Bands minus their centres, float32, flat: one plane after the other, each with a border of one sample.
    offsets
        Where in `planes` the regressors of the first sample are, int64, those in the band itself first; the place of
        the first sample itself comes after the last.
    weights
        In: of the band before. Out: of the end of this one. float64, shape (regressors,).
    magnitudes
        float32, shape (2, lines + 4, samples + 4): of this band's residuals; of the bands before, smoothed and relative
        to their means.
    signs
        Of residuals, 0, 1 or 2, int8, shape (2, lines + 1, samples + 1): of this band, whose border is zero, and of the
        band before.
    mean
        Mean magnitude of the residuals of the band before.
    room
        Arrays of float64 to work in: sums, normal equations, their factor, rows.
    coder
        Cells, model, tables, state and data of `code_residual`.

    Returns
    -------
    mean : float
        Mean magnitude of the residuals.
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
        # Little is known in the first line, and each sample tells much: short blocks.
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
                planes[at] = np.float32(value_ - centre)
                size_ = np.float64(abs(residual))
                here[y + 2, x + 2] = np.float32(size_)
                signs[0, y + 1, x + 1] = 1 if residual > 0 else (2 if residual < 0 else 0)
                total += size_
                mean += (size_ - mean) * _FOLLOW
            # What was coded joins the normal equations, one sample in `every`; all of them while there are few.
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
    return total / (lines * width)


@njit(cache=True, nogil=True)
def finish_band(planes, home, lines, width, magnitudes, mean):
    """Fill the border of a band's plane, and add its magnitudes to those of the bands before."""
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
