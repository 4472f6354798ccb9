# mypy: disable-error-code="assignment,operator,arg-type"
"""Range coder, compiled; specified in docs/bitstream.md."""

import numpy as np

from bandpress.compiled import helper, kernel

#: Indexes of the state: lower end (encoder) or code (decoder), size of the interval, position in the data, damage.
LOW, RANGE, POSITION, BROKEN = range(4)
_TOP, _REFILL = 48, 32  # bits of the interval, and the number below which it takes 16 more


@helper
def _put(low, position, data):
    """Write the 16 highest bits of `low`; propagate a carry into bytes already written."""
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
def narrow(low, size, position, data, first, number, bits):
    """Encode the interval of `number` out of 2^bits, starting at `first`."""
    part = size >> bits
    low, size = low + part * first, part * number
    if size >> _REFILL == 0:
        low, position = _put(low, position, data)
        size <<= 16
    return low, size, position


@helper
def refill(code, size, position, data):
    """Read 16 more bits if the interval is small; a position beyond the data shows that they were missing."""
    if size >> _REFILL == 0:
        bits = 0
        if position + 2 <= data.size:
            bits = np.int64(data[position]) << 8 | np.int64(data[position + 1])
        code, size, position = code << 16 | bits, size << 16, position + 2
    return code, size, position


@helper
def take_plain(code, size, position, data, bits):
    """Decode a number of plain bits; a number that is too large marks damage."""
    part = size >> bits
    value = code // part
    code, size, position = refill(code - value * part, part, position, data)
    return value, code, size, position


@kernel("int64(int64[::1], uint8[::1])")
def finish(state, data):
    """End a string in one byte or two; return its length."""
    low, position = state[LOW], state[POSITION]
    for bits in (40, 32):
        value = (low + (1 << bits) - 1) >> bits << bits
        if value < low + state[RANGE] or bits == 32:
            _put(value, position, data)
            return position + (1 if bits == 40 else 2)
    return position
