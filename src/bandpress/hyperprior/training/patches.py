"""Training patches: random patches of random clusters, read from the scenes. No TensorFlow here.

A patch is cut from one cluster of k adjacent bands, rotated and mirrored at random (the eight symmetries of the
square), and normalised by the range of each band over the *whole* scene, exactly as in coding. Batch number i of a seed
is always the same, whatever was drawn before it, so a resumed training sees the same batches.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from bandpress.errors import SceneError
from bandpress.nodata.samples import ends
from bandpress.scene import Scene
from bandpress.training.scenes import measured, usable

_ORDER, _HELD_OUT = 0, 1  # independent streams of random numbers of one seed


class Batch(NamedTuple):
    """A batch of patches.

    Parameters
    ----------
    x
        Normalised samples, float32, shape (patches, patch, patch, k), within [0, 1).
    ranges
        max - min + 1 of each band of the patch's cluster, in DN, float32, shape (patches, k).
    """

    x: np.ndarray
    ranges: np.ndarray


class Components(NamedTuple):
    """A cluster of KLT components, in fractions of their quantiser step.

    See `bandpress.hyperprior.training.components`.

    Parameters
    ----------
    cube
        Integers around zero, shape (k, lines, samples).
    width
        Width that normalises them, see `bandpress.hyperprior.component_parts`.
    """

    cube: np.ndarray
    width: float


class _Source(NamedTuple):
    """A scene or a cluster of components; `scene` is the number of the scene, if any."""

    cube: np.ndarray
    minimum: np.ndarray
    ranges: np.ndarray
    scene: int | None
    nodata: float | None = None

    def bands(self, which: slice) -> _Source:
        """Return some bands."""
        return _Source(self.cube[which], self.minimum[which], self.ranges[which], self.scene, self.nodata)


class Patches:
    """Random patches of scenes of any number, size and (16-bit or 8-bit integer) type.

    Clusters are drawn in proportion to their number of samples. Constant clusters are left out.

    Parameters
    ----------
    scenes
        Scenes to cut from. Cubes may be memory maps: only patches are read, except once for the ranges.
    k
        Bands of a cluster. Clusters start at any band: a scene of b bands has b - k + 1 of them, so no cutting is
        preferred.
    patch
        Lines and samples of a patch.
    batch
        Patches of a batch.
    seed
        Any non-negative integer.
    components
        Clusters of components to cut from as well.
    sharpen
        Largest share of fine detail (the difference from a 3 × 3 mean) added to a patch; drawn for each patch. Unseen
        scenes may have finer detail than training scenes.
    spread
        Share of the patches whose bands are drawn from the whole scene instead of being adjacent, like the rare
        clusters across an absorption band.

    Raises
    ------
    SceneError
        If there is no scene, or a scene cannot be used (see `usable`).
    """

    def __init__(
        self,
        scenes: Sequence[Scene],
        k: int,
        patch: int,
        batch: int,
        seed: int,
        components: Sequence[Components] = (),
        sharpen: float = 0.0,
        spread: float = 0.0,
    ) -> None:
        if not scenes and not components:
            raise SceneError("no scene was given; expected one or more to train on")
        self.k, self.patch, self.batch, self.seed = k, patch, batch, seed
        self.sharpen, self.spread = sharpen, spread
        self._scenes: list[_Source] = []
        self._sources: list[_Source] = []
        for scene in scenes:
            usable(scene, k, patch)
            minimum, ranges = band_ranges(scene.cube, scene.nodata)
            whole = _Source(scene.cube, minimum, ranges, len(self._scenes), scene.nodata)
            self._scenes.append(whole)
            for first in range(scene.bands - k + 1):
                bands = slice(first, first + k)
                if (ranges[bands] > 1).any():
                    self._sources.append(whole.bands(bands))
        for cube, width in components:
            half, full = np.full(k, -width / 2, np.float32), np.full(k, width, np.float32)
            self._sources.append(_Source(cube, half, full, None))
        area = np.array([s.cube[0].size for s in self._sources], dtype=np.float64)
        self._share = np.cumsum(area / area.sum())

    def at(self, step: int) -> Batch:
        """Return batch number `step`, which depends only on the seed and the number."""
        rng = np.random.default_rng((self.seed, _ORDER, step))
        return self._draw(rng, self.batch, changed=True)

    def fixed(self, count: int) -> Batch:
        """Return `count` fixed, upright patches for validation and the warm start."""
        rng = np.random.default_rng((self.seed, _HELD_OUT))
        return self._draw(rng, count, changed=False)

    def batches(self, start: int = 0) -> Generator[Batch, None, None]:
        """Yield batches from number `start` on, without end, prepared in a thread."""
        ready: queue.Queue[Batch | BaseException] = queue.Queue(maxsize=8)
        stopped = threading.Event()

        def offer(item: Batch | BaseException) -> None:
            while not stopped.is_set():
                try:
                    return ready.put(item, timeout=0.2)
                except queue.Full:
                    continue

        def cut() -> None:
            step = start
            try:
                while not stopped.is_set():
                    offer(self.at(step))
                    step += 1
            except BaseException as error:  # handed to the thread that trains
                offer(error)

        thread = threading.Thread(target=cut, name="patches", daemon=True)
        thread.start()
        try:
            while True:
                item = ready.get()
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            stopped.set()
            thread.join()

    def _draw(self, rng: np.random.Generator, count: int, changed: bool) -> Batch:
        x = np.empty((count, self.patch, self.patch, self.k), np.float32)
        ranges = np.empty((count, self.k), np.float32)
        for i in range(count):
            source = self._sources[int(np.searchsorted(self._share, rng.random(), side="right"))]
            bands = np.arange(self.k)
            if changed and self.spread and source.scene is not None and rng.random() < self.spread:
                source = self._scenes[source.scene]
                bands = np.sort(rng.choice(len(source.cube), self.k, replace=False))
            cut = measured(partial(_cut, rng, source.cube, bands, self.patch), source.nodata)
            values = normalise(cut, source.minimum[bands], source.ranges[bands])
            if changed:
                values = _turned(values, int(rng.integers(8)))
                if self.sharpen:
                    values = sharpened(values, float(rng.uniform(0, self.sharpen)))
            x[i] = values.transpose(1, 2, 0)
            ranges[i] = source.ranges[bands]
        return Batch(x, ranges)


def _cut(rng: np.random.Generator, cube: np.ndarray, bands: np.ndarray, patch: int) -> np.ndarray:
    """Draw a square of some bands."""
    top, left = (int(rng.integers(side - patch + 1)) for side in cube.shape[1:])
    return cube[bands, top : top + patch, left : left + patch]


def band_ranges(cube: np.ndarray, nodata: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return the minimum and max - min + 1 of each band's valid samples, float32, shape (bands,)."""
    limits = [ends([band], nodata) for band in cube]
    limits = [(low, high) if low <= high else (0.0, 0.0) for low, high in limits]
    minimum, maximum = np.array(limits, np.float32).T
    return minimum, maximum - minimum + np.float32(1)


def normalise(cube: np.ndarray, minimum: np.ndarray, ranges: np.ndarray) -> np.ndarray:
    """Return (x - min) / (max - min + 1) per band, float32, shape (bands, lines, samples)."""
    return (cube.astype(np.float32) - minimum[:, None, None]) / ranges[:, None, None]


def sharpened(values: np.ndarray, share: float) -> np.ndarray:
    """Return sharpened samples, shape (bands, lines, samples): add a share of the difference from a 3 × 3 mean."""
    around = np.pad(values, [(0, 0), (1, 1), (1, 1)], mode="edge")
    rows = around[:, :-2] + around[:, 1:-1] + around[:, 2:]
    mean = (rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]) / np.float32(9)
    return values + np.float32(share) * (values - mean)


def _turned(values: np.ndarray, symmetry: int) -> np.ndarray:
    """Return one of the eight symmetries of the two last axes."""
    if symmetry & 4:
        values = values.swapaxes(1, 2)
    return values[:, :: -1 if symmetry & 1 else 1, :: -1 if symmetry & 2 else 1]
