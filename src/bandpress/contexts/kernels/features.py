"""Features of coefficients, compiled; see `bandpress.contexts.features` for their meaning.

Magnitudes of the current band are kept in four planes, one per pass, with a margin of zeros, so that a neighbour has
the same offset in memory at every place. A finished band leaves maps of logarithms for later bands and components.
"""

import numpy as np

from bandpress.compiled import helper, kernel

#: Features of a place.
LOCAL = 19
#: Largest magnitude and sum; larger ones count as this.
CAP = 65535
#: Columns of a description of bands.
LEVEL, ORIENTATION, Y, Y_END, X, X_END = range(6)
#: Maps of a component: logarithms of magnitudes, of their sums over 3 × 3 and 5 × 5, and over four children.
_ALONE, _BOX3, _BOX5, _CHILDREN = range(4)


@helper
def logarithm(magnitude):
    """Return 16 · log2(1 + magnitude), linear between powers of two: exponent and first four bits of a float32."""
    return (np.float32(np.int32(min(magnitude, CAP) + 1)).view(np.int32) >> 19) - 2032


@helper
def _neighbours(planes, top, left, line, count, out):
    """Write logarithms of sums over known neighbours within the band, for a line of a pass."""
    beside, above = planes[2 * top + 1 - left], planes[2 - 2 * top + left]
    own, diagonal = planes[2 * top + left], planes[3 - 2 * top - left]
    y, u = line + 1, line + top  # of the place, and of the line above it in the planes of the other lines
    o0, o1, o2 = own[y - 1], own[y], own[y + 1]
    b0, b1, b2 = beside[y - 1, left:], beside[y, left:], beside[y + 1, left:]
    a0, a1 = above[u], above[u + 1]
    d0, d1 = diagonal[u, left:], diagonal[u + 1, left:]
    for p in range(count):
        out[0, p] = logarithm(b1[p] + b1[p + 1])
        out[1, p] = logarithm(a0[p + 1] + a1[p + 1])
        out[2, p] = logarithm(d0[p] + d0[p + 1] + d1[p] + d1[p + 1])
        out[3, p] = logarithm(o1[p] + o1[p + 2] + o0[p + 1] + o2[p + 1])
        out[4, p] = logarithm(a0[p] + a0[p + 2] + a1[p] + a1[p + 2] + b0[p] + b0[p + 1] + b2[p] + b2[p + 1])


@helper
def _every_second(source, start, size, count, out):
    """Copy every second place of a line of `size`, and repeat its last one where it ends."""
    inside = min(count, (size - start + 1) // 2)
    for p in range(inside):
        out[p] = source[start + 2 * p]
    for p in range(inside, count):
        out[p] = source[size - 1]


@helper
def _fitted(map_, band, line, left, count, out):
    """Copy a line of a pass from another band of nearly the same size."""
    height, width = band[Y_END] - band[Y], band[X_END] - band[X]
    if height < 1 or width < 1:
        out[:count] = 0
        return
    _every_second(map_[band[Y] + min(line, height - 1), band[X] :], left, width, count, out)


@helper
def _parent(map_, band, line, count, out):
    """Copy the line of parents of a line of a pass."""
    height, width = band[Y_END] - band[Y], band[X_END] - band[X]
    if height < 1 or width < 1:
        out[:count] = 0
        return
    source = map_[band[Y] + min(line, height - 1), band[X] :]
    inside = min(count, width)
    for p in range(inside):
        out[p] = source[p]
    for p in range(inside, count):
        out[p] = source[width - 1]


@helper
def line_features(known, bands, number, top, left, line, count, out):
    """Write the features of places for a line of a pass to `out`, shape (19, places)."""
    planes, maps, traces, slots = known
    _neighbours(planes, top, left, line, count, out)
    band = bands[number]
    orientation = band[ORIENTATION]
    own, before, second = maps[slots[0]], maps[slots[1]], maps[slots[2]]
    y = 2 * line + top
    out[5:11, :count] = 0
    if orientation:
        for n in range(2):
            if number <= 3:
                _fitted(own[n], bands[0], y, left, count, out[5 + n])
            else:
                _parent(own[n], bands[number - 3], line, count, out[5 + n])
            for other in range(1, orientation):
                cousin = bands[number - orientation + other]
                _fitted(own[n], cousin, y, left, count, out[5 + 2 * other + n])
    for n in range(3):
        _fitted(before[n], band, y, left, count, out[11 + n])
    for n in range(2):
        _fitted(second[n], band, y, left, count, out[14 + n])
        _fitted(traces[n], band, y, left, count, out[16 + n])
    if orientation and band[LEVEL] > 1:
        _fitted(before[_CHILDREN], band, y, left, count, out[18])
    else:
        out[18, :count] = 0


@helper
def _boxes(images, y, y_end, x, x_end, line, reach, sums):
    """Write the sums over columns of 2 · reach + 1 lines of a band, zeros beyond it, with a margin of two."""
    width = x_end - x
    sums[: width + 4] = 0
    for one in range(max(line - reach, y), min(line + reach + 1, y_end)):
        row = images[one, x:]
        for p in range(width):
            sums[p + 2] += row[p]


@helper
def finish_band(magnitudes, maps, bands, number, sums):
    """Write the maps of a finished band; return the sum of its logarithms."""
    y, y_end, x, x_end = bands[number, Y], bands[number, Y_END], bands[number, X], bands[number, X_END]
    width, total = x_end - x, 0
    three, five = sums[0], sums[1]
    for line in range(y, y_end):
        alone, box3, box5 = maps[_ALONE, line, x:], maps[_BOX3, line, x:], maps[_BOX5, line, x:]
        row = magnitudes[line, x:]
        _boxes(magnitudes, y, y_end, x, x_end, line, 1, three)
        _boxes(magnitudes, y, y_end, x, x_end, line, 2, five)
        for p in range(width):
            alone[p] = logarithm(row[p])
            box3[p] = logarithm(three[p + 1] + three[p + 2] + three[p + 3])
            box5[p] = logarithm(five[p] + five[p + 1] + five[p + 2] + five[p + 3] + five[p + 4])
        for p in range(width):
            total += alone[p]
    if number > 3:
        _write_children(magnitudes, maps[_CHILDREN], bands[number], bands[number - 3])
    return total


@helper
def _write_children(magnitudes, children, band, parent):
    """Write for each place of the parent the logarithm of the sum of its four children."""
    height, width = band[Y_END] - band[Y], band[X_END] - band[X]
    for i in range(parent[Y_END] - parent[Y]):
        for j in range(parent[X_END] - parent[X]):
            total = 0
            if height and width:
                v, u = 2 * min(i, (height - 1) // 2), 2 * min(j, (width - 1) // 2)
                for a in range(v, min(v + 2, height)):
                    for b in range(u, min(u + 2, width)):
                        total += magnitudes[band[Y] + a, band[X] + b]
            children[parent[Y] + i, parent[X] + j] = logarithm(total)


@kernel("void(int16[:, ::1], int16[:, :, ::1], int64[:, ::1], int32[:, ::1])")
def remember(alone, traces, bands, sums):
    """Decay the trace of all components; add the last component.

    Parameters
    ----------
    alone
        Logarithms of its magnitudes, shape (lines, samples).
    traces
        The trace and its mean over 3 × 3, shape (2, lines, samples).
    bands
        See `bandpress.contexts.features.bands_of`.
    sums
        Work space, shape (2, samples + 4).
    """
    trace, smooth = traces[0], traces[1]
    for y in range(alone.shape[0]):
        for x in range(alone.shape[1]):
            trace[y, x] = (3 * trace[y, x] >> 2) + alone[y, x]
    for number in range(len(bands)):
        y, y_end, x, x_end = (
            bands[number, Y],
            bands[number, Y_END],
            bands[number, X],
            bands[number, X_END],
        )
        three = sums[0]
        for line in range(y, y_end):
            _boxes(trace, y, y_end, x, x_end, line, 1, three)
            for p in range(x_end - x):
                smooth[line, x + p] = np.uint32(three[p + 1] + three[p + 2] + three[p + 3]) // np.uint32(9)


@helper
def shared_features(bands, number, turn_number, component, means, energy, shared):
    """Write the features shared by all places of a pass."""
    level, orientation = bands[number, LEVEL], bands[number, ORIENTATION]
    shared[:] = 0
    for n in range(3):
        shared[n] = means[n]
    shared[3], shared[4] = 8 * energy[0], 8 * energy[1]
    shared[5 + turn_number] = 16
    shared[9 + orientation] = 16
    shared[12 + min(level, 4)] = 16
    if component < 3:
        shared[17 + component] = 16
    shared[20], shared[21] = 16 * level, 4 * min(component, 16)
