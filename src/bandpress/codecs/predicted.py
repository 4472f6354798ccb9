"""Prediction around a codec of clusters: each cluster from reconstructed ones, in a closed loop, only the rest coded.

What a KLT over all bands keeps and clusters alone throw away is mostly in the clusters nearby.
`bandpress.codecs.dependence` says which may be used for which, `bandpress.transforms.prediction` how; this module
holds the loop that is the same whatever codes the residuals. Every residual is coded with one quantiser step for the
scene, finer where others are predicted from it, so that each bit gains about the same everywhere; rates fall where
they may.

A chunk is the prediction (see `Prediction.write`), and in the same bits what codes the residual. Nothing in it depends
on another chunk but the prediction itself: all residuals may be decoded in any order.
"""

from abc import abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np

from bandpress.clusters import BandsPerCluster, Cluster
from bandpress.codecs.base import Codec, Encoding
from bandpress.codecs.budgets import pooled, within
from bandpress.codecs.dependence import Node, Order, levels, nodes
from bandpress.codecs.targets import meet, one_target, positive, psnr_of, rounded_step, step_of
from bandpress.container.bits import BitReader, BitWriter
from bandpress.container.bitstream import Header, overhead
from bandpress.errors import CodecError
from bandpress.pipeline import batches
from bandpress.scene import Scene
from bandpress.transforms import prediction
from bandpress.transforms.prediction import MOST_REFERENCES, Prediction

#: Share of the scene's step for clusters of each level, the last for all others too: what others are predicted from
#: is worth more bits, as in hierarchies of pictures. Found on training scenes.
CASCADE = (0.5, 0.7, 0.85, 1.0)
#: Where a search for a target starts, in DN.
_FIRST_STEP = 100.0


class Job(NamedTuple):
    """A residual to code.

    Parameters
    ----------
    residual
        int32, shape (bands, lines, samples), within ± 2**16.
    step
        Quantiser step in DN.
    side
        Bits of the prediction, to which those of the residual are appended.
    key
        Whether the cluster is predicted from none: the residual is the samples less their means.
    """

    residual: np.ndarray
    step: float
    side: BitWriter
    key: bool


class Item(NamedTuple):
    """A residual to decode.

    Parameters
    ----------
    cluster
        Where it belongs.
    reader
        Of the chunk, the prediction read.
    chunk
        The whole chunk.
    step
        Quantiser step in DN.
    """

    cluster: Cluster
    reader: BitReader
    chunk: bytes
    step: float


def lambda_of(step: float, k: int) -> float:
    """Return the lambda, at bits a pixel of k bands + lambda · MSE, that asks for a step where rates are high.

    There the distortion is step² / 12, and a sample costs h - log2(step) bits.
    """
    return float(6 * k / (np.log(2) * step * step))


def cost(job: Job, coded: tuple[bytes, np.ndarray]) -> float:
    """Return bits a pixel + lambda · mean squared error of a residual as coded."""
    chunk, residual = coded
    error = np.square(job.residual - residual, dtype=np.float64).mean()
    lambda_ = lambda_of(job.step, len(job.residual))
    return float(8 * len(chunk) / residual[0].size + lambda_ * error)


class ResidualCoder(Protocol):
    """What codes residuals."""

    @property
    def batch(self) -> int:
        """Residuals that it likes to get together."""

    def code(self, jobs: Sequence[Job]) -> list[tuple[bytes, np.ndarray]]:
        """Return of each job the chunk, and the residual that it decodes to."""

    def decode(self, items: Iterable[Item]) -> Iterator[np.ndarray]:
        """Yield the residual of each chunk as the encoder had it."""


class Trial(NamedTuple):
    """A scene as coded with a step."""

    step: float
    chunks: list[bytes]
    mse: float


@dataclass(frozen=True)
class Predicted(Codec):
    """The options of every codec that predicts.

    Parameters
    ----------
    rate
        Target in bits per sample, everything in the file counted.
    psnr
        Target in dB at a peak of 65,535, instead of a rate.
    step
        Quantiser step in DN, instead of a target.
    bands_per_cluster
        Bands of a cluster.
    key_distance
        Clusters of a segment, which is decoded alone: a key cluster every so many.
    order
        In which a segment is coded, see `bandpress.codecs.dependence`.
    references
        Bands that a cluster may be predicted from at most.
    drift
        A sample may differ between two machines whose residuals differ by 1 DN by at most this much, in DN.
    """

    rate: float | None = None
    psnr: float | None = None
    step: float | None = None
    bands_per_cluster: BandsPerCluster = 3
    key_distance: int = 16
    order: Order = "tree"
    references: int = 6
    drift: float = 200.0

    def __post_init__(self) -> None:
        one_target(self.name, rate=self.rate, psnr=self.psnr, step=self.step)
        positive(self.name, "drift", self.drift)
        if self.bands_per_cluster == "all":
            raise CodecError(f"codec {self.name}: all bands in one cluster; expected a number of bands")
        if not 0 <= self.references <= MOST_REFERENCES:
            raise CodecError(
                f"codec {self.name}: {self.references} references; expected 0 to {MOST_REFERENCES}"
            )
        nodes(1, self.key_distance, self.order)

    # What codes the residuals.

    @abstractmethod
    def _coder(self, header: Header) -> ResidualCoder:
        """Return what codes the residuals of a file with this header."""

    def _parameters(self, scene: Scene) -> dict[str, Any]:
        """Return what its decoder needs besides, as JSON."""
        return {}

    def _model(self) -> tuple[BandsPerCluster, str | None]:
        """Return the bands of a cluster, and the SHA-256 of the model if there is one."""
        return self.bands_per_cluster, None

    # The loop.

    def encode(self, scene: Scene) -> Encoding:
        """Code a scene, see `Codec.encode`."""

        def trial(step: float) -> Trial:
            step = rounded_step(step)
            return self._closed_loop(scene, self._header(scene, step), step)

        kind, target = ("rate", self.rate) if self.rate is not None else ("psnr", self.psnr)
        if target is None:
            assert self.step is not None
            found = trial(self.step)
        else:
            found = meet(trial, lambda one: self._value(scene, one, kind), kind, target, _FIRST_STEP)
        header = self._header(scene, found.step)
        chunks = found.chunks if self.rate is None else within(self.rate, header, found.chunks)
        parameters = dict(header.parameters)
        if self.psnr is not None:
            parameters["psnr"] = round(self._value(scene, found, "psnr"), 3)
        return Encoding(header.bands_per_cluster, chunks, parameters, header.model)

    def decode(self, header: Header, chunks: Iterable[tuple[Cluster, bytes]]) -> Iterator[np.ndarray]:
        """Decode clusters, see `Codec.decode`: all residuals first, then segment by segment what they correct."""
        distance, nodes_of = self._segments(header)
        read: deque[tuple[Node, Prediction]] = deque()

        def parsed() -> Iterator[Item]:
            for cluster, chunk in chunks:
                node, reader = nodes_of[cluster], BitReader(chunk)
                read.append((node, Prediction.read(reader, _offered(header, node), cluster.count)))
                yield Item(cluster, reader, chunk, own_step(step_of(header), node))

        segment: list[tuple[Node, Prediction, np.ndarray]] = []
        for residual in self._coder(header).decode(parsed()):
            node, predicted = read.popleft()
            if segment and segment[0][0].cluster // distance != node.cluster // distance:
                yield from _corrected(segment, np.dtype(header.dtype))
                segment = []
            segment.append((node, predicted, residual))
        yield from _corrected(segment, np.dtype(header.dtype))

    @classmethod
    def needed(cls, header: Header, cluster: Cluster) -> tuple[Cluster, ...]:
        """Return the clusters that one is predicted from, and itself; see `Codec.needed`."""
        node = cls._segments(header)[1][cluster]
        clusters = header.clusters
        return tuple(clusters[i] for i in sorted((*node.references, node.cluster)))

    @staticmethod
    def _segments(header: Header) -> tuple[int, dict[Cluster, Node]]:
        """Return the clusters of a segment, and the node of each cluster."""
        distance: Any = header.parameters.get("key_distance")
        order: Any = header.parameters.get("order")
        clusters = header.clusters
        found = nodes(len(clusters), distance, order)
        return distance, dict(zip(clusters, found, strict=True))

    def _header(self, scene: Scene, step: float) -> Header:
        parameters = {"key_distance": self.key_distance, "order": self.order, "step": rounded_step(step)}
        parameters |= self._parameters(scene)
        k, digest = self._model()
        return Header.of_scene(scene, self.name, k, parameters, digest)

    def _value(self, scene: Scene, trial: Trial, kind: str) -> float:
        if kind == "psnr":
            return psnr_of(trial.mse)
        size = sum(map(len, trial.chunks)) + overhead(self._header(scene, trial.step))
        return 8 * size / scene.cube.size

    def residuals(self, scene: Scene, step: float) -> list[Job]:
        """Return what is left to code of each cluster of a scene in a closed loop at a step."""
        jobs: list[Job] = []
        self._closed_loop(scene, self._header(scene, step), step, jobs)
        return jobs

    def _closed_loop(self, scene: Scene, header: Header, step: float, jobs: list[Job] | None = None) -> Trial:
        """Code a scene, level by level: what is predicted from is what the decoder will have."""
        coder = self._coder(header)
        clusters = header.clusters
        decoded = np.zeros(scene.cube.shape, scene.dtype.newbyteorder("="))
        bounds = np.zeros(scene.bands)
        chunks = [b""] * len(clusters)
        squared = 0.0
        for group in levels(nodes(len(clusters), self.key_distance, self.order)):
            own = own_step(step, group[0])
            for part in batches(group, coder.batch):
                predict = partial(self._predict, scene, clusters, own, decoded, bounds)
                ready = list(pooled(predict, part))
                coded = coder.code([job for job, _, _ in ready])
                if jobs is not None:
                    jobs += [job for job, _, _ in ready]
                for node, (_, predicted, bound), (chunk, residual) in zip(part, ready, coded, strict=True):
                    bands = clusters[node.cluster].bands
                    decoded[bands] = _within(predicted, residual, scene.dtype)
                    bounds[bands] = bound
                    chunks[node.cluster] = chunk
                    squared += _squared_error(scene.cube[bands], decoded[bands])
        return Trial(step, chunks, squared / scene.cube.size)

    def _predict(
        self,
        scene: Scene,
        clusters: Sequence[Cluster],
        step: float,
        decoded: np.ndarray,
        bounds: np.ndarray,
        node: Node,
    ) -> tuple[Job, np.ndarray, float]:
        """Return what is left to code of a cluster, its prediction, and by how much it may differ elsewhere."""
        samples = scene.cube[clusters[node.cluster].bands]
        places = _bands(clusters, node.references)
        offered = decoded[places]
        found = prediction.fit(
            offered, samples, step * step / 12, self.references, bounds[places], self.drift
        )
        side = BitWriter()
        found.write(side, len(places))
        predicted = found.apply(offered, scene.dtype)
        residual = samples.astype(np.int32) - predicted
        return Job(residual, step, side, not node.references), predicted, found.bound(bounds[places])


def own_step(step: float, node: Node) -> float:
    """Return the quantiser step of a cluster, given that of the scene."""
    return step * CASCADE[min(node.level, len(CASCADE) - 1)]


def _corrected(
    segment: Sequence[tuple[Node, Prediction, np.ndarray]], dtype: np.dtype
) -> Iterator[np.ndarray]:
    """Yield the clusters of one segment, in increasing order, from predictions and residuals."""
    done: dict[int, np.ndarray] = {}
    for node, predicted, residual in sorted(segment, key=lambda one: one[0].level):
        offered = [done[i] for i in node.references]
        bands = np.concatenate(offered) if offered else np.zeros((0, *residual.shape[1:]), np.int32)
        done[node.cluster] = _within(predicted.apply(bands, dtype), residual, dtype)
    for node, _, _ in segment:
        yield done[node.cluster].astype(dtype)


def _offered(header: Header, node: Node) -> int:
    return sum(header.clusters[i].count for i in node.references)


def _bands(clusters: Sequence[Cluster], numbers: Iterable[int]) -> list[int]:
    return [band for i in numbers for band in range(clusters[i].first, clusters[i].stop)]


def _within(predicted: np.ndarray, residual: np.ndarray, dtype: np.dtype) -> np.ndarray:
    limits = np.iinfo(dtype)
    return np.clip(predicted + residual, limits.min, limits.max).astype(dtype.newbyteorder("="))


def _squared_error(one: np.ndarray, other: np.ndarray) -> float:
    error = one.astype(np.float64) - other
    return float(np.einsum("bls,bls->", error, error))
