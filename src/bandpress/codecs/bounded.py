"""Lossless and near-lossless coding by adaptive least-squares prediction, with a bound on every error."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np

from bandpress.bounded import coding
from bandpress.clusters import BandsPerCluster, Cluster, split
from bandpress.codecs.base import Codec, Encoding
from bandpress.codecs.budgets import pooled
from bandpress.codecs.targets import one_bound
from bandpress.container.bitstream import Header
from bandpress.errors import CodecError
from bandpress.scene import Scene

#: Most bands used to predict a band.
_MOST_REFERENCES = 255


@dataclass(frozen=True)
class Bounded(Codec):
    """Adaptive prediction, a bounded quantiser, and mixed contexts.

    Parameters
    ----------
    max_error
        Largest absolute error of any sample, in DN.
    lossless
        Exact reconstruction, equal to a bound of 0. Give one of the two.
    bands_per_cluster
        Bands of a cluster. Clusters are coded independently.
    references
        Most earlier bands of the cluster used to predict a band.
    """

    name: ClassVar[str] = "bounded"
    label: ClassVar[str] = "Prediction with a bound"

    max_error: int | None = None
    lossless: bool = False
    bands_per_cluster: BandsPerCluster = 112
    references: int = 48

    def __post_init__(self) -> None:
        error = one_bound(self.name, self.max_error, self.lossless)
        object.__setattr__(self, "max_error", error)
        object.__setattr__(self, "lossless", error == 0)
        if not 1 <= self.references <= _MOST_REFERENCES:
            raise CodecError(
                f"codec {self.name}: references {self.references}; expected 1 to {_MOST_REFERENCES}"
            )

    def encode(self, scene: Scene) -> Encoding:
        """Code a scene, see `Codec.encode`."""
        error = self.max_error
        assert error is not None

        def coded(cluster: Cluster) -> bytes:
            return coding.encode(scene.cube[cluster.bands], error, self.references)

        clusters = split(scene.bands, self.bands_per_cluster)
        parameters = {"max_error": error, "references": self.references}
        return Encoding(self.bands_per_cluster, pooled(coded, clusters), parameters)

    @classmethod
    def decoder(cls, header: Header, model: Path | None = None) -> "Bounded":
        """Return the codec, see `Codec.decoder`."""
        error, references = (header.parameters.get(key) for key in ("max_error", "references"))
        if type(error) is not int or not 0 <= error < 1 << 16 or type(references) is not int:
            raise CodecError(
                f"scene {header.scene}: its parameters are {header.parameters}; "
                "expected max_error (0 to 65535) and references, both integers"
            )
        return cls(max_error=error, references=references, bands_per_cluster=header.bands_per_cluster)

    @classmethod
    def working_bytes(cls, cluster: Cluster) -> int:
        """Count the coder's planes too; see `Codec.working_bytes`."""
        return super().working_bytes(cluster) + coding.BYTES_A_PIXEL

    def decode(self, header: Header, chunks: Iterable[tuple[Cluster, bytes]]) -> Iterator[np.ndarray]:
        """Decode clusters, see `Codec.decode`."""
        assert self.max_error is not None
        decoded = partial(_decoded, header, self.max_error, self.references)
        yield from pooled(decoded, chunks)


def _decoded(header: Header, error: int, references: int, item: tuple[Cluster, bytes]) -> np.ndarray:
    cluster, chunk = item
    shape = (cluster.count, header.lines, header.samples)
    return coding.decode(chunk, shape, np.dtype(header.dtype), error, references)
