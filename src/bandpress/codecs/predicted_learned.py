"""Clusters predicted from components of their segment: a KLT over many bands with access to single clusters.

`key_distance` clusters form a segment, which decodes on its own. Its first cluster, the key cluster, carries the KLT of
all bands of the segment, coded as one cluster of `wavelet-learned`. Every cluster, the key cluster included, is
predicted from it, and its residual is coded if that pays. Decoding a cluster takes at most two chunks; a damaged chunk
costs at most its segment.

The chunk of a key cluster is a u32 (bytes of the components), the components, and its residual. The chunk of every
other cluster is its residual alone::

    vectors of a KLT over its bands (`bandpress.transforms.klt`), if there are two bands or more
    the layout of `bandpress.contexts.components`
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from bandpress.clusters import Cluster
from bandpress.codecs.base import Look
from bandpress.codecs.budgets import pooled
from bandpress.codecs.stepped import Stepped
from bandpress.codecs.targets import Trial, rounded_step, step_of
from bandpress.container.bits import BitReader, BitWriter
from bandpress.container.bitstream import Header
from bandpress.contexts import store as context_store
from bandpress.contexts.components import Chunk, ComponentCoder, Part
from bandpress.contexts.model import ContextModel
from bandpress.contexts.quantisation import WORTH
from bandpress.errors import BitstreamError, CodecError
from bandpress.machine import processors
from bandpress.scene import Scene, clipped
from bandpress.transforms.cluster_klt import SAFETY
from bandpress.transforms.klt import covariance, read_reflections, reflections, write_reflections
from bandpress.transforms.projection import Basis, Moments
from bandpress.transforms.rklt import Reflections

_LENGTH = struct.Struct("<I")
_ORDER = "components"


@dataclass(frozen=True)
class PredictedLearned(Stepped):
    """Prediction from components + context model, with the options of `Stepped`.

    Parameters
    ----------
    model
        Folder or name of a context model, such as ``"contexts"`` of this package or one made by ``bandpress
        train-contexts``.
    bands_per_cluster
        Bands of a cluster.
    key_distance
        Clusters of a segment.
    """

    name = "predicted-learned"
    label = "Prediction + context model"
    look = Look("purple", "X", (0, (4, 1, 4, 1, 1, 1)))
    model_kind = "context model"

    model: str | Path = "contexts"
    bands_per_cluster: int = 3
    key_distance: int = 16

    def __post_init__(self) -> None:
        super().__post_init__()
        for key in ("bands_per_cluster", "key_distance"):
            value = getattr(self, key)
            if type(value) is not int or value < 1:
                raise CodecError(f"codec {self.name}: {key} {value!r}; expected a positive integer")

    @cached_property
    def _stored(self) -> ContextModel:
        return context_store.named(self.model)

    @classmethod
    def decoder(cls, header: Header, model: Path | None = None) -> "PredictedLearned":
        """Return the codec for a file; see `Codec.decoder`."""
        found = context_store.find(header.model, model)
        assert found.path is not None
        return cls(model=found.path, step=step_of(header), key_distance=_distance(header))

    def decode(self, header: Header, chunks: Iterable[tuple[Cluster, bytes]]) -> Iterator[np.ndarray]:
        """Decode clusters, each after the key cluster of its segment, see `Codec.decode`."""
        coder = ComponentCoder(self._stored, header.lines, header.samples, processors())
        alone = ComponentCoder(self._stored, header.lines, header.samples)
        segments = _segments(header.clusters, _distance(header))
        dtype, step = np.dtype(header.dtype), step_of(header)

        def joined() -> Iterator[tuple[Cluster, bytes, np.ndarray]]:
            at, predicted = slice(0), np.zeros(0, dtype)
            for cluster, chunk in chunks:
                segment = segments[cluster]
                if at != (bands := _bands(segment)):
                    if cluster != segment[0]:
                        raise BitstreamError(f"cluster {cluster} lacks the components of its segment")
                    at = bands
                    base, chunk = _split(cluster, chunk)
                    reader = BitReader(base)
                    basis = Basis.read(reader, at.stop - at.start)
                    components = coder.components(Chunk(reader, base, at.stop - at.start, step))
                    predicted = basis.inverse(components, dtype)
                yield cluster, chunk, predicted[_within(cluster, at)]

        def decoded(item: tuple[Cluster, bytes, np.ndarray]) -> np.ndarray:
            cluster, chunk, predicted = item
            return clipped(predicted + _read_residual(alone, cluster, chunk, step), dtype)

        yield from pooled(decoded, joined())

    @classmethod
    def needed(cls, header: Header, cluster: Cluster) -> tuple[Cluster, ...]:
        """Return the key cluster of a segment, and the cluster itself; see `Codec.needed`."""
        k, distance = header.bands_per_cluster, _distance(header)
        number = 0 if k == "all" else cluster.first // k
        if number % distance == 0:
            return (cluster,)
        assert k != "all"
        return (Cluster((number - number % distance) * k, k), cluster)

    def _header(self, scene: Scene, step: float) -> Header:
        parameters: dict[str, Any] = {"key_distance": self.key_distance, "order": _ORDER, "step": step}
        return Header.of_scene(scene, self.name, self.bands_per_cluster, parameters, self._stored.digest)

    def _trial(self, scene: Scene) -> Callable[[float], Trial]:
        """Return a function that codes a scene with a step."""
        segments = list(
            dict.fromkeys(_segments(self._header(scene, 1.0).clusters, self.key_distance).values())
        )
        one = len(segments) == 1
        size = scene.lines, scene.samples
        coder = ComponentCoder(self._stored, *size, processors() if one else 1)
        alone = ComponentCoder(self._stored, *size)
        moments: dict[tuple[Cluster, ...], Moments] = {}

        def coded(segment: tuple[Cluster, ...], step: float) -> tuple[list[bytes], float]:
            bands = _bands(segment)
            samples = scene.cube[bands]
            if segment not in moments:
                moments[segment] = Moments.of(samples)
            basis, side = Basis.of(moments[segment], _level(step), samples[0].size), BitWriter()
            basis.write(side)
            base, components = coder.code(Part(basis.forward(samples), step, side))
            basis = Basis.read(BitReader(side.to_bytes()), len(samples))
            predicted = basis.inverse(components, scene.dtype)

            def residual(cluster: Cluster) -> tuple[bytes, float]:
                place = _within(cluster, bands)
                left = samples[place].astype(np.int32) - predicted[place]
                chunk, decoded = _code_residual(alone, left, step)
                error = scene.only_measured(cluster.bands, (left - decoded).astype(np.float64))
                return chunk, float(np.square(error).sum())

            found = list(pooled(residual, segment) if one else map(residual, segment))
            chunks = [chunk for chunk, _ in found]
            chunks[0] = _LENGTH.pack(len(base)) + base + chunks[0]
            return chunks, sum(error for _, error in found)

        def trial(step: float) -> Trial:
            step = rounded_step(step)
            found = list(pooled(lambda segment: coded(segment, step), segments))
            chunks = [chunk for chunks, _ in found for chunk in chunks]
            mse = sum(error for _, error in found) / max(scene.measured(), 1)
            return Trial(step, chunks, mse, scene.cube.size)

        return trial


def _distance(header: Header) -> int:
    distance, order = header.parameters.get("key_distance"), header.parameters.get("order")
    if type(distance) is not int or distance < 1 or order != _ORDER:
        raise BitstreamError(
            f"scene {header.scene}: key distance {distance!r} and order {order!r} in the header; "
            f"expected a positive integer and {_ORDER!r}"
        )
    return distance


def _segments(clusters: Sequence[Cluster], distance: int) -> dict[Cluster, tuple[Cluster, ...]]:
    """Return the segment that each cluster belongs to."""
    found: dict[Cluster, tuple[Cluster, ...]] = {}
    for first in range(0, len(clusters), distance):
        segment = tuple(clusters[first : first + distance])
        found |= dict.fromkeys(segment, segment)
    return found


def _bands(segment: Sequence[Cluster]) -> slice:
    return slice(segment[0].first, segment[-1].stop)


def _within(cluster: Cluster, bands: slice) -> slice:
    return slice(cluster.first - bands.start, cluster.stop - bands.start)


def _level(step: float) -> float:
    """Return the distortion that determines a basis's precision."""
    return SAFETY * step * step / 12


def _split(cluster: Cluster, chunk: bytes) -> tuple[bytes, bytes]:
    """Cut the chunk of a key cluster into its components and its residual."""
    size = _LENGTH.unpack_from(chunk)[0] if len(chunk) >= _LENGTH.size else len(chunk)
    stop = _LENGTH.size + size
    if stop > len(chunk):
        raise BitstreamError(
            f"cluster {cluster}: states {size} bytes of components; expected at most {len(chunk) - _LENGTH.size}"
        )
    return chunk[_LENGTH.size : stop], chunk[stop:]


def _code_residual(coder: ComponentCoder, residual: np.ndarray, step: float) -> tuple[bytes, np.ndarray]:
    """Return the chunk of a residual and the decoded residual; code nothing if that costs less."""
    bands, pixels = len(residual), residual[0].size
    vectors = reflections(covariance(residual), _level(step), pixels) if bands > 1 else None
    basis = Basis(np.zeros(bands, np.int64), vectors)
    chunk, components = coder.code(Part(basis.forward(residual), step, _side(vectors)))
    decoded = basis.inverse(components, np.dtype(np.int32))
    nothing = Part(residual, step, _side(None if vectors is None else Reflections(bands, (), ())))
    pays = _cost(residual, chunk, decoded, step) < _cost(residual, *(none := coder.nothing(nothing)), step)
    return (chunk, decoded) if pays else none


def _side(vectors: Reflections | None) -> BitWriter:
    side = BitWriter()
    if vectors is not None:
        write_reflections(side, vectors)
    return side


def _cost(residual: np.ndarray, chunk: bytes, decoded: np.ndarray, step: float) -> float:
    """Return bits per pixel plus the weighted squared error per pixel."""
    error = np.square(residual - decoded, dtype=np.float64).sum() / residual[0].size
    return float(8 * len(chunk) / residual[0].size + WORTH / step**2 * error)


def _read_residual(coder: ComponentCoder, cluster: Cluster, chunk: bytes, step: float) -> np.ndarray:
    reader = BitReader(chunk)
    vectors = read_reflections(reader, cluster.count) if cluster.count > 1 else None
    basis = Basis(np.zeros(cluster.count, np.int64), vectors)
    return basis.inverse(coder.components(Chunk(reader, chunk, cluster.count, step)), np.dtype(np.int32))
