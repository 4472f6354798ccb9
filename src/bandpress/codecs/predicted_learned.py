"""Prediction, then on what is left a learned codec: contexts of wavelet coefficients, or a network and JPEG 2000.

Which of them depends on the model. A context model codes everything, in the order ``components`` unless told otherwise.
Networks lose on key clusters, which need a thousandth of their range, and compete with JPEG 2000 for each cluster.
`bandpress.codecs.residual_contexts` and `bandpress.codecs.residual_network` have the chunks.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from bandpress.clusters import BandsPerCluster, Cluster
from bandpress.codecs import segment_components
from bandpress.codecs.dependence import Order
from bandpress.codecs.jpeg2000 import levels_of
from bandpress.codecs.learned import model_of
from bandpress.codecs.predicted import Job, Predicted, ResidualCoder, Trial
from bandpress.codecs.residual_contexts import ContextCoder
from bandpress.codecs.residual_network import NetworkCoder, family_with_gains
from bandpress.codecs.targets import step_of
from bandpress.container.bitstream import Header
from bandpress.contexts import store as context_store
from bandpress.contexts.components import ComponentCoder
from bandpress.contexts.model import ContextModel
from bandpress.errors import CodecError, ModelError
from bandpress.hyperprior import catalogue
from bandpress.hyperprior.store import StoredModel
from bandpress.jpeg2000 import openjpeg
from bandpress.scene import Scene

_BANDS_PER_CLUSTER = 3


@dataclass(frozen=True)
class PredictedLearned(Predicted):
    """Prediction + contexts or network, with the options of `Predicted`.

    Parameters
    ----------
    model
        Folder or name of a context model, or of a network with gains.
    order
        As in `Predicted`; default: ``"components"`` with contexts, ``"tree"`` with a network.
    bands_per_cluster
        Default: 3 with contexts, what the network is for with a network.
    jpeg2000
        With a network: let JPEG 2000 code clusters where it costs less; needs OpenJPEG for writing and for reading.
    batch
        With a network: clusters that go through it together; 0: as many as memory for activations allows.
    refine
        With a network: steps of a search for better latents, see `bandpress.hyperprior.refinement`.
    """

    name: ClassVar[str] = "predicted-learned"

    bands_per_cluster: BandsPerCluster | None = None  # type: ignore[assignment]
    order: Order | None = None  # type: ignore[assignment]
    model: str | Path = field(kw_only=True)
    jpeg2000: bool = True
    batch: int = 0
    refine: int = 0

    def __post_init__(self) -> None:
        contexts = isinstance(self._stored, ContextModel)
        if self.order is None:
            object.__setattr__(self, "order", "components" if contexts else "tree")
        if self.order == "components" and not contexts:
            raise CodecError(
                f"codec {self.name}: the order components with a network; expected a context model"
            )
        super().__post_init__()

    @classmethod
    def decoder(cls, header: Header, model: Path | None = None) -> "PredictedLearned":
        """Return the codec for a file; see `Codec.decoder`."""
        if header.model is not None:
            folder = catalogue.locate(header.model, model)
            if context_store.is_context_model(folder):
                return cls(model=folder, step=1.0, order=header.parameters.get("order"))
        return cls(model=str(model_of(header, model).path), step=1.0)

    @cached_property
    def _stored(self) -> ContextModel | StoredModel:
        if context_store.is_context_model(self.model):
            return context_store.named(self.model)
        return family_with_gains(self.model, self.bands_per_cluster)

    def _model(self) -> tuple[BandsPerCluster, str | None]:
        if isinstance(self._stored, ContextModel):
            return self.bands_per_cluster or _BANDS_PER_CLUSTER, self._stored.digest
        return self._stored.architecture.bands_per_cluster, self._stored.digest

    def _parameters(self, scene: Scene) -> dict[str, Any]:
        if isinstance(self._stored, ContextModel):
            return {}
        return {"levels": levels_of(scene.lines, scene.samples), "lossless": False}

    def _components(self, header: Header) -> ComponentCoder:
        if not isinstance(self._stored, ContextModel):
            raise ModelError(f"{self.model}: a network; expected a context model")
        return ComponentCoder(self._stored, header.lines, header.samples)

    def _coder(self, header: Header) -> ResidualCoder:
        if isinstance(self._stored, ContextModel):
            return ContextCoder(self._components(header), header.clusters[0].count)
        if self.jpeg2000:
            openjpeg.bindings()
        return NetworkCoder(self._stored, header, self.batch, self.jpeg2000, self.refine)

    def _closed_loop(self, scene: Scene, header: Header, step: float, jobs: list[Job] | None = None) -> Trial:
        if self.order != "components":
            return super()._closed_loop(scene, header, step, jobs)
        coder = self._components(header)
        return segment_components.encode(scene, header.clusters, self.key_distance, step, coder)

    def decode(self, header: Header, chunks: Iterable[tuple[Cluster, bytes]]) -> Iterator[np.ndarray]:
        """Decode clusters, see `Codec.decode`."""
        if header.parameters.get("order") != "components":
            return super().decode(header, chunks)
        distance, _ = self._segments(header)
        return segment_components.decode(header, chunks, distance, step_of(header), self._components(header))
