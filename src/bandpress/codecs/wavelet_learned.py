"""KLT over the bands of each cluster, 9/7 wavelet over its components, coefficients coded with a context model.

The transforms are those of the baseline, RKLT + JPEG 2000, without its rounding; the context model learns the
probability of each coefficient, given the known ones (`bandpress.contexts.features`). One quantiser step serves the
whole scene, so that a further bit gains about the same everywhere. A chunk holds the side information of
`rklt-jpeg2000` and the layout of `bandpress.contexts.components`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from bandpress.clusters import BandsPerCluster, Cluster, split
from bandpress.codecs.base import Look
from bandpress.codecs.budgets import pooled
from bandpress.codecs.stepped import Stepped
from bandpress.codecs.targets import SAMPLED, Trial, rounded_step, step_of
from bandpress.container.bits import BitReader, BitWriter
from bandpress.container.bitstream import Header
from bandpress.contexts import store as context_store
from bandpress.contexts.components import Chunk, ComponentCoder, Part
from bandpress.contexts.model import ContextModel
from bandpress.machine import processors
from bandpress.scene import Scene
from bandpress.transforms.cluster_klt import SAFETY
from bandpress.transforms.projection import Basis, Moments


@dataclass(frozen=True)
class WaveletLearned(Stepped):
    """KLT + wavelet + context model, with the options of `Stepped`.

    Parameters
    ----------
    model
        Folder or name of a context model, such as ``"contexts"`` of this package or one made by ``bandpress
        train-contexts``.
    bands_per_cluster
        Bands of a cluster, or ``"all"``.
    """

    name = "wavelet-learned"
    label = "Wavelet + context model"
    look = Look("orange", "d", (0, (3, 1, 1, 1, 1, 1)))
    look_of_all = Look("orange", "p", (0, (6, 1.5, 1, 1.5)))
    model_kind = "context model"

    model: str | Path = "contexts"
    bands_per_cluster: BandsPerCluster = 3

    @cached_property
    def _stored(self) -> ContextModel:
        return context_store.named(self.model)

    @classmethod
    def decoder(cls, header: Header, model: Path | None = None) -> "WaveletLearned":
        """Return the codec for a file; see `Codec.decoder`."""
        found = context_store.find(header.model, model)
        assert found.path is not None
        return cls(model=found.path, step=step_of(header), bands_per_cluster=header.bands_per_cluster)

    def decode(self, header: Header, chunks: Iterable[tuple[Cluster, bytes]]) -> Iterator[np.ndarray]:
        """Decode clusters, see `Codec.decode`."""
        threads = processors() if len(header.clusters) == 1 else 1
        coder = ComponentCoder(self._stored, header.lines, header.samples, threads)
        step, dtype = step_of(header), np.dtype(header.dtype)

        def decoded(item: tuple[Cluster, bytes]) -> np.ndarray:
            cluster, chunk = item
            reader = BitReader(chunk)
            basis = Basis.read(reader, cluster.count)
            return basis.inverse(coder.components(Chunk(reader, chunk, cluster.count, step)), dtype)

        yield from pooled(decoded, chunks)

    def _trial_of_part(self, scene: Scene) -> Callable[[float], Trial] | None:
        few = split(scene.bands, self.bands_per_cluster)[SAMPLED // 2 :: SAMPLED]
        return self._trial(scene, few) if len(few) > 1 else super()._trial_of_part(scene)

    def _header(self, scene: Scene, step: float) -> Header:
        parameters: dict[str, Any] = {"step": rounded_step(step)}
        return Header.of_scene(scene, self.name, self.bands_per_cluster, parameters, self._stored.digest)

    def _trial(self, scene: Scene, clusters: Sequence[Cluster] | None = None) -> Callable[[float], Trial]:
        """Return a function that codes clusters of a scene with a step. Default: all clusters."""
        clusters = split(scene.bands, self.bands_per_cluster) if clusters is None else clusters
        threads = processors() if len(clusters) == 1 else 1
        coder = ComponentCoder(self._stored, scene.lines, scene.samples, threads)
        known: dict[Cluster, Moments] = {}
        measured = sum(scene.measured(cluster.bands) for cluster in clusters)
        samples = sum(cluster.count for cluster in clusters) * scene.lines * scene.samples

        def coded(cluster: Cluster, step: float) -> tuple[bytes, float]:
            cube = scene.cube[cluster.bands]
            if cluster not in known:
                known[cluster] = Moments.of(cube)
            basis = Basis.of(known[cluster], SAFETY * step * step / 12, cube[0].size)
            side = BitWriter()
            basis.write(side)
            part = Part(basis.forward(cube), step, side)
            if self.psnr is None:
                return coder.chunk(part), 0.0
            chunk, components = coder.code(part)
            basis = Basis.read(BitReader(side.to_bytes()), cluster.count)
            error = basis.inverse(components, scene.dtype) - cube.astype(np.float32)
            error = scene.only_measured(cluster.bands, error)
            return chunk, float(np.square(error, out=error).sum(dtype=np.float64))

        def trial(step: float) -> Trial:
            step = rounded_step(step)
            chunks, errors = zip(*pooled(lambda cluster: coded(cluster, step), clusters), strict=True)
            return Trial(step, list(chunks), sum(errors) / max(measured, 1), samples)

        return trial
