# mypy: disable-error-code="assignment,operator,arg-type"
"""Compiled coding of a component's coefficients: quantise and encode, decode, or list features.

A decoder uses integers and one subtraction of doubles per coefficient.
"""

import numpy as np

from bandpress.compiled import helper, kernel
from bandpress.contexts.kernels.constants import (
    EXCESS_BITS,
    LAST,
    MOST,
    ROWS_A_PASS,
    SHAPED,
    SINGLE,
    WHOLE,
)
from bandpress.contexts.kernels.features import (
    CAP,
    LEVEL,
    LOCAL,
    ORIENTATION,
    X_END,
    Y_END,
    X,
    Y,
    finish_band,
    logarithm,
    shared_features,
)
from bandpress.contexts.kernels.network import choose_tables
from bandpress.contexts.kernels.rangecoder import BROKEN, LOW, POSITION, RANGE, narrow, refill, take_plain
from bandpress.contexts.kernels.signs import column_of, frequency_against, learn

#: Modes: quantise and encode, decode, or list features.
ENCODE, DECODE, LIST = 0, 1, 2
_SIGNATURE = (
    "void(int64, int64, int64[::1], float64[:, ::1], int16[:, :, :, ::1], int16[:, :, ::1], int64[:, ::1],"
    "int64[:, ::1], int32[:, :, ::1], float32[:, :, ::1], float32[:, ::1], float32[:, ::1], float32[::1], float32[::1],"
    "int64[:, ::1], float64[:, ::1], float64[:, ::1], float64, float32[:, :, ::1], int16[:, ::1], uint8[::1],"
    "int32[:, ::1], int32[:, ::1], int64[::1], int64[::1], int64[::1], float32[:, ::1],"
    "int64[:, :, ::1], int64[::1], uint8[::1], int32[:, ::1])"
)


@helper
def class_and_bits(magnitude):
    """Return the class of a magnitude up to `LAST`, and the class's plain bits; see `bandpress.contexts.classes`."""
    if magnitude < SINGLE:
        return magnitude, 0
    # The exponent of a float32 tells the octave; the octave of SINGLE has one plain bit.
    bits = (np.float32(magnitude).view(np.int32) >> 23) - 129
    return 4 * bits + (magnitude >> bits), bits


@helper
def _quantised(exact, bits, offsets, worth):
    """Return the magnitude with the least cost in bits and squared error."""
    nearest = np.int64(min(exact + 0.5, float(MOST)))
    best, least = nearest, np.inf
    for candidate in (nearest, nearest - 1, 0):
        if candidate >= 0:
            expected = candidate - offsets[min(candidate, SHAPED) - 1] if candidate else 0.0
            class_, _ = class_and_bits(min(candidate, LAST))
            cost = bits[class_] + worth * (exact - expected) ** 2
            if cost < least:
                best, least = candidate, cost
    return best


@helper
def _encode_pass(values, magnitudes, plane, tables, turn, shape, model, signs, row_of_signs, state, data):
    """Quantise and encode the places of a pass; set `values` to decoded values; return their logarithms' sum."""
    frequencies, offsets, bits, worth = model
    low, size, position = state[LOW], state[RANGE], state[POSITION]
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
            class_, plain = class_and_bits(min(magnitude, LAST))
            low, size, position = narrow(
                low, size, position, data, row[class_], row[class_ + 1] - row[class_], 16
            )
            values[y, x] = 0.0
            if magnitude:
                column = column_of(values, y, x, turn)
                against, number = (value < 0) == (column >= 0), frequency_against(signs, row_of_signs, column)
                first = 0
                if not against:
                    first, number = number, WHOLE - number
                low, size, position = narrow(low, size, position, data, first, number, 16)
                learn(signs, row_of_signs, column, against)
                if plain:
                    rest = min(magnitude, LAST) & ((1 << plain) - 1)
                    low, size, position = narrow(low, size, position, data, rest, 1, plain)
                if magnitude >= LAST:
                    for number in (
                        (magnitude - LAST) >> EXCESS_BITS,
                        (magnitude - LAST) & ((1 << EXCESS_BITS) - 1),
                    ):
                        low, size, position = narrow(low, size, position, data, number, 1, EXCESS_BITS)
                expected = magnitude - offsets[table, min(magnitude, SHAPED) - 1]
                values[y, x] = -expected if value < 0 else expected
                capped = np.int32(min(magnitude, CAP))
                magnitudes[y, x], plane[line + 1, p + 1] = capped, capped
                total += logarithm(capped)
    state[LOW], state[RANGE], state[POSITION] = low, size, position
    return total


@helper
def _decode_pass(values, magnitudes, plane, tables, turn, shape, model, signs, row_of_signs, state, data):
    """Decode the places of a pass; return their logarithms' sum. On damage, stop and mark the state."""
    frequencies, offsets = model[0], model[1]
    code, size, position = state[LOW], state[RANGE], state[POSITION]
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
                state[BROKEN] = 1
                return total
            first = row[class_]
            code, size, position = refill(
                code - part * first, part * (row[class_ + 1] - first), position, data
            )
            if class_ == 0:
                continue
            part = size >> 16
            column = column_of(values, y, x, turn)
            bound = part * frequency_against(signs, row_of_signs, column)
            against = code < bound
            beyond = code >= part * WHOLE
            learn(signs, row_of_signs, column, against)
            if against:
                code, size, position = refill(code, bound, position, data)
            else:
                code, size, position = refill(code - bound, part * WHOLE - bound, position, data)
            plain = max(class_ // 4 - 1, 0)
            magnitude = class_ - 4 * plain << plain
            if plain:
                rest, code, size, position = take_plain(code, size, position, data, plain)
                magnitude += rest
                beyond |= rest >> plain
            if magnitude == LAST:
                for _ in range(2):
                    excess, code, size, position = take_plain(code, size, position, data, EXCESS_BITS)
                    magnitude = magnitude + (excess << (0 if _ else EXCESS_BITS))
            if beyond or magnitude > MOST or position > data.size:
                state[BROKEN] = 1
                return total
            expected = magnitude - offsets[table, min(magnitude, SHAPED) - 1]
            values[y, x] = -expected if against == (column >= 0) else expected
            capped = np.int32(min(magnitude, CAP))
            magnitudes[y, x], plane[line + 1, p + 1] = capped, capped
            total += logarithm(capped)
        if position > data.size:
            state[BROKEN] = 1
            return total
    state[LOW], state[RANGE], state[POSITION] = code, size, position
    return total


@helper
def _given_pass(values, magnitudes, plane, turn, shape):
    """Enter given magnitudes for a pass; return their logarithms' sum."""
    total = 0
    for line in range(shape[0]):
        for p in range(shape[1]):
            y, x = 2 * line + turn[0], 2 * p + turn[1]
            capped = np.int32(min(values[y, x], CAP))
            magnitudes[y, x], plane[line + 1, p + 1] = capped, capped
            total += logarithm(capped)
    return total


@kernel("float64(float64[:, ::1], float64, float64, float64, float64, int64[::1])")
def survey(values, step, rounding, worth, lone, total):
    """Divide coefficients by the quantiser step, in place; return the approximate gain of coding them, in bits.

    Parameters
    ----------
    values
        Coefficients, shape (lines, samples).
    step
        Quantiser step, in the unit of the coefficients.
    rounding, worth, lone
        See `bandpress.contexts.quantisation`.
    total
        Output: the sum of magnitudes is added to it, shape (1,).
    """
    gain = 0.0
    for y in range(values.shape[0]):
        for x in range(values.shape[1]):
            value = values[y, x] / step
            values[y, x] = value
            magnitude = np.int64(min(abs(value) + rounding, float(MOST)))
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
    shared,
    means,
    places,
    layers,
    signs,
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
        Energy of the component and of the previous one.
    values
        Coefficients in quantiser steps, shape (lines, samples). Encoding replaces them by their decoded values;
        decoding writes to them, zeros at first; listing reads magnitudes.
    maps, traces, totals
        Data of earlier components, see `Memory`.
    bands
        See `bandpress.contexts.features.bands_of`.
    weights, common, biases, scales, most, frequencies, offsets, bits
        The model: `bandpress.contexts.model.ContextModel.compiled`.
    worth
        Bits that one squared step of squared error is worth.
    planes, work, lines, tables, magnitudes, sums, shared, means, places, layers
        Work space, see `Memory`; `layers` hold the biases at first.
    signs
        Probabilities of signs, see `bandpress.contexts.signs.state`; they adapt.
    state, data
        State and bytes of the range coder.
    listed
        Output of listing: places and features, int32, shape (coefficients, 2 + 41).
    """
    slots = (component % 3, (component + 2) % 3, (component + 1) % 3)
    own = maps[slots[0]]
    known = (planes, maps, traces, slots)
    network = (weights, layers, scales, most)
    model = (frequencies, offsets, bits, worth)
    start = 0
    for number in range(len(bands)):
        band = bands[number]
        height, width = band[Y_END] - band[Y], band[X_END] - band[X]
        totals[slots[0], number] = 0
        if height < 1 or width < 1:
            continue
        planes[:, : height // 2 + 3, : width // 2 + 3] = 0
        inside = values[band[Y] : band[Y_END], band[X] : band[X_END]]
        kept = magnitudes[band[Y] : band[Y_END], band[X] : band[X_END]]
        kept[:, :] = 0
        means[1] = 0
        if band[ORIENTATION]:
            above = 0 if number <= 3 else number - 3
            size = (bands[above, Y_END] - bands[above, Y]) * (bands[above, X_END] - bands[above, X])
            means[1] = 2 * totals[slots[0], above] // max(size, 1)
        means[2] = 2 * totals[slots[1], number] // (height * width)
        so_far = np.int64(0)
        for turn_number in range(4):
            turn = (turn_number & 1, np.int64(turn_number == 1 or turn_number == 2))
            shape = ((height - turn[0] + 1) // 2, (width - turn[1] + 1) // 2)
            row_of_signs = ROWS_A_PASS * min(turn_number, 2)
            if band[ORIENTATION]:
                row_of_signs += 3 * min(band[LEVEL], 4) + band[ORIENTATION] - 3
            if shape[0] < 1 or shape[1] < 1:
                continue
            means[0] = 2 * so_far // (height * width)
            shared_features(bands, number, turn_number, component, means, energy, shared)
            plane = planes[2 * turn[0] + turn[1]]
            for unit in range(layers.shape[1]):
                layers[0, unit] = biases[0, unit]
                for n in range(len(shared)):
                    layers[0, unit] += common[n, unit] * np.float32(shared[n])
            rows = listed[start:]
            choose_tables(known, bands, number, turn, shape, network, work, lines, places, tables, rows)
            if mode == ENCODE:
                so_far += _encode_pass(
                    inside, kept, plane, tables, turn, shape, model, signs, row_of_signs, state, data
                )
            elif mode == DECODE:
                so_far += _decode_pass(
                    inside, kept, plane, tables, turn, shape, model, signs, row_of_signs, state, data
                )
                if state[BROKEN]:
                    return
            else:
                for row in range(shape[0] * shape[1]):
                    for n in range(len(shared)):
                        rows[row, 2 + LOCAL + n] = shared[n]
                start += shape[0] * shape[1]
                so_far += _given_pass(inside, kept, plane, turn, shape)
        totals[slots[0], number] = finish_band(magnitudes, own, bands, number, sums)
