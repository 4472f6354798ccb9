"""Search for the operating point of a family that meets a target, first on a sample of clusters, then on the file.

In a family of separate models, the search takes the highest rate that does not exceed the target, or the lowest quality
that reaches it. In a model with gains, it searches lambda, which determines the quality of every cluster.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from bandpress.clusters import Cluster, split
from bandpress.codecs.base import Encoding
from bandpress.codecs.budgets import within
from bandpress.codecs.targets import CLOSE, finite_psnr, meet_by_slope
from bandpress.container.bitstream import Header, overhead
from bandpress.hyperprior.points import Point, has_gains, lambdas_of
from bandpress.hyperprior.store import StoredModel
from bandpress.scene import Scene
from bandpress.stages import at_stage

#: Clusters of the sample, spread over the bands.
_SAMPLE = 6
#: Most times to code the file with a model with gains.
_ON_FILE = 5


class Coder(Protocol):
    """Interface of a codec for the search: code at a point, and decode."""

    @property
    def name(self) -> str:
        """The operating point, as stored in files."""

    def chunks(self, scene: Scene, point: Point, clusters: Sequence[Cluster]) -> Iterator[bytes]:
        """Code some clusters of a scene."""

    def encode_at(self, scene: Scene, point: Point, chunks: Iterable[bytes] | None = None) -> Encoding:
        """Wrap chunks coded at a point."""

    def decode_with(
        self, model: StoredModel, header: Header, chunks: Iterable[tuple[Cluster, bytes]]
    ) -> Iterator[np.ndarray]:
        """Decode clusters."""


@dataclass(frozen=True)
class PointTrial:
    """Clusters coded at an operating point.

    Parameters
    ----------
    point
        The operating point.
    chunks
        One per cluster.
    value
        Bits per sample, or dB.
    """

    point: Point
    chunks: list[bytes]
    value: float


def search_family(
    codec: Coder, scene: Scene, family: Sequence[StoredModel], kind: str, target: float
) -> Encoding:
    """Code a scene at the operating point that meets a target.

    Parameters
    ----------
    codec
        The codec.
    scene
        The scene.
    family
        Models, lowest lambda first, or one with gains.
    kind, target
        ``"rate"`` and bits per sample, or ``"psnr"`` and dB.

    Returns
    -------
    Encoding
        The scene at the operating point found; for a PSNR target, the parameters hold the PSNR reached. After the last
        chunk, its chunks raise a CodecError if they exceed the rate, see `bandpress.codecs.budgets.within`.
    """
    clusters = split(scene.bands, family[0].architecture.bands_per_cluster)
    sample = [clusters[i] for i in np.unique(np.linspace(0, len(clusters) - 1, _SAMPLE).round().astype(int))]

    def on_sample(point: Point) -> PointTrial:
        return _try(codec, scene, point, sample, kind, whole=False)

    def on_file(point: Point) -> PointTrial:
        return _try(codec, scene, point, clusters, kind, whole=True)

    if has_gains(family):
        trial = _along_lambda(family[0], kind, target, on_sample, on_file)
    else:
        trial = _among_models(family, kind, target, on_sample, on_file)
    encoding = codec.encode_at(scene, trial.point, trial.chunks)
    if kind == "psnr":
        return replace(encoding, parameters={**encoding.parameters, "psnr": round(trial.value, 3)})
    header = Header.of_scene(
        scene, codec.name, encoding.bands_per_cluster, encoding.parameters, encoding.model
    )
    return replace(encoding, chunks=within(target, header, trial.chunks))


def _try(
    codec: Coder, scene: Scene, point: Point, clusters: Sequence[Cluster], kind: str, *, whole: bool
) -> PointTrial:
    at_stage(
        f"search{'' if whole else ' on a sample'}, lambda {point.lambda_ or point.model.card.get('lambda')}"
    )
    chunks = list(codec.chunks(scene, point, clusters))
    encoding = codec.encode_at(scene, point, chunks)
    header = Header.of_scene(
        scene, codec.name, encoding.bands_per_cluster, encoding.parameters, encoding.model
    )
    bands = sum(cluster.count for cluster in clusters)
    size = sum(map(len, chunks)) + overhead(header) * bands / scene.bands
    if kind == "rate":
        return PointTrial(point, chunks, 8 * size / (bands * scene.lines * scene.samples))
    squared = 0.0
    pairs = list(zip(clusters, chunks, strict=True))
    for cluster, decoded in zip(clusters, codec.decode_with(point.model, header, pairs), strict=True):
        error = scene.only_measured(cluster.bands, scene.cube[cluster.bands].astype(np.float32) - decoded)
        squared += float(np.einsum("bls,bls->", error, error, dtype=np.float64))
    mse = squared / max(sum(scene.measured(cluster.bands) for cluster in clusters), 1)
    return PointTrial(point, chunks, finite_psnr(mse))


def _among_models(
    family: Sequence[StoredModel],
    kind: str,
    target: float,
    on_sample: Callable[[Point], PointTrial],
    on_file: Callable[[Point], PointTrial],
) -> PointTrial:
    def fits(trial: PointTrial) -> bool:
        return trial.value <= target if kind == "rate" else trial.value >= target

    low, high = 0, len(family)  # where the value of the sample crosses the target
    while low < high:
        middle = (low + high) // 2
        if on_sample(Point(family[middle])).value < target:
            low = middle + 1
        else:
            high = middle
    place = min(max(low - 1 if kind == "rate" else low, 0), len(family) - 1)
    trial = on_file(Point(family[place]))
    worse = -1 if kind == "rate" else 1  # towards the points that fit
    while not fits(trial) and 0 <= place + worse < len(family):
        place += worse
        trial = on_file(Point(family[place]))
        if fits(trial):
            return trial
    while fits(trial) and 0 <= place - worse < len(family):
        place -= worse
        better = on_file(Point(family[place]))
        if not fits(better):
            break
        trial = better
    return trial


def _along_lambda(
    model: StoredModel,
    kind: str,
    target: float,
    on_sample: Callable[[Point], PointTrial],
    on_file: Callable[[Point], PointTrial],
) -> PointTrial:
    """Search as other codecs do: 1 / sqrt(lambda) is in proportion to a quantiser step."""

    def by_step(trial: Callable[[Point], PointTrial]) -> Callable[[float], tuple[float, PointTrial]]:
        return lambda step: (step, trial(Point(model, step**-2)))

    def value(found: tuple[float, PointTrial]) -> float:
        return found[1].value

    lambdas = lambdas_of(model)
    start = float(np.sqrt(lambdas[0] * lambdas[-1])) ** -0.5
    (near, _), slope = meet_by_slope(by_step(on_sample), value, kind, target, start, close=4 * CLOSE[kind])
    return meet_by_slope(by_step(on_file), value, kind, target, near, slope, most=_ON_FILE)[0][1]
