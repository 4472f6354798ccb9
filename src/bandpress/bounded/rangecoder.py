"""An adaptive binary arithmetic coder (Witten, Neal & Cleary 1987, in the carryless form of Mahoney's lpaq), compiled.

All integers: 32-bit bounds, 16-bit probabilities. One function codes and decodes, so that both sides cannot differ.
"""

import numpy as np
from numba import njit

#: Places of the coder's state: lower and upper bound, the decoder's window, the position in the bytes.
_LOW, _HIGH, _WINDOW, _AT = range(4)
_ALL = 0xFFFFFFFF
_TOP = 0xFF000000
#: Bits of a probability.
PROBABILITY_BITS = 16
_HALF = 1 << (PROBABILITY_BITS - 1)


def encoder() -> np.ndarray:
    """Return the state of a coder that has written nothing, int64, shape (4,)."""
    return np.array([0, _ALL, 0, 0], np.int64)


def decoder(data: np.ndarray) -> np.ndarray:
    """Return the state of a coder that is about to read `data`, uint8; past its end zeros are read."""
    first = np.zeros(4, np.int64)
    first[: min(4, len(data))] = data[:4]
    return np.array([0, _ALL, int(first @ [1 << 24, 1 << 16, 1 << 8, 1]), 4], np.int64)


def last_bytes(state: np.ndarray) -> bytes:
    """Return what an encoder has still to write: as few bytes as name a number within its bounds."""
    low, high = int(state[_LOW]), int(state[_HIGH])
    for count in range(1, 4):
        shift = 32 - 8 * count
        number = -(-low >> shift)
        if number << shift <= high:
            return number.to_bytes(count, "big")
    return high.to_bytes(4, "big")


@njit(cache=True, nogil=True, inline="always")
def code_bit(decoding, bit, probability, state, data):
    """Code a bit, or decode one and return it; `probability` is that of a one, in 1 / 65,536."""
    low, high = state[_LOW], state[_HIGH]
    size = high - low
    middle = low + (size >> 16) * probability + ((size & 0xFFFF) * probability >> 16)
    if decoding:
        bit = 1 if state[_WINDOW] <= middle else 0
    if bit:
        high = middle
    else:
        low = middle + 1
    while (low ^ high) & _TOP == 0:
        at = state[_AT]
        if decoding:
            new = np.int64(data[at]) if at < len(data) else 0
            state[_WINDOW] = (state[_WINDOW] << 8 & _ALL) | new
        else:
            data[at] = high >> 24
        state[_AT] = at + 1
        low = low << 8 & _ALL
        high = (high << 8 & _ALL) | 255
    state[_LOW], state[_HIGH] = low, high
    return bit


@njit(cache=True, nogil=True)
def code_number(decoding, value, width, state, data):
    """Code a number of `width` bits that are all as likely, or decode one and return it."""
    out = 0
    for place in range(width - 1, -1, -1):
        out = out << 1 | code_bit(decoding, value >> place & 1, _HALF, state, data)
    return out


@njit(cache=True, nogil=True)
def code_exp_golomb(decoding, value, most, state, data):
    """Code a number from 0 on with an exponential Golomb code, or decode one; no more than `most` bits are read."""
    value += 1
    width = 0
    while width < most and code_bit(decoding, 1 if value >> (width + 1) else 0, _HALF, state, data):
        width += 1
    return (1 << width | code_number(decoding, value & ((1 << width) - 1), width, state, data)) - 1
