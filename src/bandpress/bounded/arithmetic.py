"""An arithmetic coder for bits (Witten, Neal & Cleary 1987, in the carryless form of Mahoney's lpaq), compiled.

Each function codes, or decodes if `decoding`, with the state and the bytes of `bandpress.bounded.model`.
"""

import numpy as np

from bandpress.bounded.model import AT, HIGH, LOW, WINDOW
from bandpress.compiled import helper, kernel

_ALL = 0xFFFFFFFF
_TOP = 0xFF000000
_HALF = 1 << 15


@helper
def code_bit(decoding, bit, probability, state, data):
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


@helper
def code_bits(decoding, value, width, state, data):
    """Code a number of `width` equally likely bits, or decode one and return it."""
    out = 0
    for place in range(width - 1, -1, -1):
        out = out << 1 | code_bit(decoding, value >> place & 1, _HALF, state, data)
    return out


@helper
def code_exp_golomb(decoding, value, most, state, data):
    """Code a number from 0 on with an exponential Golomb code, or decode one; no more than `most` bits are read."""
    value += 1
    width = 0
    while width < most and code_bit(decoding, 1 if value >> (width + 1) else 0, _HALF, state, data):
        width += 1
    return (1 << width | code_bits(decoding, value & ((1 << width) - 1), width, state, data)) - 1


@kernel("int64(boolean, int64, int64, int64[::1], uint8[::1])")
def code_number(decoding, value, width, state, data):
    """Code a number as `code_bits` does, from Python."""
    return code_bits(decoding, value, width, state, data)
