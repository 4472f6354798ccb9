"""Bit masks over the samples of each band: planes that bands can share, as compressed runs.

A packed mask (integers little-endian; `docs/bitstream.md`)::

    u16      number of planes
    u32      bytes of each plane
    u16 u16  number of bands, number of their plane (0: no bit is set); repeated until all bands are covered
    planes   one after the other

A plane is a byte and a deflate stream (RFC 1951) of runs: u64 numbers, the lowest bytes of all of them first, then the
next. Runs of zeros and of ones alternate, zeros first, line by line; after the last run, the other bit fills the plane.
An encoder may first combine a plane by exclusive or with the first plane (bit 1 of the byte), and then each line with
the one above it (bit 0).
"""

import hashlib
import itertools
import struct
import zlib
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np

from bandpress.errors import BitstreamError

_COUNT, _LENGTH, _RUN = struct.Struct("<H"), struct.Struct("<I"), struct.Struct("<HH")
_ABOVE, _FIRST = 1, 2
_BYTES = 8


class BitMask:
    """Bit mask with one bit per sample of a cube.

    Parameters
    ----------
    planes
        Coded planes.
    numbers
        Number of each band's plane, counted from 1; 0 for a band without set bits.
    shape
        Lines, samples.
    """

    def __init__(self, planes: Sequence[bytes], numbers: Sequence[int], shape: tuple[int, int]):
        self._planes, self._numbers, self._shape = tuple(planes), tuple(numbers), shape
        self._decoded = lru_cache(maxsize=2)(self._decode)

    @classmethod
    def of(cls, planes: Iterable[np.ndarray | None], shape: tuple[int, int]) -> "BitMask":
        """Make a mask from the planes of all bands, see `BitMaskBuilder`."""
        builder = BitMaskBuilder(shape)
        for plane in planes:
            builder.add(plane)
        return builder.mask()

    def plane(self, band: int) -> np.ndarray | None:
        """Return the bits of a band, bool, shape (lines, samples), read-only; None if none is set.

        Raises
        ------
        BitstreamError
            If the plane is damaged.
        """
        number = self._numbers[band]
        return self._decoded(number) if number else None

    @property
    def samples(self) -> int:
        """Number of set bits."""
        sizes = [0, *(int(self._decoded(number + 1).sum()) for number in range(len(self._planes)))]
        return sum(sizes[number] for number in self._numbers)

    def pack(self) -> bytes:
        """Return the mask as bytes."""
        head = _COUNT.pack(len(self._planes)) + b"".join(_LENGTH.pack(len(plane)) for plane in self._planes)
        bands = b"".join(
            _RUN.pack(len(list(run)), number) for number, run in itertools.groupby(self._numbers)
        )
        return head + bands + b"".join(self._planes)

    @classmethod
    def unpack(cls, data: bytes, bands: int, shape: tuple[int, int]) -> "BitMask":
        """Read a packed mask for a number of bands of shape (lines, samples).

        Raises
        ------
        BitstreamError
            If it is damaged.
        """
        try:
            (count,) = _COUNT.unpack_from(data)
            at = _COUNT.size
            lengths = [_LENGTH.unpack_from(data, at + _LENGTH.size * i)[0] for i in range(count)]
            at += _LENGTH.size * count
            numbers: list[int] = []
            while len(numbers) < bands:
                run, number = _RUN.unpack_from(data, at)
                at += _RUN.size
                if not run or len(numbers) + run > bands or number > count:
                    raise ValueError(f"plane {number} of {run} bands")
                numbers += [number] * run
            if at + sum(lengths) != len(data):
                raise ValueError(f"planes of {sum(lengths)} bytes")
        except (struct.error, ValueError) as error:
            raise BitstreamError(
                f"{len(data)} bytes of a mask are not valid ({error}); expected {bands} bands"
            ) from None
        ends = np.cumsum([at, *lengths]).tolist()
        return cls([data[a:b] for a, b in itertools.pairwise(ends)], numbers, shape)

    def _decode(self, number: int) -> np.ndarray:
        coded = self._planes[number - 1]
        count = int(np.prod(self._shape, dtype=np.int64))
        try:
            inflate = zlib.decompressobj(wbits=-15)
            runs = inflate.decompress(coded[1:], _BYTES * (count + 1))
            if not coded or not inflate.eof or inflate.unused_data or len(runs) % _BYTES:
                raise ValueError("its length")
            toggles = np.frombuffer(runs, np.uint8).reshape(_BYTES, -1).T.copy().view("<u8")[:, 0]
            places = np.cumsum(toggles, dtype=np.uint64)
            if (
                not (toggles[1:] > 0).all()
                or (places >= count).any()
                or (np.diff(places.astype(np.int64)) <= 0).any()
            ):
                raise ValueError("its runs")
        except (ValueError, zlib.error) as error:
            raise BitstreamError(
                f"a plane of {len(coded)} bytes in a mask is not valid ({error}); expected runs of bits"
            ) from None
        bits = np.zeros(count, bool)
        bits[places.astype(np.int64)] = True
        plane = np.logical_xor.accumulate(bits).reshape(self._shape)
        if coded[0] & _ABOVE:
            plane = np.logical_xor.accumulate(plane, axis=0)
        if coded[0] & _FIRST and number > 1:
            plane = plane ^ self._decoded(1)
        return plane


class BitMaskBuilder:
    """Builder of a mask, band by band.

    Parameters
    ----------
    shape
        Lines, samples.
    """

    def __init__(self, shape: tuple[int, int]):
        self._shape = shape
        self._coded: list[bytes] = []
        self._numbers: list[int] = []
        self._known: dict[bytes, int] = {}
        self._first = np.zeros(shape, bool)

    def add(self, plane: np.ndarray | None) -> None:
        """Add the plane of the next band, bool, shape (lines, samples); None if no bit is set."""
        if plane is None or not plane.any():
            self._numbers.append(0)
            return
        key = hashlib.blake2b(np.packbits(plane).tobytes()).digest()
        if key not in self._known:
            self._coded.append(_coded(plane, self._first))
            self._known[key] = len(self._coded)
            if len(self._coded) == 1:
                self._first = plane
        self._numbers.append(self._known[key])

    def mask(self) -> BitMask:
        """Return the mask of all added planes."""
        return BitMask(self._coded, self._numbers, self._shape)


def _coded(plane: np.ndarray, first: np.ndarray) -> bytes:
    """Return a plane in its shortest form."""
    found = []
    for mode in range(4 if first.any() else 2):
        bits = plane ^ first if mode & _FIRST else plane
        if mode & _ABOVE:
            bits = np.concatenate([bits[:1], bits[1:] ^ bits[:-1]])
        places = np.flatnonzero(np.diff(bits.ravel(), prepend=False))
        runs = np.diff(places, prepend=0).astype("<u8").view(np.uint8).reshape(-1, _BYTES)
        deflate = zlib.compressobj(9, wbits=-15)
        found.append(bytes([mode]) + deflate.compress(runs.T.tobytes()) + deflate.flush())
    return min(found, key=len)
