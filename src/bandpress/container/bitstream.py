"""The ``.bpk`` container: one scene, one codec, one chunk per cluster, every byte under a checksum. Knows no codec.

Layout, version 1 (integers little-endian; `docs/bitstream.md` is the specification)::

    prefix   8 s  magic 89 42 50 4B 0D 0A 1A 0A
             u16  version, 1
             u16  flags, 1 if there is a no-data mask, else 0
             u32  bytes of the header as stored
             u32  number of clusters
    header        zlib stream of canonical JSON (see `Header`)
    index         per cluster: u32 bytes of the chunk, u32 CRC-32C of the chunk
    check    u32  CRC-32C of prefix, header and index
    mask          no-data mask, if there is one (see `bandpress.nodata.mask`)
    chunks        one per cluster, in order of bands
    digest   32 s SHA-256 of everything before it
"""

import hashlib
import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import crc32c
import numpy as np

from bandpress.clusters import Cluster
from bandpress.container.header import MOST_BANDS, MOST_HEADER_BYTES, Header
from bandpress.errors import BitstreamError
from bandpress.files import atomic_path
from bandpress.nodata.mask import NoDataMask

MAGIC = b"\x89BPK\r\n\x1a\n"
VERSION = 1
SUFFIX = ".bpk"

_PREFIX = struct.Struct("<8sHHII")
_ENTRY = struct.Struct("<II")
_CHECK = struct.Struct("<I")
_DIGEST_BYTES = 32
_MASKED = 1  # the only flag

__all__ = ["MAGIC", "SUFFIX", "VERSION", "Header", "Reader", "overhead", "write"]


def overhead(header: Header) -> int:
    """Return the size in bytes of a file with this header, without its chunks."""
    fixed = _PREFIX.size + _CHECK.size + _DIGEST_BYTES
    return fixed + len(header.pack()) + _ENTRY.size * len(header.clusters) + header.mask_bytes


def write(path: str | os.PathLike[str], header: Header, chunks: Iterable[bytes], mask: bytes = b"") -> int:
    """Write a ``.bpk`` file atomically.

    Parameters
    ----------
    path
        File to make or replace.
    header
        Description of the scene and of the codec.
    chunks
        One byte string per cluster, in the order of ``header.clusters``. Taken one at a time.
    mask
        Packed no-data mask, see `NoDataMask.pack`, if the header has ``holes``.

    Returns
    -------
    int
        Bytes of the file.

    Raises
    ------
    BitstreamError
        If the number of chunks differs from the number of clusters.
    """
    stored = header.pack()
    clusters = header.clusters
    index = bytearray()
    with atomic_path(path) as part, open(part, "w+b") as file:
        file.seek(_PREFIX.size + len(stored) + _ENTRY.size * len(clusters) + _CHECK.size)
        file.write(mask)
        for chunk in chunks:
            file.write(chunk)
            index += _ENTRY.pack(len(chunk), crc32c.crc32c(chunk))
        if len(index) != _ENTRY.size * len(clusters):
            raise BitstreamError(
                f"{path}: the codec gave {len(index) // _ENTRY.size} chunks; expected {len(clusters)}, one per cluster"
            )
        flags = 0 if header.holes is None else _MASKED
        head = _PREFIX.pack(MAGIC, VERSION, flags, len(stored), len(clusters)) + stored + bytes(index)
        file.seek(0)
        file.write(head + _CHECK.pack(crc32c.crc32c(head)))
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").digest()
        file.seek(0, os.SEEK_END)
        file.write(digest)
        size = file.tell()
        file.flush()
        os.fsync(file.fileno())
    return size


class Reader:
    """An open ``.bpk`` file, its header and index checked.

    Parameters
    ----------
    path
        File to read.
    salvage
        Accept a file that ends early; its missing chunks then count as damaged.

    Raises
    ------
    BitstreamError
        If the file is not a ``.bpk`` file of this version, its header or index is damaged, or (without `salvage`) its
        length does not match the index.

    Attributes
    ----------
    header : Header
    clusters : tuple of Cluster
    """

    def __init__(self, path: str | os.PathLike[str], *, salvage: bool = False):
        self.path = Path(path)
        self._file: BinaryIO = open(self.path, "rb")  # noqa: SIM115 - closed by close()
        try:
            self._read_head(salvage)
        except BaseException:
            self.close()
            raise

    def _read_head(self, salvage: bool) -> None:
        file, path = self._file, self.path
        size = os.fstat(file.fileno()).st_size
        prefix = file.read(_PREFIX.size)
        if len(prefix) < _PREFIX.size or prefix[: len(MAGIC)] != MAGIC:
            raise BitstreamError(
                f"{path}: the first bytes are {prefix[:8].hex(' ') or 'missing'}; "
                f"expected a .bpk file, which starts with {MAGIC.hex(' ')}"
            )
        _, version, flags, stored_bytes, count = _PREFIX.unpack(prefix)
        if version != VERSION or flags & ~_MASKED:
            raise BitstreamError(
                f"{path}: version {version}, flags {flags}; expected version {VERSION}, flags 0 or {_MASKED}"
            )
        rest = stored_bytes + _ENTRY.size * count + _CHECK.size
        if stored_bytes > MOST_HEADER_BYTES or count > MOST_BANDS or _PREFIX.size + rest > size:
            raise BitstreamError(
                f"{path}: a header of {stored_bytes} bytes and an index of {count} clusters are announced at byte 12; "
                f"expected at most the {size} bytes that the file has"
            )
        body = file.read(rest)
        head, check = prefix + body[: -_CHECK.size], body[-_CHECK.size :]
        if _CHECK.unpack(check)[0] != crc32c.crc32c(head):
            raise BitstreamError(
                f"{path}: header or index is damaged (bytes 0 to {len(head)}); expected CRC-32C {check.hex()}"
            )
        self.header = Header.unpack(head[_PREFIX.size : _PREFIX.size + stored_bytes], path)
        self.clusters = self.header.clusters
        if count != len(self.clusters):
            raise BitstreamError(
                f"{path}: the index has {count} clusters; expected {len(self.clusters)} from the geometry"
            )
        if (self.header.holes is not None) is not bool(flags & _MASKED):
            raise BitstreamError(
                f"{path}: flags {flags}; expected {_MASKED - flags} of a file with this header"
            )
        entries = list(_ENTRY.iter_unpack(head[_PREFIX.size + stored_bytes :]))
        self._lengths = [length for length, _ in entries]
        self._checks = [check for _, check in entries]
        self._mask_start = _PREFIX.size + rest
        offsets = np.cumsum([self._mask_start + self.header.mask_bytes, *self._lengths], dtype=np.int64)
        self._offsets, self._end = offsets[:-1].tolist(), int(offsets[-1])
        if not salvage and size != self._end + _DIGEST_BYTES:
            raise BitstreamError(f"{path}: {size} bytes; expected {self._end + _DIGEST_BYTES} from the index")

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def chunk_bytes(self) -> Sequence[int]:
        """Bytes of each cluster's chunk."""
        return tuple(self._lengths)

    def chunk(self, number: int) -> bytes:
        """Return the chunk of cluster `number`, counted from 0.

        Raises
        ------
        BitstreamError
            If the chunk is missing or its checksum is wrong.
        """
        offset, length = self._offsets[number], self._lengths[number]
        self._file.seek(offset)
        data = self._file.read(length)
        if len(data) != length or crc32c.crc32c(data) != self._checks[number]:
            raise BitstreamError(
                f"{self.path}: cluster {self.clusters[number]} is damaged (bytes {offset} to {offset + length}); "
                f"expected {length} bytes with CRC-32C {self._checks[number]:08x}"
            )
        return data

    def nodata_mask(self) -> NoDataMask | None:
        """Return the no-data mask, or None if the file has none.

        Raises
        ------
        BitstreamError
            If the mask is damaged.
        """
        header = self.header
        if header.holes is None:
            return None
        self._file.seek(self._mask_start)
        data = self._file.read(min(header.mask_bytes, os.fstat(self._file.fileno()).st_size))
        try:
            return NoDataMask.unpack(header.holes, data, header.bands, (header.lines, header.samples))
        except BitstreamError as error:
            raise BitstreamError(f"{self.path}: {error}") from None

    def chunks(self, clusters: Iterable[Cluster]) -> Iterator[tuple[Cluster, bytes]]:
        """Yield the given clusters with their chunks, each checked."""
        number = {cluster: i for i, cluster in enumerate(self.clusters)}
        for cluster in clusters:
            yield cluster, self.chunk(number[cluster])

    def damaged(self) -> tuple[Cluster, ...]:
        """Return the clusters whose chunks are missing or damaged."""
        found = []
        for i, cluster in enumerate(self.clusters):
            try:
                self.chunk(i)
            except BitstreamError:
                found.append(cluster)
        return tuple(found)

    def verify(self) -> None:
        """Check the no-data mask, every chunk and the file's digest.

        Raises
        ------
        BitstreamError
            At the first error.
        """
        self.nodata_mask()
        for i in range(len(self.clusters)):
            self.chunk(i)
        self._file.seek(0)
        digest = hashlib.sha256()
        left = self._end
        while left and (block := self._file.read(min(left, 1 << 20))):
            digest.update(block)
            left -= len(block)
        if self._file.read(_DIGEST_BYTES + 1) != digest.digest():
            raise BitstreamError(
                f"{self.path}: the digest at byte {self._end} is wrong; expected SHA-256 {digest.hexdigest()}"
            )
