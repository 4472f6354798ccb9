"""Codec protocol, which every codec implements: a scene to one chunk per cluster, and back."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from bandpress.clusters import BandsPerCluster, Cluster
from bandpress.container.bitstream import Header
from bandpress.scene import Scene

#: Bytes of a sample while its cluster is decoded: as a component, and as a sample.
_WORKING_BYTES = 8


@dataclass(frozen=True)
class Encoding:
    """A coded scene, chunk by chunk.

    Parameters
    ----------
    bands_per_cluster
        How the scene was cut.
    chunks
        One byte string per cluster, in order of bands; may be made while it is iterated over.
    parameters
        What the decoder needs besides the chunks, as JSON; known before the first chunk.
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
        As Matplotlib takes them; no other codec should have the same.
    """

    colour: str
    marker: str
    line: Any


class Codec(ABC):
    """Base class of codecs.

    A codec is a frozen dataclass whose fields are its options (`rate`, `bands_per_cluster`, `model` …), with
    defaults; the command line and the study give them by name, and check them by type. One file under ``codecs/``, one
    entry in the registry; what the study, the command line and the figures need to know of it are class attributes.
    """

    #: Name in the registry, in files and in studies.
    name: ClassVar[str]
    #: Name as legends give it. Default: `name`.
    label: ClassVar[str] = ""
    #: How figures draw it, and how they do with all bands in one cluster. Default: a look that is free.
    look: ClassVar[Look | None] = None
    look_of_all: ClassVar[Look | None] = None
    #: What its option `model` is. Default: it has none.
    model_kind: ClassVar[Literal["network", "context model"] | None] = None
    #: Whether it runs in the TensorFlow environment alone.
    needs_tensorflow: ClassVar[bool] = False
    #: Whether the scene's rate is shared over clusters by distortion; of no account where there is an `allocation`.
    shares_rate: ClassVar[bool] = False

    @abstractmethod
    def encode(self, scene: Scene) -> Encoding:
        """Code a scene whose type is one of `bandpress.scene.CODABLE`.

        Parameters
        ----------
        scene
            What to code. Memory stays bounded if clusters are read one batch after the other.

        Returns
        -------
        Encoding
            The chunks and what describes them.
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
        """Return the clusters whose chunks are needed to decode one: only itself, unless the codec predicts.

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
        """Return about how many bytes a pixel of a cluster takes while it is decoded."""
        return _WORKING_BYTES * cluster.count

    @abstractmethod
    def decode(self, header: Header, chunks: Iterable[tuple[Cluster, bytes]]) -> Iterator[np.ndarray]:
        """Decode clusters.

        Parameters
        ----------
        header
            The file's header.
        chunks
            Clusters, in any number and in increasing order, and their chunks; with each cluster those that it needs.
            Already checked against their checksums.

        Yields
        ------
        numpy.ndarray
            Samples of each cluster in turn, shape (cluster bands, lines, samples), dtype of the header.
        """
