"""JPEG 2000 through OpenJPEG, band by band or over the bands of a cluster (ISO/IEC 15444-1)."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from bandpress import bitstream, openjpeg
from bandpress.bits import BitReader, BitWriter
from bandpress.bitstream import Header
from bandpress.clusters import BandsPerCluster, Cluster, split
from bandpress.codecs.base import Codec, Encoding
from bandpress.codestream import MOST_LEVELS, Layout
from bandpress.errors import CodecError
from bandpress.scene import Scene

#: How the rate is divided. "equal": every cluster gets the same (the paper's protocol). "shared": one rate for the
#: scene, divided over clusters, bands and code-blocks by what each byte gains (the fair protocol).
Allocation = Literal["equal", "shared"]

#: What a cluster still owes or is owed is passed on to the cluster that comes this many later.
_LAG = 8
_LEAST_SIDE = 12
_MOST_LEVELS = 5
_WIDTH_BITS = 5


@dataclass
class Components:
    """A cluster as JPEG 2000 gets it.

    Parameters
    ----------
    samples
        int32, shape (components, lines, samples), around zero.
    side
        What the inverse needs, bit by bit.
    """

    samples: np.ndarray
    side: BitWriter

    @property
    def bits(self) -> list[int]:
        """Bits of each component, sign included."""
        return [max(int(c.max()), -int(c.min()) - 1, 1).bit_length() + 1 for c in self.samples]


@dataclass(frozen=True)
class Jpeg2000(Codec):
    """JPEG 2000.

    Parameters
    ----------
    rate
        Target in bits per sample, everything in the file counted. 9/7 wavelet.
    lossless
        Exact instead: 5/3 wavelet. One of the two must be given.
    bands_per_cluster
        Bands of a codestream.
    allocation
        "equal" or "shared", see `Allocation`.
    """

    name: ClassVar[str] = "jpeg2000"

    rate: float | None = None
    lossless: bool = False
    bands_per_cluster: BandsPerCluster = 1
    allocation: Allocation = "equal"

    def __post_init__(self) -> None:
        if (self.rate is None) is not bool(self.lossless):
            raise CodecError(
                f"codec {self.name}: rate {self.rate} and lossless {self.lossless} were given; expected one of the two"
            )
        if self.rate is not None and not self.rate > 0:
            raise CodecError(f"codec {self.name}: rate {self.rate}; expected a positive number")
        if self.allocation not in ("equal", "shared"):
            raise CodecError(
                f"codec {self.name}: allocation {self.allocation!r}; expected 'equal' or 'shared'"
            )

    def encode(self, scene: Scene) -> Encoding:
        """Code a scene, see `Codec.encode`.

        Raises
        ------
        CodecError
            If the target is below what the headers take.
        """
        openjpeg.bindings()
        levels = _levels(scene.lines, scene.samples)
        parameters = {"levels": levels, "lossless": bool(self.lossless)}
        clusters = split(scene.bands, self.bands_per_cluster)
        layout = Layout(scene.lines, scene.samples, levels, bool(self.lossless))
        if self.lossless:
            chunks = self._lossless(scene, clusters, layout)
        else:
            assert self.rate is not None
            header = Header.of_scene(scene, self.name, self.bands_per_cluster, parameters, None)
            target = int(self.rate * scene.cube.size / 8) - bitstream.overhead(header)
            coded = self._equal if self.allocation == "equal" else self._shared
            chunks = coded(scene, clusters, layout, target)
        return Encoding(self.bands_per_cluster, chunks, parameters)

    @classmethod
    def decoder(cls, header: Header, model: Path | None = None) -> "Jpeg2000":
        """Return the codec, see `Codec.decoder`."""
        return cls(lossless=True, bands_per_cluster=header.bands_per_cluster)

    def decode(self, header: Header, chunks: Iterable[tuple[Cluster, bytes]]) -> Iterator[np.ndarray]:
        """Decode clusters, see `Codec.decode`."""
        layout = _layout_of(header)
        openjpeg.bindings()
        threads = _threads(header.clusters)

        def decoded(item: tuple[Cluster, bytes]) -> np.ndarray:
            cluster, chunk = item
            reader = BitReader(chunk)
            state = self._read_side(reader, cluster.count)
            count = reader.number(_count_bits(cluster.count))
            if count > cluster.count:
                raise CodecError(f"cluster {cluster}: {count} components; expected at most {cluster.count}")
            bits = [reader.number(_WIDTH_BITS) for _ in range(count)]
            components = np.zeros((cluster.count, header.lines, header.samples), np.int32)
            if count:
                packets = chunk[reader.bytes_read :]
                components[:count] = openjpeg.decode(layout.join(bits, packets), threads=threads)
            return _clipped(self._inverse(components, state), np.dtype(header.dtype))

        yield from _pooled(decoded, chunks)

    # What RKLT + JPEG 2000 does otherwise.

    def _forward(self, samples: np.ndarray, target: float | None) -> Components:
        """Turn a cluster's samples into components; `target` is the rate in bits per sample, None for lossless."""
        means = samples.mean(axis=(1, 2), dtype=np.float64).round().astype(np.int32)
        side = BitWriter()
        side.rice(np.diff(means, prepend=0).tolist())
        return Components(samples.astype(np.int32) - means[:, None, None], side)

    def _read_side(self, reader: BitReader, bands: int) -> Any:
        return np.cumsum(reader.rice(bands), dtype=np.int64).astype(np.int32)

    def _inverse(self, components: np.ndarray, means: Any) -> np.ndarray:
        components += means[:, None, None]
        return components

    # Ways to divide the rate.

    def _lossless(self, scene: Scene, clusters: Sequence[Cluster], layout: Layout) -> Iterator[bytes]:
        def coded(cluster: Cluster) -> bytes:
            return _coded([self._forward(scene.cube[cluster.bands], None)], layout, None, _threads(clusters))[
                0
            ]

        yield from _pooled(coded, clusters)

    def _equal(
        self, scene: Scene, clusters: Sequence[Cluster], layout: Layout, target: int
    ) -> Iterator[bytes]:
        """Give every cluster its bands' part of the target; pass on what rounding to whole passes left over."""

        def coded(job: tuple[Cluster, float]) -> bytes:
            cluster, size = job
            components = self._forward(scene.cube[cluster.bands], self.rate)
            return _coded([components], layout, size, _threads(clusters))[0]

        spent: list[int] = []

        def jobs() -> Iterator[tuple[Cluster, float]]:
            for number, cluster in enumerate(clusters):
                known = max(number - _LAG, 0)
                owed = target * clusters[known].first / scene.bands - sum(spent[:known])
                yield cluster, target * cluster.count / scene.bands + owed / (2 * _LAG)

        for chunk in _pooled(coded, jobs(), window=_LAG):
            spent.append(len(chunk))
            yield chunk

    def _shared(
        self, scene: Scene, clusters: Sequence[Cluster], layout: Layout, target: int
    ) -> Iterator[bytes]:
        """Code all clusters as the components of one codestream, so that PCRD divides the rate over all of them."""
        parts = [self._forward(scene.cube[c.bands], self.rate) for c in clusters]
        yield from _coded(parts, layout, target, openjpeg.processors())


def _coded(parts: Sequence[Components], layout: Layout, target: float | None, threads: int) -> list[bytes]:
    """Code clusters together in `target` bytes, side information included, and return a chunk each."""
    bits = [b for part in parts for b in part.bits]
    samples = parts[0].samples if len(parts) == 1 else np.concatenate([part.samples for part in parts])
    side = sum(_side_bytes(part) for part in parts)
    size = None
    if target is not None:
        least = side + len(bits)
        if target < least:
            raise CodecError(
                f"the target leaves {target:.0f} bytes for bands whose headers take {least}; expected a higher rate"
            )
        size = int(target - side) + layout.overhead(bits)
    codestream = openjpeg.encode(samples, bits, levels=layout.levels, size=size, threads=threads)
    packets = layout.split(bits, codestream)
    chunks, first = [], 0
    for part in parts:
        stop = first + len(part.samples)
        chunks.append(_chunk(part, bits[first:stop], packets[first:stop], layout))
        first = stop
    return chunks


def _side_bytes(part: Components) -> int:
    count = len(part.samples)
    return -(-(len(part.side) + _count_bits(count) + _WIDTH_BITS * count) // 8)


def _chunk(part: Components, bits: list[int], packets: list[bytes], layout: Layout) -> bytes:
    """Write side information, number and bits of the components, packets; leave empty components at the end out."""
    count, empty = len(bits), bytes(layout.levels + 1)
    while count and packets[count - 1] == empty:
        count -= 1
    part.side.number(count, _count_bits(len(bits)))
    for width in bits[:count]:
        part.side.number(width, _WIDTH_BITS)
    return part.side.to_bytes() + b"".join(packets[:count])


def _count_bits(most: int) -> int:
    return most.bit_length()


def _levels(lines: int, samples: int) -> int:
    """Return the levels of decomposition: five, fewer while the coarsest subband would be smaller than 12."""
    return max(0, min(_MOST_LEVELS, (min(lines, samples) // _LEAST_SIDE).bit_length() - 1))


def _layout_of(header: Header) -> Layout:
    levels, lossless = header.parameters.get("levels"), header.parameters.get("lossless")
    if type(levels) is not int or not 0 <= levels <= MOST_LEVELS or type(lossless) is not bool:
        raise CodecError(
            f"parameters {header.parameters}; expected levels (0 to {MOST_LEVELS}) and lossless (true or false)"
        )
    return Layout(header.lines, header.samples, levels, lossless)


def _clipped(samples: np.ndarray, dtype: np.dtype) -> np.ndarray:
    limits = np.iinfo(dtype)
    return np.clip(samples, limits.min, limits.max).astype(dtype)


def _threads(clusters: Sequence[Cluster]) -> int:
    """Return the threads of one codestream: all of them if it is the only one, else one, clusters running abreast."""
    return openjpeg.processors() if len(clusters) == 1 else 1


def _pooled(function: Any, items: Iterable[Any], window: int | None = None) -> Iterator[Any]:
    """Map in threads, in order, at most `window` ahead of what was yielded."""
    workers = openjpeg.processors()
    with ThreadPoolExecutor(workers) as pool:
        waiting: list[Future] = []
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= (window or 2 * workers):
                yield waiting.pop(0).result()
        while waiting:
            yield waiting.pop(0).result()
