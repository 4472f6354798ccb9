"""A KLT over the bands of each cluster, the 9/7 wavelet over its components, and a learned model of the coefficients.

The transforms are those of the baseline, RKLT + JPEG 2000; what is learned is how probable each coefficient is, given
those that are known (`bandpress.contexts.features`). One quantiser step serves the whole scene, so that each further
bit gains about the same everywhere. A chunk holds the side information of `rklt-jpeg2000` and what
`bandpress.contexts.components` says.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bandpress.clusters import BandsPerCluster, Cluster, split
from bandpress.codecs.base import Codec, Encoding, Look
from bandpress.codecs.budgets import pooled, within
from bandpress.codecs.targets import meet, one_target, psnr_of, rounded_step, step_of
from bandpress.container.bits import BitReader
from bandpress.container.bitstream import Header, overhead
from bandpress.contexts import store as context_store
from bandpress.contexts.components import Chunk, ComponentCoder, Part
from bandpress.contexts.model import ContextModel
from bandpress.errors import BitstreamError
from bandpress.pipeline import batches
from bandpress.scene import Scene, clipped
from bandpress.transforms import cluster_klt

#: Where a search for a target starts, in DN.
_FIRST_STEP = 100.0
#: In scenes of more samples than this, a search looks at one cluster of so many first.
_LARGE, _SAMPLED = 1 << 23, 8


class Trial(NamedTuple):
    """Some clusters as coded with a step, the error of their measurements, and how many samples they have."""

    chunks: list[bytes]
    mse: float
    samples: int


@dataclass(frozen=True)
class WaveletLearned(Codec):
    """KLT + wavelet + learned contexts.

    Parameters
    ----------
    model
        Folder or name of a context model: ``bandpress train-contexts``.
    rate
        Target in bits per sample, everything in the file counted.
    psnr
        Target in dB at a peak of 65,535, instead of a rate.
    step
        Quantiser step in DN, instead of a target.
    bands_per_cluster
        Bands of a cluster, or ``"all"``.
    """

    name = "wavelet-learned"
    label = "Wavelet + context model"
    look = Look("orange", "d", (0, (3, 1, 1, 1, 1, 1)))
    look_of_all = Look("orange", "p", (0, (6, 1.5, 1, 1.5)))
    model_kind = "context model"
    needs_tensorflow = True
    shares_rate = True
    searches = True

    model: str | Path
    rate: float | None = None
    psnr: float | None = None
    step: float | None = None
    bands_per_cluster: BandsPerCluster = 3

    def __post_init__(self) -> None:
        one_target(self.name, rate=self.rate, psnr=self.psnr, step=self.step)

    @cached_property
    def _stored(self) -> ContextModel:
        return context_store.named(self.model)

    def encode(self, scene: Scene) -> Encoding:
        """Code a scene, see `Codec.encode`."""
        clusters = split(scene.bands, self.bands_per_cluster)
        if self.step is not None:
            step, found = self.step, self._trial(scene, self.step, clusters)
        else:
            step = _FIRST_STEP
            if len(clusters) >= 2 * _SAMPLED and scene.cube.size > _LARGE:
                step, _ = self._search(scene, step, clusters[_SAMPLED // 2 :: _SAMPLED])
            step, found = self._search(scene, step, clusters)
        header = self._header(scene, step)
        parameters = dict(header.parameters)
        if self.psnr is not None:
            parameters["psnr"] = round(_psnr(found), 3)
        chunks: Iterable[bytes] = found.chunks
        if self.rate is not None:
            chunks = within(self.rate, header, chunks)
        return Encoding(self.bands_per_cluster, chunks, parameters, self._stored.digest)

    @classmethod
    def decoder(cls, header: Header, model: Path | None = None) -> "WaveletLearned":
        """Return the codec for a file; see `Codec.decoder`."""
        if header.model is None:
            raise BitstreamError("the header names no model; expected the digest of one")
        found = context_store.find(header.model, model)
        assert found.path is not None
        return cls(model=found.path, step=step_of(header), bands_per_cluster=header.bands_per_cluster)

    def decode(self, header: Header, chunks: Iterable[tuple[Cluster, bytes]]) -> Iterator[np.ndarray]:
        """Decode clusters, see `Codec.decode`."""
        coder = ComponentCoder(self._stored, header.lines, header.samples)
        inverses = []

        def parsed() -> Iterator[Chunk]:
            for cluster, chunk in chunks:
                reader = BitReader(chunk)
                inverses.append(cluster_klt.read(reader, cluster.count))
                yield Chunk(reader, chunk, cluster.count, step_of(header))

        for components in coder.decode(parsed()):
            yield clipped(inverses.pop(0)(components), np.dtype(header.dtype))

    def _search(self, scene: Scene, start: float, clusters: Sequence[Cluster]) -> tuple[float, Trial]:
        """Return the step at which some clusters meet the target, and what they are then."""

        def value(pair: tuple[float, Trial]) -> float:
            trial = pair[1]
            if self.psnr is not None:
                return _psnr(trial)
            share = trial.samples / scene.cube.size
            size = sum(map(len, trial.chunks)) + overhead(self._header(scene, 1.0)) * share
            return 8 * size / trial.samples

        kind, target = ("rate", self.rate) if self.rate is not None else ("psnr", self.psnr)
        assert target is not None
        return meet(lambda step: (step, self._trial(scene, step, clusters)), value, kind, target, start)

    def _header(self, scene: Scene, step: float) -> Header:
        parameters: dict[str, Any] = {"step": rounded_step(step)}
        return Header.of_scene(scene, self.name, self.bands_per_cluster, parameters, self._stored.digest)

    def _trial(self, scene: Scene, step: float, clusters: Sequence[Cluster]) -> Trial:
        """Code clusters of a scene, some at a time."""
        step = rounded_step(step)
        coder = ComponentCoder(self._stored, scene.lines, scene.samples)
        level = cluster_klt.SAFETY * step * step / 12

        def coded(group: list[Cluster]) -> tuple[list[bytes], float]:
            parts = []
            for cluster in group:
                transformed = cluster_klt.forward(scene.cube[cluster.bands], level)
                parts.append(Part(transformed.components, step, transformed.side))
            chunks, squared_error = [], 0.0
            for cluster, part, (chunk, components) in zip(group, parts, coder.code(parts), strict=True):
                inverse = cluster_klt.read(BitReader(part.side.to_bytes()), cluster.count)
                samples = clipped(inverse(components), scene.dtype)
                error = samples.astype(np.float32) - scene.cube[cluster.bands]
                error = scene.only_measured(cluster.bands, error)
                squared_error += float(np.square(error).sum(dtype=np.float64))
                chunks.append(chunk)
            return chunks, squared_error

        done = pooled(coded, batches(clusters, coder.batch(clusters[0].count)))
        chunks, errors = zip(*done, strict=True)
        samples = sum(cluster.count for cluster in clusters) * scene.lines * scene.samples
        measured = sum(scene.measured(cluster.bands) for cluster in clusters)
        return Trial([chunk for some in chunks for chunk in some], sum(errors) / max(measured, 1), samples)


def _psnr(trial: Trial) -> float:
    return psnr_of(trial.mse)
