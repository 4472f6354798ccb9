"""The learned codec: each cluster through one network, its symbols through a range coder, exact on every machine.

`bandpress.hyperprior.chunks` has the layout of a chunk, and the functions from clusters to chunks and back.

A cluster with fewer bands than the network takes is coded with its last band repeated; a decoder drops the copies. A
cluster with dissimilar bands may be coded in two parts, see `bandpress.hyperprior.parts`.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bandpress.clusters import Cluster, split
from bandpress.codecs.base import Codec, Encoding, Look
from bandpress.codecs.ratecontrol import search_family
from bandpress.codecs.targets import positive
from bandpress.container.bitstream import Header
from bandpress.errors import CodecError, ModelError
from bandpress.hyperprior import opened, parts, store
from bandpress.hyperprior.architecture import STEPS_PER_QUALITY, Architecture
from bandpress.hyperprior.chunks import (
    Batch,
    analyse_batch,
    load_batch,
    read_batch,
    restore_batch,
    synthesise_batch,
    worth,
    write_batch,
)
from bandpress.hyperprior.points import Point, point_of_quality
from bandpress.hyperprior.processor import has_bfloat16
from bandpress.hyperprior.store import StoredModel
from bandpress.machine import helpers
from bandpress.pipeline import ahead, batches
from bandpress.scene import Scene

if TYPE_CHECKING:
    from bandpress.hyperprior.network import Network, Symbols

PRECISIONS = ("auto", "float32", "bfloat16")


@dataclass(frozen=True)
class Learned(Codec):
    """The network codec.

    Parameters
    ----------
    model
        Folder or name of a model or of a family of models.
    quality
        Number of the family's operating point, 1 for the lowest; models with gains also take fractions. Default: the
        highest.
    rate
        Target in bits per sample, instead of a quality.
    psnr
        Target in dB with the peak 65,535, instead of a quality.
    batch
        Clusters that go through the network together; 0: as many as the memory for activations allows. Affects speed
        and memory; symbols near a half may round differently, which moves samples by 1.
    precision
        Arithmetic of the encoder: ``"float32"``; ``"bfloat16"``, which halves the time of its costliest convolutions on
        processors with such instructions, at a loss that grows with quality; ``"auto"``, bfloat16 on such processors,
        so that files depend on the machine. Decoders always use float32.
    refine
        Steps of iterative latent refinement, see `bandpress.hyperprior.refinement`: a smaller file of the same quality
        from a slower encoder. Each step takes about three times as long as decoding; 100 steps give most of the gain.
        The decoder does not change.
    bands_per_cluster
        Required cluster size of the model; None: any.
    """

    name = "learned"
    label = "Learned"
    look = Look("blue", "o", "-")
    model_kind = "network"
    needs_tensorflow = True
    shares_rate = True

    model: str | Path
    quality: float | None = None
    rate: float | None = None
    psnr: float | None = None
    batch: int = 0
    precision: str = "float32"
    refine: int = 0
    bands_per_cluster: int | None = None

    def __post_init__(self) -> None:
        given = [key for key in ("quality", "rate", "psnr") if getattr(self, key) is not None]
        if len(given) > 1:
            raise CodecError(f"codec learned: {' and '.join(given)} were given; expected one of them")
        for key in set(given) - {"quality"}:
            positive(self.name, key, getattr(self, key))
        if self.batch < 0:
            raise CodecError(f"codec learned: a batch of {self.batch}; expected 0 (automatic) or more")
        if self.refine < 0:
            raise CodecError(f"codec learned: {self.refine} steps of refinement; expected 0 or more")
        if self.precision not in PRECISIONS:
            raise CodecError(
                f"codec learned: precision {self.precision!r}; expected one of {', '.join(PRECISIONS)}"
            )

    def encode(self, scene: Scene) -> Encoding:
        """Code a scene; see `Codec.encode`."""
        family = store.members(self.model)
        k = family[0].architecture.bands_per_cluster
        if self.bands_per_cluster not in (None, k):
            raise ModelError(
                f"{self.model}: a model for clusters of {k} bands; expected one for {self.bands_per_cluster}"
            )
        if self.rate is not None:
            return search_family(self, scene, family, "rate", self.rate)
        if self.psnr is not None:
            return search_family(self, scene, family, "psnr", self.psnr)
        return self.encode_at(scene, point_of_quality(family, self.quality))

    def encode_at(self, scene: Scene, point: Point, chunks: Iterable[bytes] | None = None) -> Encoding:
        """Code a scene at an operating point, or wrap chunks already coded at it."""
        parameters: dict[str, Any] = {}
        if point.lambda_ is not None:
            parameters["lambda"] = point.lambda_
        k = point.model.architecture.bands_per_cluster
        return Encoding(
            bands_per_cluster=k,
            chunks=self.chunks(scene, point, split(scene.bands, k)) if chunks is None else chunks,
            parameters=parameters,
            model=point.model.digest,
        )

    def chunks(self, scene: Scene, point: Point, clusters: Sequence[Cluster]) -> Iterator[bytes]:
        """Code some clusters of a scene, each whole or in two parts, whichever costs less."""
        for cluster, chunk in zip(clusters, self._chunks(scene, point, clusters), strict=True):
            cut = parts.of_cluster(scene, cluster, point) if point.lambda_ is not None else None
            yield chunk if cut is None else self._cheaper(scene, point, cluster, chunk, cut)

    def _cheaper(
        self, scene: Scene, point: Point, cluster: Cluster, whole: bytes, cut: tuple[Cluster, Cluster]
    ) -> bytes:
        """Return the chunk with the lower bits per pixel + lambda · squared error."""
        k = point.model.architecture.bands_per_cluster
        header = Header.of_scene(scene, self.name, k, {}, point.model.digest)
        in_parts = parts.join(cut, list(self._chunks(scene, point, cut)), scene.dtype)

        def cost(chunk: bytes) -> float:
            (decoded,) = self.decode_with(point.model, header, [(cluster, chunk)])
            error = scene.only_measured(cluster.bands, scene.cube[cluster.bands].astype(np.float64) - decoded)
            assert point.lambda_ is not None
            return 8 * len(chunk) + point.lambda_ / k * float(np.square(error).sum())

        return min(whole, in_parts, key=cost)

    def _chunks(self, scene: Scene, point: Point, clusters: Sequence[Cluster]) -> Iterator[bytes]:
        """Code clusters whole: reading, network and range coding overlap."""
        network = opened.open_network(point.model)
        size = self._batch_size(point.model.architecture, scene.lines, scene.samples)
        with helpers(2) as pool:
            inputs = ahead(lambda group: load_batch(scene, group, point), batches(clusters, size), pool)
            coded = ((batch, self._analyse(network, batch, scene, point)) for batch in inputs)
            for chunks in ahead(lambda pair: write_batch(network, *pair, scene.dtype), coded, pool):
                yield from chunks

    def _analyse(self, network: "Network", batch: "Batch", scene: Scene, point: Point) -> "Symbols | None":
        if not self.refine or not batch.active:
            return analyse_batch(network, batch, self.bfloat16)
        qualities = batch.steps / STEPS_PER_QUALITY
        size = scene.lines, scene.samples
        refiner = opened.open_refiner(point.model)
        return network.symbols(
            refiner.refine(batch.content, qualities, worth(batch, point), size, self.refine), batch.steps
        )

    @classmethod
    def decoder(cls, header: Header, model: Path | None = None) -> "Learned":
        """Return the codec for a file; see `Codec.decoder`."""
        return cls(model=str(model_of(header, model).path))

    @classmethod
    def working_bytes(cls, cluster: Cluster) -> int:
        """Count the activations of a network of ordinary width too; see `Codec.working_bytes`."""
        return super().working_bytes(cluster) + opened.BYTES_A_PIXEL

    def decode(self, header: Header, chunks: Iterable[tuple[Cluster, bytes]]) -> Iterator[np.ndarray]:
        """Decode clusters; see `Codec.decode`."""
        assert header.model is not None
        return self.decode_with(store.find(header.model, self.model), header, chunks)

    def decode_with(
        self, model: StoredModel, header: Header, chunks: Iterable[tuple[Cluster, bytes]]
    ) -> Iterator[np.ndarray]:
        """Decode clusters with a model: checking, network and restoring overlap."""
        if model.architecture.qualities == 1:
            yield from self._decode(model, header, chunks)
            return
        counts: deque[int] = deque()

        def parted() -> Iterator[tuple[Cluster, bytes]]:
            for cluster, chunk in chunks:
                found = parts.split_chunk(cluster, chunk, np.dtype(header.dtype))
                counts.append(len(found))
                yield from found

        whole: list[np.ndarray] = []
        for cube in self._decode(model, header, parted()):
            whole.append(cube)
            if len(whole) == counts[0]:
                yield whole[0] if counts.popleft() == 1 else np.concatenate(whole)
                whole = []

    def _decode(
        self, model: StoredModel, header: Header, chunks: Iterable[tuple[Cluster, bytes]]
    ) -> Iterator[np.ndarray]:
        network = opened.open_network(model)
        dtype = np.dtype(header.dtype)
        size = self._batch_size(model.architecture, header.lines, header.samples)
        with helpers(2) as pool:
            groups = batches(chunks, size)
            parsed = ahead(lambda group: read_batch(network, group, header, dtype), groups, pool)
            images = ((batch, synthesise_batch(network, batch, header)) for batch in parsed)
            for cubes in ahead(lambda pair: restore_batch(*pair, header, dtype), images, pool):
                yield from cubes

    @property
    def bfloat16(self) -> bool:
        """Whether the encoder uses bfloat16."""
        return has_bfloat16() if self.precision == "auto" else self.precision == "bfloat16"

    def _batch_size(self, architecture: Architecture, lines: int, samples: int) -> int:
        return self.batch or opened.batch_size(architecture, lines, samples)


def model_of(header: Header, path: Path | None = None) -> StoredModel:
    """Find the model that a file names, and check its cluster size.

    Raises
    ------
    BitstreamError
        If the file names none.
    ModelError
        If it is not found, or is for another cluster size.
    """
    found = named_model(header, path)
    if header.bands_per_cluster != found.architecture.bands_per_cluster:
        raise ModelError(
            f"{found.path}: a model for clusters of {found.architecture.bands_per_cluster} bands; "
            f"expected one for {header.bands_per_cluster}"
        )
    return found


def named_model(header: Header, path: Path | None = None) -> StoredModel:
    """Find the model that a file names; raises as `model_of` does."""
    return store.find(header.model, path)
