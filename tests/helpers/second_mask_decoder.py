"""A decoder of masks written from docs/bitstream.md alone: the standard library."""

import struct
import zlib


def decode(data: bytes, bands: int, lines: int, samples: int) -> list[list[list[int]]]:
    """Return the bits of each band, line by line."""
    (count,) = struct.unpack_from("<H", data)
    lengths = struct.unpack_from(f"<{count}I", data, 2)
    place, shared = 2 + 4 * count, []
    while len(shared) < bands:
        run, number = struct.unpack_from("<HH", data, place)
        shared += [number] * run
        place += 4
    planes = [[[0] * samples for _ in range(lines)]]
    for length in lengths:
        planes.append(_plane(data[place : place + length], lines, samples, planes[1:2]))
        place += length
    assert place == len(data)
    return [planes[number] for number in shared]


def _plane(coded: bytes, lines: int, samples: int, first: list[list[list[int]]]) -> list[list[int]]:
    stored = zlib.decompress(coded[1:], wbits=-15)
    count = len(stored) // 8
    flat: list[int] = []
    bit = 0
    for i in range(count):
        flat += [bit] * sum(stored[byte * count + i] << 8 * byte for byte in range(8))
        bit ^= 1
    flat += [bit] * (lines * samples - len(flat))
    plane = [flat[line * samples : (line + 1) * samples] for line in range(lines)]
    if coded[0] & 1:
        for line in range(1, lines):
            plane[line] = [a ^ b for a, b in zip(plane[line], plane[line - 1], strict=True)]
    if coded[0] & 2 and first:
        plane = [[a ^ b for a, b in zip(*pair, strict=True)] for pair in zip(plane, first[0], strict=True)]
    return plane
