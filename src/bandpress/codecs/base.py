"""Base class of codecs, which turn a scene into one chunk per cluster, and back."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from bandpress.clusters import BandsPerCluster, Cluster
from bandpress.container.bitstream import Header
from bandpress.scene import Scene

#: Bytes per sample while its cluster is decoded: as a component and as a sample.
_WORKING_BYTES = 8


@dataclass(frozen=True)
class Encoding:
    """A coded scene, chunk by chunk.

    Parameters
    ----------
    bands_per_cluster
        Bands of each cluster, or ``"all"``.
    chunks
        One byte string per cluster, in order of bands; may be a lazy iterable.
    parameters
        Other data for the decoder, as JSON; known before the first chunk.
    model
        SHA-256 of the model in hexadecimal, or None.
    """

    bands_per_cluster: BandsPerCluster
    chunks: Iterable[bytes]
    parameters: dict[str, Any] = field(default_factory=dict)
    model: str | None = None


class Look(NamedTuple):
    """Look of a codec's curves in figures.

    Parameters
    ----------
    colour
        Name of one of the colours of `bandpress.study.figures.style`.
    marker, line
        Matplotlib marker and line style; no other codec should have the same.
    """

    colour: str
    marker: str
    line: Any


class Codec(ABC):
    """Base class of codecs.

    A codec is a frozen dataclass whose fields are its options (`rate`, `bands_per_cluster`, `model` …), with defaults.
    The command line and the study set them by name and check their types. A codec is one file under ``codecs/`` and one
    entry in the registry; its class attributes describe it to the study, the command line and the figures.
    """

    #: Name in the registry, in files and in studies.
    name: ClassVar[str]
    #: Name in legends. Default: `name`.
    label: ClassVar[str] = ""
    #: Looks in figures, of clusters and of all bands in one cluster. Default: an unused look.
    look: ClassVar[Look | None] = None
    look_of_all: ClassVar[Look | None] = None
    #: Kind of its option `model`. Default: it has no model.
    model_kind: ClassVar[Literal["network", "context model"] | None] = None
    #: Whether it needs the TensorFlow environment.
    needs_tensorflow: ClassVar[bool] = False
    #: Whether it shares the scene's rate over clusters to minimise distortion; ignored if it has the option
    #: `allocation`.
    shares_rate: ClassVar[bool] = False

    @abstractmethod
    def encode(self, scene: Scene) -> Encoding:
        """Code a scene whose type is one of `bandpress.scene.CODABLE`.

        Parameters
        ----------
        scene
            The scene. Memory stays bounded if clusters are read one batch after the other.

        Returns
        -------
        Encoding
            The chunks and their description.
        """

    @classmethod
    @abstractmethod
    def decoder(cls, header: Header, model: Path | None = None) -> "Codec":
        """Return a codec that can decode files with this header.

        Parameters
        ----------
        header
            The file's header.
        model
            Folder of the network model, for codecs that have one.

        Raises
        ------
        ModelError
            If the model is missing or is not the one that the header names.
        """

    @classmethod
    def needed(cls, header: Header, cluster: Cluster) -> tuple[Cluster, ...]:
        """Return the clusters whose chunks are needed to decode a cluster: only itself, unless the codec predicts.

        Parameters
        ----------
        header
            The file's header.
        cluster
            One of its clusters.

        Returns
        -------
        tuple of Cluster
            In increasing order, `cluster` among them.
        """
        return (cluster,)

    @classmethod
    def working_bytes(cls, cluster: Cluster) -> int:
        """Return the approximate bytes per pixel of a cluster during decoding."""
        return _WORKING_BYTES * cluster.count

    @abstractmethod
    def decode(self, header: Header, chunks: Iterable[tuple[Cluster, bytes]]) -> Iterator[np.ndarray]:
        """Decode clusters.

        Parameters
        ----------
        header
            The file's header.
        chunks
            Any number of clusters in increasing order, including those that `needed` returns for them, and their
            chunks. Checksums are already verified.

        Yields
        ------
        numpy.ndarray
            Samples of each cluster in turn, shape (cluster bands, lines, samples), dtype of the header.
        """
