"""Bit input and output, most significant bit first, compiled; also backwards, for the hybrid decoder."""

from bandpress.compiled import helper


@helper
def put(data, at, value, width):
    """Write `width` bits at bit `at` of zeroed bytes; return where the next bit goes."""
    while width > 0:
        room = 8 - (at & 7)
        taken = min(room, width)
        width -= taken
        data[at >> 3] |= (value >> width & ((1 << taken) - 1)) << (room - taken)
        at += taken
    return at


@helper
def bit(data, at):
    """Return the bit at a position; ones lie beyond either end, so that every unary code ends."""
    if at < 0 or at >> 3 >= len(data):
        return 1
    return data[at >> 3] >> (7 - (at & 7)) & 1


@helper
def get(data, at, width):
    """Return the number in `width` bits at a position."""
    out = 0
    for i in range(width):
        out = out << 1 | bit(data, at + i)
    return out
