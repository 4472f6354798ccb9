"""The hybrid entropy coder, CCSDS 123.0-B-2 section 5.4.3.3, compiled. Decoding runs from the end."""

import math
from functools import cache

import numpy as np

from bandpress.ccsds123.bits import bit, put
from bandpress.ccsds123.lowentropy import LIMITS, THRESHOLDS, trees
from bandpress.ccsds123.parameters import Parameters
from bandpress.compiled import helper, kernel
from bandpress.errors import CodecError

_CODES = len(THRESHOLDS)
_LIST, _PAIRS = "int64[::1]", "int64[:, ::1]"
_TABLES = (
    f"Tuple(({_LIST}, {_LIST}, {_LIST}, {_PAIRS}, {_LIST}, {_LIST}, {_LIST}, {_LIST}, {_PAIRS}, {_PAIRS}))"
)


@cache
def _tables() -> tuple[np.ndarray, ...]:
    t = trees()
    return (
        THRESHOLDS,
        LIMITS,
        t.roots,
        t.children,
        t.parents,
        t.symbols,
        t.lengths,
        t.words,
        t.leaves,
        t.rests,
    )


def encode(indexes: np.ndarray, p: Parameters) -> bytes:
    """Code mapped quantiser indexes, band after band."""
    # The standard leaves the initial accumulators to the encoder: here four times the mean index of the band.
    means = indexes.reshape(len(indexes), -1).mean(axis=1)
    starts = np.minimum(np.rint(4 * means * (1 << p.initial_count)), (1 << (p.bits + p.initial_count)) - 1)
    data = np.zeros(indexes.size * (p.bits + p.unary_limit + 24) // 8 + 16 * len(indexes) + 64, np.uint8)
    constants = (p.bits, p.unary_limit, p.rescaling, p.initial_count)
    tables = _tables()
    last = np.zeros(len(indexes), np.int64)
    at = _encode(indexes, starts.astype(np.int64), data, *constants, tables, trees().roots.copy(), last)
    return data[: (at + 7) // 8].tobytes()


def check_size(data: bytes, shape: tuple[int, int, int], rescaling: int) -> None:
    """Reject data that are too short: at least one bit follows each rescaling of the counters (5.4.3.3.3).

    Raises
    ------
    CodecError
        If they are.
    """
    most = 8 * len(data) + shape[0] << rescaling
    if math.prod(shape) > most:
        raise CodecError(
            f"ccsds123: {len(data)} bytes for an image of {shape}; expected at most {most} samples in them"
        )


def decode(data: bytes, shape: tuple[int, int, int], p: Parameters) -> np.ndarray:
    """Decode the result of `encode` for indexes of a shape.

    Raises
    ------
    CodecError
        If the data have no end mark, or are too short for an image of that shape.
    """
    check_size(data, shape, p.rescaling)
    array = np.frombuffer(data, np.uint8)
    end = np.flatnonzero(array)
    if not len(end):
        raise CodecError("ccsds123: a coded image of nothing but zeros; expected a one at its end")
    byte = int(array[end[-1]])
    at = 8 * int(end[-1]) + 7 - ((byte & -byte).bit_length() - 1)
    indexes = np.zeros(shape, np.uint16)
    prefixes, last = np.zeros(_CODES, np.int64), np.zeros(len(indexes), np.int64)
    constants = (p.bits, p.unary_limit, p.rescaling, p.initial_count)
    _decode(indexes, array, at, *constants, _tables(), prefixes, last)
    return indexes


@helper
def _parameter(accumulator, counter, bits):
    """Return k of the high-entropy code, 5.4.3.3.4."""
    most = max(bits - 2, 2)
    level = accumulator + (49 * counter >> 5)
    k = 2
    while k < most and counter << (k + 3) <= level:
        k += 1
    return k


@helper
def _choose(accumulator, counter, thresholds):
    """Return the last low-entropy code whose threshold lies above the mean; -1 for high entropy."""
    code = -1
    while code < _CODES - 1 and accumulator << 14 < counter * thresholds[code + 1]:
        code += 1
    return code


@helper
def _put_reversed(data, at, value, k, bits, unary_limit):
    """Write a reversed length-limited Golomb code: low bits, a one, zeros."""
    zeros = value >> k
    if zeros < unary_limit:
        at = put(data, at, value & ((1 << k) - 1), k)
        at = put(data, at, 1, 1)
        return at + zeros
    return put(data, at, value, bits) + unary_limit


@kernel(
    "int64(uint16[:, :, ::1], int64[::1], uint8[::1],"
    f" int64, int64, int64, int64, {_TABLES}, int64[::1], int64[::1])"
)
def _encode(indexes, starts, data, bits, unary_limit, rescaling, initial_count, tables, prefixes, last):
    thresholds, limits, roots, children, _, _, lengths, words, _, _ = tables
    at = 0
    for band in range(len(indexes)):
        flat = indexes[band].reshape(-1)
        counter = 1 << initial_count
        accumulator = int(starts[band])
        at = put(data, at, np.int64(flat[0]), bits)
        for t in range(1, len(flat)):
            index = int(flat[t])
            if counter == (1 << rescaling) - 1:
                at = put(data, at, accumulator & 1, 1)
                accumulator = (accumulator + 4 * index + 1) >> 1
                counter = (counter + 1) >> 1
            else:
                accumulator += 4 * index
                counter += 1
            code = _choose(accumulator, counter, thresholds)
            if code < 0:
                at = _put_reversed(data, at, index, _parameter(accumulator, counter, bits), bits, unary_limit)
                continue
            symbol = min(index, limits[code] + 1)
            if symbol > limits[code]:
                at = _put_reversed(data, at, index - symbol, 0, bits, unary_limit)
            node = children[prefixes[code], symbol]
            if children[node, 0] < 0:
                at = put(data, at, words[node], lengths[node])
                node = roots[code]
            prefixes[code] = node
        last[band] = accumulator
    for code in range(_CODES):
        at = put(data, at, words[prefixes[code]], lengths[prefixes[code]])
    for band in range(len(indexes)):
        at = put(data, at, last[band], 2 + bits + rescaling)
    return put(data, at, 1, 1)


@helper
def _get_back(data, at, width):
    """Return the number whose last bit is before a position."""
    out = 0
    for i in range(width):
        out |= bit(data, at - 1 - i) << i
    return out


@helper
def _get_reversed(data, at, k, bits, unary_limit):
    """Read a reversed Golomb code that ends before a position; return its value and start."""
    zeros = 0
    while zeros < unary_limit and bit(data, at - 1) == 0:
        zeros += 1
        at -= 1
    if zeros < unary_limit:
        at -= 1
        return zeros << k | _get_back(data, at, k), at - k
    return _get_back(data, at, bits), at - bits


@helper
def _get_word(data, at, state, states):
    """Read the word that ends before a position; return its node and start."""
    while True:
        state = states[state, bit(data, at - 1)]
        at -= 1
        if state < 0:
            return -1 - state, at


@kernel(
    "void(uint16[:, :, ::1], Array(uint8, 1, 'C', readonly=True),"
    f" int64, int64, int64, int64, int64, {_TABLES}, int64[::1], int64[::1])"
)
def _decode(indexes, data, at, bits, unary_limit, rescaling, initial_count, tables, prefixes, last):
    thresholds, limits, roots, _, parents, symbols, _, _, leaves, rests = tables
    bands = len(indexes)
    for band in range(bands - 1, -1, -1):
        last[band] = _get_back(data, at, 2 + bits + rescaling)
        at -= 2 + bits + rescaling
    for code in range(_CODES - 1, -1, -1):
        prefixes[code], at = _get_word(data, at, code, rests)
    size = indexes[0].size
    # The counter is halved in a cycle: counts before the first and before later halvings.
    most = (1 << rescaling) - 1
    for band in range(bands - 1, -1, -1):
        flat = indexes[band].reshape(-1)
        first = most - (1 << initial_count)
        for t in range(size - 1, 0, -1):
            # The counter follows from the number of samples since it was last halved.
            if t <= first:
                counter = (1 << initial_count) + t
                halved = False
            else:
                since = (t - first - 1) % ((most + 1) // 2)
                counter = ((most + 1) >> 1) + since
                halved = since == 0
            accumulator = last[band]
            code = _choose(accumulator, counter, thresholds)
            if code < 0:
                index, at = _get_reversed(data, at, _parameter(accumulator, counter, bits), bits, unary_limit)
            else:
                node = prefixes[code]
                if node == roots[code]:
                    node, at = _get_word(data, at, code, leaves)
                index = symbols[node]
                prefixes[code] = parents[node]
                if index > limits[code]:
                    more, at = _get_reversed(data, at, 0, bits, unary_limit)
                    index += more
            flat[t] = index
            if halved:
                odd = bit(data, at - 1)
                at -= 1
                accumulator = 2 * accumulator - odd
            last[band] = max(accumulator - 4 * index, 0)
        flat[0] = _get_back(data, at, bits)
        at -= bits
