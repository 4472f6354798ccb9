"""The ``.bpk`` container: one scene, one codec, one chunk a cluster, every byte under a checksum. Knows no codec.

Layout, version 1 (integers little-endian; `docs/bitstream.md` is the specification)::

    prefix   8 s  magic 89 42 50 4B 0D 0A 1A 0A
             u16  version, 1
             u16  flags, 0
             u32  bytes of the header as stored
             u32  number of clusters
    header        zlib stream of canonical JSON (see `Header`)
    index         per cluster: u32 bytes of the chunk, u32 CRC-32C of the chunk
    check    u32  CRC-32C of prefix, header and index
    chunks        one a cluster, in order of bands
    digest   32 s SHA-256 of everything before it
"""

import hashlib
import json
import os
import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import crc32c
import numpy as np

from bandpress.clusters import BandsPerCluster, Cluster, split
from bandpress.errors import BandpressError, BitstreamError
from bandpress.files import atomic_path
from bandpress.scene import CODABLE, Scene

MAGIC = b"\x89BPK\r\n\x1a\n"
VERSION = 1
SUFFIX = ".bpk"

_PREFIX = struct.Struct("<8sHHII")
_ENTRY = struct.Struct("<II")
_CHECK = struct.Struct("<I")
_DIGEST_BYTES = 32
_DTYPES = tuple(np.dtype(order + np.dtype(name).str[1:]).str for name in CODABLE for order in "<>")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MOST_HEADER_BYTES = 1 << 20
_MOST_BANDS = 1 << 14
_MOST_SIDE = 1 << 20
_MOST_SAMPLES = 1 << 36


@dataclass(frozen=True)
class Header:
    """What a decoder must know before it reads a chunk.

    Parameters
    ----------
    bands, lines, samples
        Geometry of the scene.
    dtype
        NumPy's name of the sample type with its byte order, ``"<u2"`` for example.
    codec
        Name of the codec in the registry.
    bands_per_cluster
        Bands of each cluster but a shorter last one, or ``"all"``.
    parameters
        What the codec's decoder needs besides, as JSON.
    model
        SHA-256 of the model in hexadecimal, or None for a codec without one.
    scene
        Name of the scene.
    metadata
        Band descriptions and the like: `wavelengths`, `fwhm`, `bad_bands`, `sensor`, `nodata`, `metadata` of the
        scene, those that are known.
    """

    bands: int
    lines: int
    samples: int
    dtype: str
    codec: str
    bands_per_cluster: BandsPerCluster
    parameters: dict[str, Any] = field(default_factory=dict)
    model: str | None = None
    scene: str = "scene"
    metadata: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of_scene(
        cls,
        scene: Scene,
        codec: str,
        bands_per_cluster: BandsPerCluster,
        parameters: dict[str, Any],
        model: str | None,
    ) -> "Header":
        """Describe a scene that a codec is about to code."""
        known = {
            "wavelengths": scene.wavelengths,
            "fwhm": scene.fwhm,
            "bad_bands": scene.bad_bands,
            "sensor": scene.sensor,
            "nodata": scene.nodata,
            "metadata": dict(scene.metadata) or None,
            "origin": scene.origin,
        }
        return cls(
            bands=scene.bands,
            lines=scene.lines,
            samples=scene.samples,
            dtype=scene.dtype.str,
            codec=codec,
            bands_per_cluster=bands_per_cluster,
            parameters=parameters,
            model=model,
            scene=scene.name,
            metadata={key: value for key, value in known.items() if value is not None},
        )

    @property
    def clusters(self) -> tuple[Cluster, ...]:
        """The clusters, in the order of their chunks."""
        return split(self.bands, self.bands_per_cluster)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Bands, lines, samples."""
        return (self.bands, self.lines, self.samples)

    def to_scene(self, cube: np.ndarray, bands: slice = slice(None)) -> Scene:
        """Wrap decoded samples, all bands or those of the slice `bands`, as the scene that was coded."""

        def of_band(key: str) -> tuple | None:
            values = self.metadata.get(key)
            return None if values is None else tuple(values)[bands]

        return Scene(
            cube=cube,
            name=self.scene,
            wavelengths=of_band("wavelengths"),
            fwhm=of_band("fwhm"),
            bad_bands=of_band("bad_bands"),
            sensor=self.metadata.get("sensor"),
            nodata=self.metadata.get("nodata"),
            metadata=self.metadata.get("metadata", {}),
            origin=self.metadata.get("origin"),
        )

    def _pack(self) -> bytes:
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return zlib.compress(text.encode("ascii"), 9)

    @classmethod
    def _unpack(cls, stored: bytes, path: Path) -> "Header":
        try:
            inflate = zlib.decompressobj()
            text = inflate.decompress(stored, _MOST_HEADER_BYTES)
            if not inflate.eof or inflate.unused_data:
                raise ValueError("its length is not what was announced")
            header = cls(**json.loads(text))
            header._check()
        except (
            ValueError,
            TypeError,
            KeyError,
            RecursionError,
            zlib.error,
            BandpressError,
        ) as error:
            raise BitstreamError(
                f"{path}: the header cannot be understood ({error}); expected one written by bandpress"
            ) from None
        return header

    def _check(self) -> None:
        sides = (self.bands, self.lines, self.samples)
        if not all(type(side) is int and side > 0 for side in sides):
            raise ValueError(f"geometry {sides}")
        if (
            self.bands > _MOST_BANDS
            or max(sides) > _MOST_SIDE
            or np.prod(sides, dtype=object) > _MOST_SAMPLES
        ):
            raise ValueError(f"geometry {sides} is beyond the format's limits")
        if self.dtype not in _DTYPES:
            raise ValueError(f"sample type {self.dtype!r}")
        k = self.bands_per_cluster
        if k != "all" and not (type(k) is int and k > 0):
            raise ValueError(f"{k!r} bands a cluster")
        if not isinstance(self.codec, str) or not isinstance(self.scene, str):
            raise ValueError("codec and scene are not text")
        if not self.scene or set(self.scene) & set("/\\\0") or self.scene in (".", ".."):
            raise ValueError(f"a scene named {self.scene!r}, which cannot be the name of a file")
        if self.model is not None and not (isinstance(self.model, str) and _DIGEST.fullmatch(self.model)):
            raise ValueError(f"model {self.model!r} is not a SHA-256")
        if not isinstance(self.parameters, dict) or not isinstance(self.metadata, dict):
            raise ValueError("parameters and metadata are not objects")
        for key in ("wavelengths", "fwhm", "bad_bands"):
            values = self.metadata.get(key)
            if values is None:
                continue
            if not isinstance(values, list | tuple) or len(values) != self.bands:
                raise ValueError(f"{key} is not a list of {self.bands}")
            if not all(isinstance(value, bool | int | float) for value in values):
                raise ValueError(f"{key} holds something that is not a number")


def overhead(header: Header) -> int:
    """Return the bytes of a file with this header besides its chunks."""
    fixed = _PREFIX.size + _CHECK.size + _DIGEST_BYTES
    return fixed + len(header._pack()) + _ENTRY.size * len(header.clusters)


def write(path: str | os.PathLike[str], header: Header, chunks: Iterable[bytes]) -> int:
    """Write a ``.bpk`` file, whole or not at all.

    Parameters
    ----------
    path
        File to make or replace.
    header
        Description of the scene and of the codec.
    chunks
        One byte string a cluster, in the order of ``header.clusters``. Taken one at a time.

    Returns
    -------
    int
        Bytes of the file.

    Raises
    ------
    BitstreamError
        If the number of chunks is not that of the clusters.
    """
    stored = header._pack()
    clusters = header.clusters
    index = bytearray()
    with atomic_path(path) as part, open(part, "w+b") as file:
        file.seek(_PREFIX.size + len(stored) + _ENTRY.size * len(clusters) + _CHECK.size)
        for chunk in chunks:
            file.write(chunk)
            index += _ENTRY.pack(len(chunk), crc32c.crc32c(chunk))
        if len(index) != _ENTRY.size * len(clusters):
            raise BitstreamError(
                f"{path}: the codec gave {len(index) // _ENTRY.size} chunks; expected {len(clusters)}, one a cluster"
            )
        head = _PREFIX.pack(MAGIC, VERSION, 0, len(stored), len(clusters)) + stored + bytes(index)
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
        If the file is not a ``.bpk`` file of this version, or its header or index is damaged, or (without
        `salvage`) its length is not what the index says.

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
        if version != VERSION or flags != 0:
            raise BitstreamError(
                f"{path}: version {version}, flags {flags}; expected version {VERSION}, flags 0"
            )
        rest = stored_bytes + _ENTRY.size * count + _CHECK.size
        if stored_bytes > _MOST_HEADER_BYTES or count > _MOST_BANDS or _PREFIX.size + rest > size:
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
        self.header = Header._unpack(head[_PREFIX.size : _PREFIX.size + stored_bytes], path)
        self.clusters = self.header.clusters
        if count != len(self.clusters):
            raise BitstreamError(
                f"{path}: the index has {count} clusters; expected {len(self.clusters)} from the geometry"
            )
        entries = list(_ENTRY.iter_unpack(head[_PREFIX.size + stored_bytes :]))
        self._lengths = [length for length, _ in entries]
        self._checks = [check for _, check in entries]
        offsets = np.cumsum([_PREFIX.size + rest, *self._lengths], dtype=np.int64)
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
        """Check every chunk and the file's digest.

        Raises
        ------
        BitstreamError
            At the first thing that is wrong.
        """
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
