"""Clusters predicted from components of their segment: a KLT over many bands, with access to few of them.

`key_distance` clusters are a segment, which is decoded alone. Its first, the key cluster, carries the KLT of all bands
of the segment, coded as one cluster of `wavelet-learned`. Every cluster, the key one too, is predicted from it; what
that leaves is coded where it pays. It takes two chunks at most to decode a cluster, and a damaged one costs its segment
at most.

The chunk of a key cluster is a u32 that counts the bytes of the components, these, and then what the chunk of every
other cluster is: a residual, in the same bits::

    vectors of a KLT over its bands (`bandpress.transforms.klt`), if there are two bands or more
    what `bandpress.contexts.components` says
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bandpress.clusters import Cluster
from bandpress.codecs.base import Codec, Encoding, Look
from bandpress.codecs.budgets import within
from bandpress.codecs.targets import meet, one_target, psnr_of, rounded_step, step_of
from bandpress.container.bits import BitReader, BitWriter
from bandpress.container.bitstream import Header, overhead
from bandpress.contexts import store as context_store
from bandpress.contexts.components import Chunk, ComponentCoder, Part
from bandpress.contexts.model import ContextModel
from bandpress.contexts.quantisation import WORTH
from bandpress.errors import BitstreamError, CodecError
from bandpress.scene import Scene, clipped
from bandpress.transforms import cluster_klt
from bandpress.transforms.klt import covariance, read_reflections, reflections, write_reflections
from bandpress.transforms.rklt import Reflections, Rklt

_LENGTH = struct.Struct("<I")
_ORDER = "components"
#: Where a search for a target starts, in DN.
_FIRST_STEP = 100.0


class Trial(NamedTuple):
    """A scene as coded with a step."""

    step: float
    chunks: list[bytes]
    mse: float


@dataclass(frozen=True)
class PredictedLearned(Codec):
    """Prediction from components + contexts.

    Parameters
    ----------
    model
        Folder or name of a context model: the one in this package, or one that ``bandpress train-contexts`` made.
    rate
        Target in bits per sample, everything in the file counted.
    psnr
        Target in dB at a peak of 65,535, instead of a rate.
    step
        Quantiser step in DN, instead of a target.
    bands_per_cluster
        Bands of a cluster.
    key_distance
        Clusters of a segment.
    """

    name = "predicted-learned"
    label = "Prediction + context model"
    look = Look("purple", "X", (0, (4, 1, 4, 1, 1, 1)))
    model_kind = "context model"
    shares_rate = True
    searches = True

    model: str | Path = "contexts"
    rate: float | None = None
    psnr: float | None = None
    step: float | None = None
    bands_per_cluster: int = 3
    key_distance: int = 16

    def __post_init__(self) -> None:
        one_target(self.name, rate=self.rate, psnr=self.psnr, step=self.step)
        for key in ("bands_per_cluster", "key_distance"):
            value = getattr(self, key)
            if type(value) is not int or value < 1:
                raise CodecError(f"codec {self.name}: {key} {value!r}; expected a positive integer")

    @cached_property
    def _stored(self) -> ContextModel:
        return context_store.named(self.model)

    def encode(self, scene: Scene) -> Encoding:
        """Code a scene, see `Codec.encode`."""

        def value(trial: Trial) -> float:
            if self.psnr is not None:
                return psnr_of(trial.mse)
            size = sum(map(len, trial.chunks)) + overhead(self._header(scene, trial.step))
            return 8 * size / scene.cube.size

        if self.step is not None:
            found = self._trial(scene, self.step)
        else:
            kind, target = ("rate", self.rate) if self.rate is not None else ("psnr", self.psnr)
            assert target is not None
            found = meet(lambda step: self._trial(scene, step), value, kind, target, _FIRST_STEP)
        header = self._header(scene, found.step)
        parameters = dict(header.parameters)
        if self.psnr is not None:
            parameters["psnr"] = round(value(found), 3)
        chunks = found.chunks if self.rate is None else within(self.rate, header, found.chunks)
        return Encoding(header.bands_per_cluster, chunks, parameters, header.model)

    @classmethod
    def decoder(cls, header: Header, model: Path | None = None) -> "PredictedLearned":
        """Return the codec for a file; see `Codec.decoder`."""
        if header.model is None:
            raise BitstreamError("the header names no model; expected the digest of one")
        found = context_store.find(header.model, model)
        assert found.path is not None
        return cls(model=found.path, step=step_of(header), key_distance=_distance(header))

    def decode(self, header: Header, chunks: Iterable[tuple[Cluster, bytes]]) -> Iterator[np.ndarray]:
        """Decode clusters, each after the key cluster of its segment, see `Codec.decode`."""
        coder = ComponentCoder(self._stored, header.lines, header.samples)
        segments = _segments(header.clusters, _distance(header))
        dtype, step = np.dtype(header.dtype), step_of(header)
        at, predicted = slice(0), np.zeros(0, dtype)
        for cluster, chunk in chunks:
            segment = segments[cluster]
            if at != (bands := _bands(segment)):
                if cluster != segment[0]:
                    raise BitstreamError(f"cluster {cluster} comes without the components of its segment")
                at = bands
                base, chunk = _split(cluster, chunk)
                reader = BitReader(base)
                inverse = cluster_klt.read(reader, at.stop - at.start)
                (components,) = coder.decode([Chunk(reader, base, at.stop - at.start, step)])
                predicted = clipped(inverse(components), dtype)
            residual = _read_residual(coder, cluster, chunk, step)
            yield clipped(predicted[_within(cluster, at)] + residual, dtype)

    @classmethod
    def needed(cls, header: Header, cluster: Cluster) -> tuple[Cluster, ...]:
        """Return the key cluster of a segment, and the cluster itself; see `Codec.needed`."""
        key = _segments(header.clusters, _distance(header))[cluster][0]
        return (cluster,) if cluster == key else (key, cluster)

    def _header(self, scene: Scene, step: float) -> Header:
        parameters: dict[str, Any] = {"key_distance": self.key_distance, "order": _ORDER, "step": step}
        return Header.of_scene(scene, self.name, self.bands_per_cluster, parameters, self._stored.digest)

    def _trial(self, scene: Scene, step: float) -> Trial:
        step = rounded_step(step)
        coder = ComponentCoder(self._stored, scene.lines, scene.samples)
        chunks: list[bytes] = []
        squared = 0.0
        segments = _segments(self._header(scene, step).clusters, self.key_distance)
        for segment in dict.fromkeys(segments.values()):
            bands = _bands(segment)
            samples = scene.cube[bands]
            transformed = cluster_klt.forward(samples, _level(step))
            ((base, components),) = coder.code([Part(transformed.components, step, transformed.side)])
            inverse = cluster_klt.read(BitReader(transformed.side.to_bytes()), len(samples))
            residual = samples.astype(np.int32) - clipped(inverse(components), scene.dtype)
            parts = [residual[_within(cluster, bands)] for cluster in segment]
            coded = _code_residuals(coder, parts, step)
            chunks.append(_LENGTH.pack(len(base)) + base + coded[0][0])
            chunks += [chunk for chunk, _ in coded[1:]]
            for cluster, part, (_, left) in zip(segment, parts, coded, strict=True):
                error = scene.only_measured(cluster.bands, (part - left).astype(np.float64))
                squared += float(np.square(error).sum())
        return Trial(step, chunks, squared / max(scene.measured(), 1))


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
    """Return the distortion that a basis is made for."""
    return cluster_klt.SAFETY * step * step / 12


def _split(cluster: Cluster, chunk: bytes) -> tuple[bytes, bytes]:
    """Cut the chunk of a key cluster into its components and its residual."""
    size = _LENGTH.unpack_from(chunk)[0] if len(chunk) >= _LENGTH.size else len(chunk)
    stop = _LENGTH.size + size
    if stop > len(chunk):
        raise BitstreamError(
            f"cluster {cluster}: announces {size} bytes of components; expected at most {len(chunk) - _LENGTH.size}"
        )
    return chunk[_LENGTH.size : stop], chunk[stop:]


def _code_residuals(
    coder: ComponentCoder, residuals: Sequence[np.ndarray], step: float
) -> list[tuple[bytes, np.ndarray]]:
    """Return the chunk of each residual, with what it decodes to: coded, or nothing where that costs less."""
    bases = [
        reflections(covariance(one), _level(step), one[0].size) if len(one) > 1 else None for one in residuals
    ]
    coded = coder.code([_part(one, basis, step) for one, basis in zip(residuals, bases, strict=True)])
    found = []
    for residual, basis, (chunk, components) in zip(residuals, bases, coded, strict=True):
        if basis is not None:
            components = Rklt(basis.matrix()).inverse(components)
        nothing = coder.nothing(_part(residual, None, step))
        pays = _cost(residual, chunk, components, step) < _cost(residual, *nothing, step)
        found.append((chunk, components) if pays else nothing)
    return found


def _part(residual: np.ndarray, basis: Reflections | None, step: float) -> Part:
    """Return a residual to be coded, in a basis or as it is."""
    side, bands = BitWriter(), len(residual)
    if bands > 1:
        write_reflections(side, basis or Reflections(bands, (), ()))
    return Part(residual if basis is None else Rklt(basis.matrix()).forward(residual), step, side)


def _cost(residual: np.ndarray, chunk: bytes, decoded: np.ndarray, step: float) -> float:
    """Return bits a pixel + what the squared error of a pixel is worth in bits."""
    error = np.square(residual - decoded, dtype=np.float64).sum() / residual[0].size
    return float(8 * len(chunk) / residual[0].size + WORTH / step**2 * error)


def _read_residual(coder: ComponentCoder, cluster: Cluster, chunk: bytes, step: float) -> np.ndarray:
    reader = BitReader(chunk)
    basis = read_reflections(reader, cluster.count) if cluster.count > 1 else None
    (components,) = coder.decode([Chunk(reader, chunk, cluster.count, step)])
    return components if basis is None else Rklt(basis.matrix()).inverse(components)
