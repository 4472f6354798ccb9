"""The GICI group's Java programs, if installed: their RKLT, and their JPEG 2000 coder BOI.

Environment variables name them, for coding and decoding; a file never does::

    BANDPRESS_RKLT_JAR     rklt.jar (gici.uab.cat, github.com/gici-uab/spectral-stransform)
    BANDPRESS_BOI_JAR      BOI, optional: without it OpenJPEG codes the components
    BANDPRESS_BOI_ENCODE   its arguments, with {input} {output} {bands} {lines} {samples} {type} {endian} {rate}
    BANDPRESS_BOI_DECODE   the same without {rate}

The arguments of rklt.jar are those of its published source. The group provides BOI on request; its manual lists its
arguments.
"""

import os
import shlex
import struct
import subprocess
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from bandpress.clusters import BandsPerCluster, Cluster, split
from bandpress.codecs.base import Encoding, Look
from bandpress.codecs.budgets import chunk_budget, equal_shares, pooled, within
from bandpress.codecs.jpeg2000 import Jpeg2000
from bandpress.container.bits import BitReader, BitWriter
from bandpress.container.bitstream import Header
from bandpress.errors import CodecError, MissingDependencyError
from bandpress.jpeg2000.chunks import Components
from bandpress.scene import Scene, clipped

_SIDE = struct.Struct("<I")
_LENGTH_BITS = 32
_INT32 = ("4", "<i4")
_TYPES = {"uint8": "1", "uint16": "2", "int16": "3"}


@dataclass(frozen=True)
class GiciJava(Jpeg2000):
    """RKLT by rklt.jar, then JPEG 2000 by BOI or OpenJPEG: the options of `Jpeg2000`."""

    name = "gici-java"
    label = "GICI's RKLT"
    look = look_of_all = Look("green", "*", (0, (2, 1)))

    bands_per_cluster: BandsPerCluster = 3

    def encode(self, scene: Scene) -> Encoding:
        """Code a scene, see `Codec.encode`.

        Raises
        ------
        MissingDependencyError
            If a program is not named or does not exist.
        CodecError
            If a program fails.
        """
        _jar("BANDPRESS_RKLT_JAR")
        if "BANDPRESS_BOI_JAR" not in os.environ:
            return super().encode(scene)
        if self.allocation != "equal":
            raise CodecError(f"codec {self.name}: allocation {self.allocation!r}; expected 'equal' with BOI")
        clusters = split(scene.bands, self.bands_per_cluster)
        parameters = {"boi": True}

        def coded(cluster: Cluster, size: float | None) -> bytes:
            part = self.forward(scene.cube[cluster.bands], None)
            side = part.side.to_bytes()
            room = None if size is None else (size - len(side) - _SIDE.size) * 8 / part.samples.size
            return _SIDE.pack(len(side)) + side + _boi_encode(part.samples, room)

        if self.rate is None:
            return Encoding(self.bands_per_cluster, pooled(lambda c: coded(c, None), clusters), parameters)
        header = Header.of_scene(scene, self.name, self.bands_per_cluster, parameters, None)
        shares = equal_shares(scene, clusters, chunk_budget(header, self.rate), coded)
        return Encoding(self.bands_per_cluster, within(self.rate, header, shares), parameters)

    def decode(self, header: Header, chunks_: Iterable[tuple[Cluster, bytes]]) -> Iterator[np.ndarray]:
        """Decode clusters, see `Codec.decode`."""
        _jar("BANDPRESS_RKLT_JAR")
        if not header.parameters.get("boi"):
            yield from super().decode(header, chunks_)
            return
        for cluster, chunk in chunks_:
            (length,) = _SIDE.unpack(chunk[: _SIDE.size].ljust(_SIDE.size, b"\0"))
            side, stream = chunk[_SIDE.size : _SIDE.size + length], chunk[_SIDE.size + length :]
            inverse = self.read_side(BitReader(side), cluster.count)
            components = _boi_decode(stream, (cluster.count, header.lines, header.samples))
            yield clipped(inverse(components), np.dtype(header.dtype))

    def forward(self, samples: np.ndarray, level: float | None) -> Components:
        """Transform a cluster; see `Jpeg2000.forward`."""
        kind = samples.dtype.name
        with tempfile.TemporaryDirectory() as folder:
            source, target, side = (Path(folder) / name for name in ("in.raw", "out.raw", "side"))
            source.write_bytes(samples.astype(samples.dtype.newbyteorder("<")).tobytes())
            _rklt("0", source, (samples.shape, _TYPES[kind]), target, (samples.shape, _INT32[0]), side)
            stored = zlib.compress(_read(side), 9)
            components = _cube(target, samples.shape)
        writer = BitWriter()
        writer.number(("uint8", "uint16", "int16").index(kind), 2)
        writer.number(len(stored), _LENGTH_BITS)
        writer.number(int.from_bytes(stored, "big"), 8 * len(stored))
        return Components(components, writer)

    def read_side(self, reader: BitReader, bands: int) -> Callable[[np.ndarray], np.ndarray]:
        """Read the side information of `forward`."""
        reader.number(2)  # the type, which is also in the header
        length = reader.number(_LENGTH_BITS)
        stored = reader.number(8 * length).to_bytes(length, "big")
        try:
            return partial(_inverse, side=zlib.decompress(stored))
        except zlib.error as error:
            raise CodecError(f"side information of {length} bytes is damaged ({error})") from None


def _inverse(components: np.ndarray, side: bytes) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        source, target, beside = (Path(folder) / name for name in ("in.raw", "out.raw", "side"))
        source.write_bytes(components.astype("<i4").tobytes())
        beside.write_bytes(side)
        _rklt("1", source, (components.shape, _INT32[0]), target, (components.shape, _INT32[0]), beside)
        return _cube(target, components.shape)


def _rklt(direction: str, source: Path, given: tuple, target: Path, wanted: tuple, side: Path) -> None:
    def geometry(described: tuple) -> list[str]:
        shape, kind = described
        return [*map(str, shape), kind, "1"]

    files = ["-i", str(source), "-ig", *geometry(given), "-o", str(target), "-og", *geometry(wanted)]
    _run("BANDPRESS_RKLT_JAR", ["-d", direction, "-D", "0", *files, "-ti", str(side)])


def _boi_encode(components: np.ndarray, rate: float | None) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.raw", Path(folder) / "out.j2c"
        source.write_bytes(components.astype("<i4").tobytes())
        _run("BANDPRESS_BOI_JAR", _boi_arguments("ENCODE", source, target, components.shape, rate))
        return _read(target)


def _boi_decode(stream: bytes, shape: tuple[int, int, int]) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.j2c", Path(folder) / "out.raw"
        source.write_bytes(stream)
        _run("BANDPRESS_BOI_JAR", _boi_arguments("DECODE", source, target, shape, None))
        return _cube(target, shape)


def _boi_arguments(
    direction: str, source: Path, target: Path, shape: tuple[int, ...], rate: float | None
) -> list[str]:
    name = f"BANDPRESS_BOI_{direction}"
    template = os.environ.get(name)
    if template is None:
        raise MissingDependencyError(
            f"{name} is not set; expected BOI's arguments, with {{input}} and {{output}} for the files"
        )
    bands, lines, samples = shape
    values = {"input": source, "output": target, "bands": bands, "lines": lines, "samples": samples}
    values |= {"type": _INT32[0], "endian": 1, "rate": 0 if rate is None else f"{max(rate, 0):.6f}"}
    try:
        return [part.format(**values) for part in shlex.split(template)]
    except (KeyError, ValueError, IndexError) as error:
        raise CodecError(
            f"{name}: {template!r} cannot be filled in ({error}); expected {', '.join(values)}"
        ) from None


def _jar(variable: str) -> str:
    path = os.environ.get(variable)
    if path is None or not Path(path).is_file():
        raise MissingDependencyError(f"{variable} is {path or 'not set'}; expected the path of a jar file")
    return path


def _run(variable: str, arguments: list[str]) -> None:
    jar = _jar(variable)
    try:
        done = subprocess.run(["java", "-jar", jar, *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        raise MissingDependencyError(
            f"{jar} needs java, which was not found; expected a Java runtime"
        ) from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise CodecError(
            f"{jar}: exit status {done.returncode} ({said[-1] if said else 'nothing said'}); expected 0"
        )


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise CodecError(f"{path.name} was not written by the Java program; expected it")
    return path.read_bytes()


def _cube(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    data = _read(path)
    if len(data) != 4 * int(np.prod(shape)):
        raise CodecError(f"the Java program wrote {len(data)} bytes; expected {4 * int(np.prod(shape))}")
    return np.frombuffer(data, "<i4").reshape(shape).astype(np.int32)
