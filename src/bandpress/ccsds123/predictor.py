"""The adaptive predictor with its quantiser, CCSDS 123.0-B-2 section 4, one band at a time, compiled.

Names follow the standard's symbols: s samples, s'' representatives, sigma local sums, d central local differences,
U local difference vector, W weights, delta mapped quantiser indexes.
"""

import numpy as np

from bandpress.ccsds123.parameters import LOCAL_SUMS, Parameters
from bandpress.compiled import helper, kernel


def code(cube: np.ndarray | None, indexes: np.ndarray, p: Parameters) -> np.ndarray:
    """Convert samples to mapped quantiser indexes, or back.

    Parameters
    ----------
    cube
        Samples, shape (bands, lines, samples); None to reconstruct them.
    indexes
        Mapped quantiser indexes, uint16, same shape: written, or read if `cube` is None.
    p
        Parameters.

    Returns
    -------
    numpy.ndarray
        Reconstructed samples, int32.
    """
    bands, lines, width = indexes.shape
    history = p.prediction_bands + 1
    representatives = np.zeros((2, lines, width), np.int64)
    central = np.zeros((history, lines, width), np.int64)
    out = np.empty(indexes.shape, np.int32)
    constants = np.array(
        [
            p.least, p.most, p.middle, p.bits, p.max_error, p.reduced, LOCAL_SUMS.index(p.local_sum), p.register,
            p.resolution, p.interval, p.first_exponent, p.last_exponent, p.representative, p.damping, p.offset,
        ],
        np.int64,
    )  # fmt: skip
    for band in range(bands):
        if cube is not None:
            out[band] = cube[band]
        first = int(out[band - 1, 0, 0]) if band and p.prediction_bands else p.middle
        used = min(band, p.prediction_bands)
        # Differences of earlier bands, the nearest first, and of this band.
        order = np.array(
            [(band - back) % history for back in range(1, used + 1)] + [band % history], np.int64
        )
        vectors = np.zeros((2, used if p.reduced else used + 3), np.int64)
        planes = (representatives, central, order, vectors)
        _band(cube is None, out[band], indexes[band], *planes, band, first, constants)
        representatives = representatives[::-1].copy()
    return out


@helper
def _clip(x, least, most):
    return least if x < least else (most if x > most else x)


@helper
def _local_sum(kind, here, before, band, y, x, width, middle):
    """Return sigma, section 4.4; `here` and `before` hold the representatives of this band and the previous one."""
    if kind >= 2:
        if y > 0:
            return 4 * here[y - 1, x]
        if kind == 2:
            return 4 * here[y, x - 1]
    elif y > 0:
        if x == 0:
            return 2 * (here[y - 1, x] + here[y - 1, min(x + 1, width - 1)])
        if kind == 0:
            right = here[y - 1, x + 1] if x < width - 1 else here[y - 1, x]
            return here[y, x - 1] + here[y - 1, x - 1] + here[y - 1, x] + right
        if x == width - 1:
            return 2 * (here[y - 1, x - 1] + here[y - 1, x])
        return here[y - 1, x - 1] + 2 * here[y - 1, x] + here[y - 1, x + 1]
    elif kind == 0:
        return 4 * here[y, x - 1]
    return 4 * before[y, x - 1] if band > 0 else 4 * middle


@kernel(
    "void(boolean, int32[:, ::1], uint16[:, ::1], int64[:, :, ::1], int64[:, :, ::1],"
    " int64[::1], int64[:, ::1], int64, int64, int64[::1])"
)
def _band(decoding, samples, indexes, representatives, central, order, vectors, band, first, constants):
    least, most, middle, bits, error, reduced, kind, register, resolution = constants[:9]
    interval, first_exponent, last_exponent, theta, damping, offset = constants[9:]
    lines, width = samples.shape
    here, before = representatives[0], representatives[1]
    used = len(order) - 1
    own = central[order[used]]
    directions = 0 if reduced else 3
    size = directions + used
    weights, differences = vectors[0], vectors[1]
    # Default weights, 4.6.3.2.
    for i in range(used):
        weights[directions + i] = (7 << resolution) >> 3 if i == 0 else weights[directions + i - 1] >> 3
    lowest, highest = -(1 << (resolution + 2)), (1 << (resolution + 2)) - 1
    half = np.int64(1) << (register - 1)
    mask = (half << 1) - 1 if register < 64 else np.int64(-1)
    for y in range(lines):
        for x in range(width):
            t = y * width + x
            if t == 0:
                limit = np.int64(0)
                doubled = 2 * first
                high = np.int64(0)
                sigma = np.int64(0)
            else:
                limit = error
                sigma = _local_sum(kind, here, before, band, y, x, width, middle)
                if directions:
                    if y > 0:
                        north = 4 * here[y - 1, x] - sigma
                        differences[0] = north
                        differences[1] = 4 * here[y, x - 1] - sigma if x > 0 else north
                        differences[2] = 4 * here[y - 1, x - 1] - sigma if x > 0 else north
                    else:
                        differences[0] = differences[1] = differences[2] = 0
                predicted_difference = np.int64(0)
                for i in range(used):
                    differences[directions + i] = central[order[i], y, x]
                for i in range(size):
                    predicted_difference += weights[i] * differences[i]
                # Modulo of the register, 4.7.2.
                wrapped = predicted_difference + ((sigma - 4 * middle) << resolution)
                if register < 64:
                    wrapped = ((wrapped + half) & mask) - half
                high = wrapped + (middle << (resolution + 2)) + (np.int64(1) << (resolution + 1))
                high = _clip(
                    high,
                    least << (resolution + 2),
                    (most << (resolution + 2)) + (np.int64(1) << (resolution + 1)),
                )
                doubled = high >> (resolution + 1)
            predicted = doubled >> 1
            span = 2 * limit + 1
            below = (predicted - least + limit) // span
            above = (most - predicted + limit) // span
            theta_ = min(below, above)
            if decoding:
                index = np.int64(indexes[y, x])
                if index > 2 * theta_:
                    quantised = index - theta_
                    if above < below:
                        quantised = -quantised
                else:
                    quantised = (index + 1) >> 1
                    if (index & 1) != (doubled & 1):
                        quantised = -quantised
            else:
                residual = samples[y, x] - predicted
                quantised = (abs(residual) + limit) // span
                if residual < 0:
                    quantised = -quantised
                size_ = abs(quantised)
                signed = -quantised if doubled & 1 else quantised
                if size_ > theta_:
                    index = size_ + theta_
                elif signed >= 0:
                    index = 2 * size_
                else:
                    index = 2 * size_ - 1
                indexes[y, x] = index
            centre = _clip(predicted + quantised * span, least, most)
            samples[y, x] = centre
            # The representative, 4.9.
            if t == 0 or (damping == 0 and offset == 0):
                here[y, x] = centre
            else:
                sign = 1 if quantised > 0 else (-1 if quantised < 0 else 0)
                shifted = (centre << resolution) - ((sign * limit * offset) << (resolution - theta))
                mixed = 4 * ((1 << theta) - damping) * shifted
                mixed += damping * high - (damping << (resolution + 1))
                here[y, x] = ((mixed >> (resolution + theta + 1)) + 1) >> 1
            if t == 0:
                own[y, x] = 0
                continue
            own[y, x] = 4 * here[y, x] - sigma
            # The update of the weights, 4.10.
            missed = 2 * centre - doubled
            exponent = _clip(first_exponent + ((t - width) >> interval), first_exponent, last_exponent)
            exponent += bits - resolution
            for i in range(size):
                change = differences[i] if missed >= 0 else -differences[i]
                if exponent >= 0:
                    change = (change + (np.int64(1) << exponent)) >> (exponent + 1)
                else:
                    change = ((change << -exponent) + 1) >> 1
                weights[i] = _clip(weights[i] + change, lowest, highest)
