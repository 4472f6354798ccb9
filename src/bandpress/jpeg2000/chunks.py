"""The chunk of a cluster coded with JPEG 2000: side information, number and bits of the components, packets.

The chunk holds everything that a decoder needs besides the ``.bpk`` header, and repeats nothing of the header (see
`bandpress.jpeg2000.codestream`). `docs/codecs.md` has the layout.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bandpress.container.bits import BitReader, BitWriter
from bandpress.errors import CodecError
from bandpress.jpeg2000 import openjpeg
from bandpress.jpeg2000.codestream import Layout

_WIDTH_BITS = 5
#: Relative deviation of a rate from its target above which coding is repeated.
_TOLERANCE = 0.005
#: Packets that exceed their bytes by this factor are dropped, and the means alone are kept.
_TOO_LARGE = 1.5


@dataclass
class Components:
    """A cluster, ready for JPEG 2000.

    Parameters
    ----------
    samples
        int32, shape (components, lines, samples), around zero.
    side
        Side information for the inverse transform, bit by bit.
    """

    samples: np.ndarray
    side: BitWriter
    bits: list[int] = field(init=False)

    def __post_init__(self) -> None:
        #: Bits of each component, sign included.
        self.bits = [max(int(c.max()), -int(c.min()) - 1, 1).bit_length() + 1 for c in self.samples]

    @property
    def side_bytes(self) -> int:
        """Bytes before the packets if all components are coded."""
        count = len(self.bits)
        return -(-(len(self.side) + _count_bits(count) + _WIDTH_BITS * count) // 8)


def code(
    parts: Sequence[Components], layout: Layout, target: float | None, threads: int, tries: int = 1
) -> list[bytes]:
    """Code clusters together as components of one codestream; return one chunk per cluster.

    Parameters
    ----------
    parts
        The clusters.
    layout
        Layout of the codestream; reversible if and only if `target` is None.
    target
        Total bytes of all chunks, side information included, which OpenJPEG allocates over components, subbands and
        code-blocks; None for lossless.
    threads
        Threads of OpenJPEG.
    tries
        Most attempts while the bytes are more than 0.5 % off. If the target is far below the steepest coding passes,
        the chunks hold side information and no component.
    """
    if target is None:
        return _chunks(parts, _packets(parts, layout, None, threads), layout)
    room = target - sum(part.side_bytes for part in parts)
    best: list[bytes] = []
    request = room
    for _ in range(tries):
        packets = _packets(parts, layout, max(request, 1), threads)
        chunks = _chunks(parts, packets, layout)
        size = _size(chunks)
        if not best or abs(size - target) < abs(_size(best) - target):
            best = chunks
        if abs(size - target) <= _TOLERANCE * target:
            break
        request += target - size
    if _size(best) - target > (_TOO_LARGE - 1) * max(room, 1):
        return _chunks(parts, [b""] * sum(len(part.bits) for part in parts), layout)
    return best


def read_components(reader: BitReader, chunk: bytes, bands: int, layout: Layout, threads: int) -> np.ndarray:
    """Decode the components of a chunk.

    Parameters
    ----------
    reader
        Reader of the same chunk, positioned after the side information.
    chunk
        The chunk.
    bands
        Bands of the cluster.
    layout, threads
        As for `code`.

    Returns
    -------
    numpy.ndarray
        int32, shape (bands, lines, samples); components that were not coded are zero.

    Raises
    ------
    CodecError
        If the chunk does not fit the cluster.
    """
    count = reader.number(_count_bits(bands))
    if count > bands:
        raise CodecError(f"a chunk states {count} components; expected at most {bands}")
    bits = [reader.number(_WIDTH_BITS) for _ in range(count)]
    if not all(2 <= width <= openjpeg.MOST_BITS for width in bits):
        raise CodecError(f"a chunk states components of {bits} bits; expected 2 to {openjpeg.MOST_BITS}")
    shape = (bands, layout.lines, layout.samples)
    if not count:
        return np.zeros(shape, np.int32)
    decoded = openjpeg.decode(layout.join(bits, chunk[reader.bytes_read :]), threads=threads)
    if decoded.shape != (count, *shape[1:]):
        raise CodecError(
            f"a codestream holds a cube of shape {decoded.shape}; expected {(count, *shape[1:])}"
        )
    if count == bands:
        return decoded
    return np.concatenate([decoded, np.zeros((bands - count, *shape[1:]), np.int32)])


def _packets(parts: Sequence[Components], layout: Layout, room: float | None, threads: int) -> list[bytes]:
    bits = [width for part in parts for width in part.bits]
    codestream = openjpeg.encode(
        [component for part in parts for component in part.samples],
        bits,
        levels=layout.levels,
        size=None if room is None else int(room) + layout.overhead(bits),
        threads=threads,
    )
    return layout.split(bits, codestream)


def _chunks(parts: Sequence[Components], packets: list[bytes], layout: Layout) -> list[bytes]:
    chunks, first = [], 0
    for part in parts:
        stop = first + len(part.bits)
        chunks.append(_chunk(part, packets[first:stop], layout))
        first = stop
    return chunks


def _chunk(part: Components, packets: list[bytes], layout: Layout) -> bytes:
    """Return a chunk, without the empty components at its end."""
    count = len(packets)
    while count and layout.is_empty(packets[count - 1]):
        count -= 1
    head = part.side.copy()
    head.number(count, _count_bits(len(packets)))
    for width in part.bits[:count]:
        head.number(width, _WIDTH_BITS)
    return head.to_bytes() + b"".join(packets[:count])


def _size(chunks: Sequence[bytes]) -> int:
    return sum(map(len, chunks))


def _count_bits(most: int) -> int:
    return most.bit_length()
