"""Prediction, then on what is left the network codec or JPEG 2000, whichever costs less.

Networks lose on key clusters, which need a thousandth of their range. `bandpress.codecs.residual_network` has the
chunk.
"""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from bandpress import openjpeg
from bandpress.bitstream import Header
from bandpress.clusters import BandsPerCluster
from bandpress.codecs.jpeg2000 import levels_of
from bandpress.codecs.learned import model_of
from bandpress.codecs.predicted import Predicted, ResidualCoder
from bandpress.codecs.residual_network import NetworkCoder, family_with_gains
from bandpress.model.store import StoredModel
from bandpress.scene import Scene


@dataclass(frozen=True)
class PredictedLearned(Predicted):
    """Prediction + network, with the options of `Predicted`.

    Parameters
    ----------
    model
        Folder or name of a model with gains.
    jpeg2000
        Let JPEG 2000 code clusters where it costs less; needs OpenJPEG for writing and for reading.
    batch
        Clusters that go through the network together; 0: as many as memory for activations allows.
    refine
        Steps of a search for better latents, see `bandpress.model.refinement`.
    """

    name: ClassVar[str] = "predicted-learned"

    bands_per_cluster: BandsPerCluster | None = None  # type: ignore[assignment]
    model: str | Path = field(kw_only=True)
    jpeg2000: bool = True
    batch: int = 0
    refine: int = 0

    @classmethod
    def decoder(cls, header: Header, model: Path | None = None) -> "PredictedLearned":
        """Return the codec for a file; see `Codec.decoder`."""
        return cls(model=str(model_of(header, model).path), step=1.0)

    @cached_property
    def _stored(self) -> StoredModel:
        return family_with_gains(self.model, self.bands_per_cluster)

    def _model(self) -> tuple[BandsPerCluster, str | None]:
        return self._stored.architecture.bands_per_cluster, self._stored.digest

    def _parameters(self, scene: Scene) -> dict[str, Any]:
        return {"levels": levels_of(scene.lines, scene.samples), "lossless": False}

    def _coder(self, header: Header) -> ResidualCoder:
        if self.jpeg2000:
            openjpeg.bindings()
        return NetworkCoder(self._stored, header, self.batch, self.jpeg2000, self.refine)
