"""The compiled part of the context codec: features, the network that chooses tables, the quantiser, the range coder.

One component is coded at a time. Magnitudes of the band that is being coded are kept in four planes, one a pass, with a
margin of zeros: a neighbour of a place is as far from it in memory as that of the next place. Of a band that is done,
maps of logarithms are kept for the bands and components after it.

Sums of the network are sums of integers below 2^24: float32 holds them exactly, whatever the order of summation, which
is why that one helper may reorder them. Everything else that a decoder does is integer arithmetic, or one
multiplication and one subtraction of doubles a coefficient.
"""

# mypy: disable-error-code="assignment,operator,arg-type"
import numpy as np
from numba import njit

from bandpress.compiled import helper, kernel

#: Places that go through the network together.
BLOCK = 128
#: Magnitudes from this on share an offset of reconstruction.
SHAPED = 4
#: What a kernel does with each pass: quantise and encode, decode, or write down features.
ENCODE, DECODE, LIST = 0, 1, 2

_LOCAL = 19
_CAP = 65535  # magnitudes and sums beyond it count as it
_LAST = (1 << 17) - 1  # the largest magnitude of the last class
_EXCESS = 14  # bits of each of the two symbols of what a magnitude exceeds it by
_MOST = 1 << 28
_TOP, _REFILL = 48, 32  # bits of the range coder's interval, and below how many it takes 16 more
# Columns of `bands`, indexes of `maps`, indexes of `state`.
_LEVEL, _ORIENTATION, _Y, _Y_END, _X, _X_END = range(6)
_ALONE, _BOX3, _BOX5, _CHILDREN = range(4)
_LOW, _RANGE, _POSITION, _BROKEN = range(4)
_SIGNATURE = (
    "void(int64, int64, int64[::1], float64[:, ::1], int16[:, :, :, ::1], int16[:, :, ::1], int64[:, ::1],"
    "int64[:, ::1], int32[:, :, ::1], float32[:, :, ::1], float32[:, ::1], float32[:, ::1], float32[::1], float32[::1],"
    "int64[:, ::1], float64[:, ::1], float64[:, ::1], float64, float32[:, :, ::1], int16[:, ::1], uint8[::1],"
    "int32[:, ::1], int32[:, ::1], int64[::1], uint8[::1], int32[:, ::1])"
)


@helper
def _logarithm(magnitude):
    """Return 16 · log2(1 + magnitude), linear between powers of two: exponent and first four bits of a float32."""
    return (np.float32(np.int32(min(magnitude, _CAP) + 1)).view(np.int32) >> 19) - 2032


@helper
def _class_of(magnitude):
    """Return the class of a magnitude up to `_LAST`, and its plain bits."""
    if magnitude < 8:
        return magnitude, 0
    bits = (np.float32(magnitude).view(np.int32) >> 23) - 129
    return 4 * bits + (magnitude >> bits), bits


# --- features


@helper
def _neighbours(planes, top, left, line, count, out):
    """Write logarithms of sums over known neighbours within the band, for a line of a pass."""
    beside, above = planes[2 * top + 1 - left], planes[2 - 2 * top + left]
    own, diagonal = planes[2 * top + left], planes[3 - 2 * top - left]
    y, u = line + 1, line + top  # of the place, and of the line above it in the planes of other lines
    o0, o1, o2 = own[y - 1], own[y], own[y + 1]
    b0, b1, b2 = beside[y - 1, left:], beside[y, left:], beside[y + 1, left:]
    a0, a1 = above[u], above[u + 1]
    d0, d1 = diagonal[u, left:], diagonal[u + 1, left:]
    for p in range(count):
        out[0, p] = _logarithm(b1[p] + b1[p + 1])
        out[1, p] = _logarithm(a0[p + 1] + a1[p + 1])
        out[2, p] = _logarithm(d0[p] + d0[p + 1] + d1[p] + d1[p + 1])
        out[3, p] = _logarithm(o1[p] + o1[p + 2] + o0[p + 1] + o2[p + 1])
        out[4, p] = _logarithm(a0[p] + a0[p + 2] + a1[p] + a1[p + 2] + b0[p] + b0[p + 1] + b2[p] + b2[p + 1])


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
    """Copy a line of a pass out of another band of nearly the same size."""
    height, width = band[_Y_END] - band[_Y], band[_X_END] - band[_X]
    if height < 1 or width < 1:
        out[:count] = 0
        return
    _every_second(map_[band[_Y] + min(line, height - 1), band[_X] :], left, width, count, out)


@helper
def _parent(map_, band, line, count, out):
    """Copy the line of parents of a line of a pass."""
    height, width = band[_Y_END] - band[_Y], band[_X_END] - band[_X]
    if height < 1 or width < 1:
        out[:count] = 0
        return
    source = map_[band[_Y] + min(line, height - 1), band[_X] :]
    inside = min(count, width)
    for p in range(inside):
        out[p] = source[p]
    for p in range(inside, count):
        out[p] = source[width - 1]


@helper
def _line_features(known, bands, number, top, left, line, count, out):
    """Write the features of places for a line of a pass, out of shape (19, places)."""
    planes, maps, traces, slots = known
    _neighbours(planes, top, left, line, count, out)
    band = bands[number]
    orientation = band[_ORIENTATION]
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
    if orientation and band[_LEVEL] > 1:
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
def _finish_band(magnitudes, maps, bands, number, sums):
    """Write the maps of a band that is done; return the sum of its logarithms."""
    y, y_end, x, x_end = bands[number, _Y], bands[number, _Y_END], bands[number, _X], bands[number, _X_END]
    width, total = x_end - x, 0
    three, five = sums[0], sums[1]
    for line in range(y, y_end):
        alone, box3, box5 = maps[_ALONE, line, x:], maps[_BOX3, line, x:], maps[_BOX5, line, x:]
        row = magnitudes[line, x:]
        _boxes(magnitudes, y, y_end, x, x_end, line, 1, three)
        _boxes(magnitudes, y, y_end, x, x_end, line, 2, five)
        for p in range(width):
            alone[p] = _logarithm(row[p])
            box3[p] = _logarithm(three[p + 1] + three[p + 2] + three[p + 3])
            box5[p] = _logarithm(five[p] + five[p + 1] + five[p + 2] + five[p + 3] + five[p + 4])
        for p in range(width):
            total += alone[p]
    if number > 3:
        _write_children(magnitudes, maps[_CHILDREN], bands[number], bands[number - 3])
    return total


@helper
def _write_children(magnitudes, children, band, parent):
    """Write for each place of the parent the logarithm of the sum of its four children."""
    height, width = band[_Y_END] - band[_Y], band[_X_END] - band[_X]
    for i in range(parent[_Y_END] - parent[_Y]):
        for j in range(parent[_X_END] - parent[_X]):
            total = 0
            if height and width:
                v, u = 2 * min(i, (height - 1) // 2), 2 * min(j, (width - 1) // 2)
                for a in range(v, min(v + 2, height)):
                    for b in range(u, min(u + 2, width)):
                        total += magnitudes[band[_Y] + a, band[_X] + b]
            children[parent[_Y] + i, parent[_X] + j] = _logarithm(total)


@kernel("void(int16[:, ::1], int16[:, :, ::1], int64[:, ::1], int32[:, ::1])")
def remember(alone, traces, bands, sums):
    """Let the trace of all components fade, and add the last one.

    Parameters
    ----------
    alone
        Logarithms of its magnitudes, shape (lines, samples).
    traces
        The trace and its mean over 3 × 3, shape (2, lines, samples).
    bands
        See `bandpress.contexts.features.bands_of`.
    sums
        To work in, shape (2, samples + 4).
    """
    trace, smooth = traces[0], traces[1]
    for y in range(alone.shape[0]):
        for x in range(alone.shape[1]):
            trace[y, x] = (3 * trace[y, x] >> 2) + alone[y, x]
    for number in range(len(bands)):
        y, y_end, x, x_end = (
            bands[number, _Y],
            bands[number, _Y_END],
            bands[number, _X],
            bands[number, _X_END],
        )
        three = sums[0]
        for line in range(y, y_end):
            _boxes(trace, y, y_end, x, x_end, line, 1, three)
            for p in range(x_end - x):
                smooth[line, x + p] = np.uint32(three[p + 1] + three[p + 2] + three[p + 3]) // np.uint32(9)


# --- the network


@njit(nogil=True, fastmath={"contract", "reassoc", "nsz"})
def _layer(weights, biases, inputs, units, depth, count, scale, most, out):
    """Evaluate a layer, eight inputs at a time: clip(floor((weights @ inputs + biases) · scale), 0, most)."""
    for unit in range(units):
        row, w = out[unit], weights[unit]
        for p in range(count):
            row[p] = biases[unit]
        for i in range(0, depth, 8):
            x0, x1, x2, x3 = inputs[i], inputs[i + 1], inputs[i + 2], inputs[i + 3]
            x4, x5, x6, x7 = inputs[i + 4], inputs[i + 5], inputs[i + 6], inputs[i + 7]
            w0, w1, w2, w3, w4, w5, w6, w7 = (
                w[i],
                w[i + 1],
                w[i + 2],
                w[i + 3],
                w[i + 4],
                w[i + 5],
                w[i + 6],
                w[i + 7],
            )
            for p in range(count):
                row[p] += (
                    w0 * x0[p]
                    + w1 * x1[p]
                    + w2 * x2[p]
                    + w3 * x3[p]
                    + w4 * x4[p]
                    + w5 * x5[p]
                    + w6 * x6[p]
                    + w7 * x7[p]
                )
        for p in range(count):
            row[p] = min(max(np.floor(row[p] * scale), np.float32(0)), most)


@helper
def _evaluate(weights, biases, scales, most, work, count):
    """Return the tables of the places whose features are in work[0]; shape (places,)."""
    depth, units = 24, weights.shape[1]
    count = min(BLOCK, (count + 15) // 16 * 16)
    for layer in range(3):
        last = layer == 2
        _layer(
            weights[layer],
            biases[layer],
            work[layer],
            1 if last else units,
            depth,
            count,
            scales[layer],
            most[layer],
            work[layer + 1],
        )
        depth = units
    return work[3, 0]


@helper
def _flush(network, work, places, waiting, tables):
    """Let the places that wait go through the network; return how many are waiting then."""
    found = _evaluate(network[0], network[1], network[2], network[3], work, waiting)
    for q in range(waiting):
        tables[places[q]] = np.uint8(found[q])
    return 0


@helper
def _choose_tables(known, bands, number, turn, shape, network, work, lines, places, tables, listed):
    """Choose the table of every place of a pass; those with nothing around them share one. Or list features."""
    count = shape[1]
    work[0, :, :] = 0
    places[0] = 0
    _flush(network, work, places, 1, tables)
    empty, waiting = tables[0], 0
    any_ = lines[_LOCAL]
    for line in range(shape[0]):
        _line_features(known, bands, number, turn[0], turn[1], line, count, lines)
        for p in range(count):
            any_[p] = lines[0, p]
        for n in range(1, _LOCAL):
            for p in range(count):
                any_[p] |= lines[n, p]
        for p in range(count):
            place = line * count + p
            if len(listed):
                for n in range(_LOCAL):
                    listed[place, 2 + n] = lines[n, p]
                listed[place, 0] = bands[number, _Y] + turn[0] + 2 * line
                listed[place, 1] = bands[number, _X] + turn[1] + 2 * p
            tables[place] = empty
            if any_[p]:
                for n in range(_LOCAL):
                    work[0, n, waiting] = lines[n, p]
                places[waiting] = place
                waiting += 1
                if waiting == BLOCK:
                    waiting = _flush(network, work, places, waiting, tables)
    if waiting:
        _flush(network, work, places, waiting, tables)


# --- the range coder


@helper
def _put(low, position, data):
    """Put out the 16 highest bits of `low`; let a carry run through what was put out before."""
    if low >> _TOP:
        low -= 1 << _TOP
        place = position - 1
        while data[place] == 255:
            data[place] = 0
            place -= 1
        data[place] += 1
    data[position], data[position + 1] = low >> 40 & 255, low >> 32 & 255
    return (low & ((1 << _REFILL) - 1)) << 16, position + 2


@helper
def _narrow(low, size, position, data, first, number, bits):
    """Encode what takes `number` of 2^bits from `first` on."""
    part = size >> bits
    low, size = low + part * first, part * number
    if size >> _REFILL == 0:
        low, position = _put(low, position, data)
        size <<= 16
    return low, size, position


@helper
def _refill(code, size, position, data):
    """Take 16 more bits where the interval became small; a position beyond the data tells that there were none."""
    if size >> _REFILL == 0:
        bits = 0
        if position + 2 <= data.size:
            bits = np.int64(data[position]) << 8 | np.int64(data[position + 1])
        code, size, position = code << 16 | bits, size << 16, position + 2
    return code, size, position


@helper
def _plain(code, size, position, data, bits):
    """Decode a number of plain bits; one that is too large tells of damage."""
    part = size >> bits
    value = code // part
    code, size, position = _refill(code - value * part, part, position, data)
    return value, code, size, position


@kernel("int64(int64[::1], uint8[::1])")
def finish(state, data):
    """End a string in one byte or two; return its length."""
    low, position = state[_LOW], state[_POSITION]
    for bits in (40, 32):
        value = (low + (1 << bits) - 1) >> bits << bits
        if value < low + state[_RANGE] or bits == 32:
            _put(value, position, data)
            return position + (1 if bits == 40 else 2)
    return position


# --- passes


@helper
def _quantised(exact, bits, offsets, worth):
    """Return the magnitude that costs least in bits and squared error."""
    nearest = np.int64(min(exact + 0.5, float(_MOST)))
    best, least = nearest, np.inf
    for candidate in (nearest, nearest - 1, 0):
        if candidate >= 0:
            expected = candidate - offsets[min(candidate, SHAPED) - 1] if candidate else 0.0
            class_, _ = _class_of(min(candidate, _LAST))
            cost = bits[class_] + worth * (exact - expected) ** 2
            if cost < least:
                best, least = candidate, cost
    return best


@helper
def _encode_pass(values, magnitudes, plane, tables, turn, shape, model, state, data):
    """Quantise and encode the places of a pass, `values` becoming what they decode to; return their logarithms' sum."""
    frequencies, offsets, bits, worth = model
    low, size, position = state[_LOW], state[_RANGE], state[_POSITION]
    total = 0
    for line in range(shape[0]):
        y = 2 * line + turn[0]
        for p in range(shape[1]):
            x = 2 * p + turn[1]
            value = values[y, x]
            table = tables[line * shape[1] + p]
            row = frequencies[table]
            magnitude = np.int64(0)
            if abs(value) > 0.5:
                magnitude = _quantised(abs(value), bits[table], offsets[table], worth)
            class_, plain = _class_of(min(magnitude, _LAST))
            low, size, position = _narrow(
                low, size, position, data, row[class_], row[class_ + 1] - row[class_], 16
            )
            values[y, x] = 0.0
            if magnitude:
                rest = 2 * (min(magnitude, _LAST) & ((1 << plain) - 1)) + (value < 0)
                low, size, position = _narrow(low, size, position, data, rest, 1, plain + 1)
                if magnitude >= _LAST:
                    for number in (
                        (magnitude - _LAST) >> _EXCESS,
                        (magnitude - _LAST) & ((1 << _EXCESS) - 1),
                    ):
                        low, size, position = _narrow(low, size, position, data, number, 1, _EXCESS)
                expected = magnitude - offsets[table, min(magnitude, SHAPED) - 1]
                values[y, x] = -expected if value < 0 else expected
                capped = np.int32(min(magnitude, _CAP))
                magnitudes[y, x], plane[line + 1, p + 1] = capped, capped
                total += _logarithm(capped)
    state[_LOW], state[_RANGE], state[_POSITION] = low, size, position
    return total


@helper
def _decode_pass(values, magnitudes, plane, tables, turn, shape, model, state, data):
    """Decode the places of a pass; return their logarithms' sum. Damage ends it with a mark in the state."""
    frequencies, offsets = model[0], model[1]
    code, size, position = state[_LOW], state[_RANGE], state[_POSITION]
    total = 0
    for line in range(shape[0]):
        y = 2 * line + turn[0]
        for p in range(shape[1]):
            x = 2 * p + turn[1]
            table = tables[line * shape[1] + p]
            row = frequencies[table]
            part = size >> 16
            class_ = 0
            while class_ < 64 and part * row[class_ + 1] <= code:
                class_ += 1
            if class_ == 64:
                state[_BROKEN] = 1
                return total
            first = row[class_]
            code, size, position = _refill(
                code - part * first, part * (row[class_ + 1] - first), position, data
            )
            if class_ == 0:
                continue
            plain = max(class_ // 4 - 1, 0)
            rest, code, size, position = _plain(code, size, position, data, plain + 1)
            magnitude = (class_ - 4 * plain << plain) + (rest >> 1)
            if magnitude == _LAST:
                for _ in range(2):
                    excess, code, size, position = _plain(code, size, position, data, _EXCESS)
                    magnitude = magnitude + (excess << (0 if _ else _EXCESS))
            if rest >> (plain + 1) or magnitude > _MOST or position > data.size:
                state[_BROKEN] = 1
                return total
            expected = magnitude - offsets[table, min(magnitude, SHAPED) - 1]
            values[y, x] = -expected if rest & 1 else expected
            capped = np.int32(min(magnitude, _CAP))
            magnitudes[y, x], plane[line + 1, p + 1] = capped, capped
            total += _logarithm(capped)
        if position > data.size:
            state[_BROKEN] = 1
            return total
    state[_LOW], state[_RANGE], state[_POSITION] = code, size, position
    return total


@helper
def _given_pass(values, magnitudes, plane, turn, shape):
    """Take the magnitudes of a pass as they are; return their logarithms' sum."""
    total = 0
    for line in range(shape[0]):
        for p in range(shape[1]):
            y, x = 2 * line + turn[0], 2 * p + turn[1]
            capped = np.int32(min(values[y, x], _CAP))
            magnitudes[y, x], plane[line + 1, p + 1] = capped, capped
            total += _logarithm(capped)
    return total


@helper
def _shared_features(bands, number, turn_number, component, means, energy, shared):
    """Write what all places of a pass share."""
    level, orientation = bands[number, _LEVEL], bands[number, _ORIENTATION]
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


@kernel("float64(float64[:, ::1], float64, float64, float64, float64, int64[::1])")
def survey(values, step, rounding, worth, lone, total):
    """Divide coefficients by the quantiser's step, in place; return what coding them gains, in bits, about.

    Parameters
    ----------
    values
        Coefficients, shape (lines, samples).
    step
        In their unit.
    rounding, worth, lone
        See `bandpress.contexts.quantisation`.
    total
        Where the sum of magnitudes is added, shape (1,).
    """
    gain = 0.0
    for y in range(values.shape[0]):
        for x in range(values.shape[1]):
            value = values[y, x] / step
            values[y, x] = value
            magnitude = np.int64(min(abs(value) + rounding, float(_MOST)))
            if magnitude:
                total[0] += magnitude
                gain += worth * (value**2 - (abs(value) - magnitude) ** 2) - lone
    return gain


@kernel(_SIGNATURE)
def code(
    mode,
    component,
    energy,
    values,
    maps,
    traces,
    bands,
    totals,
    planes,
    weights,
    common,
    biases,
    scales,
    most,
    frequencies,
    offsets,
    bits,
    worth,
    work,
    lines,
    tables,
    magnitudes,
    sums,
    state,
    data,
    listed,
):
    """Code the coefficients of one component.

    Parameters
    ----------
    mode
        `ENCODE`, `DECODE` or `LIST`.
    component
        Its number.
    energy
        Of the component, and of the one before.
    values
        Coefficients in quantiser steps, shape (lines, samples): those to encode, replaced by what they decode to; where
        to decode to, zeros at first; or magnitudes to list.
    maps, traces, totals
        Known of components before: `Memory`.
    bands
        See `bandpress.contexts.features.bands_of`.
    weights, common, biases, scales, most, frequencies, offsets, bits
        The model: `bandpress.contexts.model.ContextModel.compiled`.
    worth
        Bits that a squared error of one squared step is worth.
    planes, work, lines, tables, magnitudes, sums
        To work in: `Memory`.
    state, data
        Of the range coder.
    listed
        Where places and features are listed, int32, shape (coefficients, 2 + 41).
    """
    slots = (component % 3, (component + 2) % 3, (component + 1) % 3)
    own = maps[slots[0]]
    shared, means = np.zeros(22, np.int64), np.zeros(3, np.int64)
    layers = biases.copy()
    places = np.zeros(BLOCK, np.int64)
    known = (planes, maps, traces, slots)
    network = (weights, layers, scales, most)
    model = (frequencies, offsets, bits, worth)
    start = 0
    for number in range(len(bands)):
        band = bands[number]
        height, width = band[_Y_END] - band[_Y], band[_X_END] - band[_X]
        totals[slots[0], number] = 0
        if height < 1 or width < 1:
            continue
        planes[:, : height // 2 + 3, : width // 2 + 3] = 0
        inside = values[band[_Y] : band[_Y_END], band[_X] : band[_X_END]]
        kept = magnitudes[band[_Y] : band[_Y_END], band[_X] : band[_X_END]]
        kept[:, :] = 0
        means[1] = 0
        if band[_ORIENTATION]:
            above = 0 if number <= 3 else number - 3
            size = (bands[above, _Y_END] - bands[above, _Y]) * (bands[above, _X_END] - bands[above, _X])
            means[1] = 2 * totals[slots[0], above] // max(size, 1)
        means[2] = 2 * totals[slots[1], number] // (height * width)
        so_far = np.int64(0)
        for turn_number in range(4):
            turn = (turn_number & 1, np.int64(turn_number == 1 or turn_number == 2))
            shape = ((height - turn[0] + 1) // 2, (width - turn[1] + 1) // 2)
            if shape[0] < 1 or shape[1] < 1:
                continue
            means[0] = 2 * so_far // (height * width)
            _shared_features(bands, number, turn_number, component, means, energy, shared)
            plane = planes[2 * turn[0] + turn[1]]
            for unit in range(layers.shape[1]):
                layers[0, unit] = biases[0, unit]
                for n in range(len(shared)):
                    layers[0, unit] += common[n, unit] * np.float32(shared[n])
            rows = listed[start:]
            _choose_tables(known, bands, number, turn, shape, network, work, lines, places, tables, rows)
            if mode == ENCODE:
                so_far += _encode_pass(inside, kept, plane, tables, turn, shape, model, state, data)
            elif mode == DECODE:
                so_far += _decode_pass(inside, kept, plane, tables, turn, shape, model, state, data)
                if state[_BROKEN]:
                    return
            else:
                for row in range(shape[0] * shape[1]):
                    for n in range(len(shared)):
                        rows[row, 2 + _LOCAL + n] = shared[n]
                start += shape[0] * shape[1]
                so_far += _given_pass(inside, kept, plane, turn, shape)
        totals[slots[0], number] = _finish_band(magnitudes, own, bands, number, sums)
