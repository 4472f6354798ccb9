"""Training data of context models: wavelet coefficients of clusters drawn from scenes. No TensorFlow here.

One model serves every size of cluster and of scene, every rate and every sensor. So clusters have a few adjacent bands,
or are the first components of a KLT over many bands; they are cut to windows of all sizes, sometimes transposed, and
quantised with steps of all sizes relative to the standard deviation of the scene. Only drawn clusters are transformed.

Draw number i of a seed is always the same, whatever was drawn before it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bandpress.contexts.features import levels_of
from bandpress.errors import SceneError
from bandpress.nodata.samples import mask_of
from bandpress.scene import Scene
from bandpress.training.scenes import measured, usable
from bandpress.transforms.klt import covariance
from bandpress.transforms.wavelet import analyse

#: Independent streams of random numbers of one seed.
TRAIN, HELD_OUT, OFFSETS = 0, 1, 2

#: Share of draws with clusters of adjacent bands; the others are components of many bands.
_CLUSTERS = 0.35
#: Bands of a cluster, and their relative frequencies.
_BANDS, _OFTEN = (1, 3, 5, 7), (0.1, 0.6, 0.1, 0.2)
#: Numbers of components of many bands, and the share of draws with the last number.
_FEWEST, _MOST, _MANY, _SHARE_OF_MANY = 3, 13, 36, 0.15
#: Fewest bands of such a KLT.
_FEWEST_BANDS = 8
#: Fewest lines or samples of a window, and the share of windows of full size.
_SMALLEST, _WHOLE = 24, 0.6
#: Clusters of a draw.
_MOST_CLUSTERS, _MOST_KLTS = 24, 6
#: Quantiser steps, as shares of the standard deviation of a scene's band.
_CLUSTER_STEPS, _COMPONENT_STEPS = (0.04, 4.5), (0.02, 1.5)
#: Stride, along lines and samples, of the pixels that give a scene's standard deviation.
_SPARSE = 2


class _Source(NamedTuple):
    cube: np.ndarray
    deviation: float
    nodata: float | None


class _Kind(NamedTuple):
    """Kind of a draw: bands per cluster, components taken, limits of steps, most clusters."""

    bands: int
    components: int
    steps: tuple[float, float]
    most: int


class Pool:
    """Clusters of scenes of any number, size and (16-bit or 8-bit integer) type; each scene is drawn equally often.

    Parameters
    ----------
    scenes
        Scenes to draw from. Cubes may be memory maps.
    seed
        Any non-negative integer.
    most
        Approximate maximum of coefficients per draw.

    Raises
    ------
    SceneError
        If there is no scene, or a scene cannot be used, see `bandpress.training.scenes.usable`.
    """

    def __init__(self, scenes: Sequence[Scene], seed: int, most: int = 240_000) -> None:
        if not scenes:
            raise SceneError("no scene was given; expected one or more to train on")
        self.seed, self.most = seed, most
        self._sources = []
        for scene in scenes:
            usable(scene, 1)
            self._sources.append(_Source(scene.cube, _deviation(scene), scene.nodata))

    def draw(self, stream: int, number: int, attempt: int = 0) -> np.ndarray:
        """Return drawn clusters: coefficients in steps, float32, shape (clusters, components, lines, samples).

        Parameters
        ----------
        stream, number
            Stream (`TRAIN`, `HELD_OUT` or `OFFSETS`) and number of the draw.
        attempt
            Number of the attempt, to draw again if a draw had nothing to learn from.
        """
        rng = np.random.default_rng((self.seed, stream, number, attempt))
        source = self._sources[int(rng.integers(len(self._sources)))]
        kind = (
            _adjacent(rng, len(source.cube)) if rng.random() < _CLUSTERS else _of_many(rng, len(source.cube))
        )
        size = self._size(rng, source.cube.shape[1:], kind.components)
        sets = max(1, min(kind.most, self.most // (kind.components * math.prod(size))))
        values = np.stack([_cluster(rng, source, kind, size) for _ in range(sets)])
        if rng.random() < 0.5:
            values = values.swapaxes(-1, -2)
        return analyse(values, levels_of(*values.shape[2:])).astype(np.float32)

    def _size(self, rng: np.random.Generator, whole: tuple[int, ...], components: int) -> tuple[int, int]:
        """Draw the lines and samples of a window."""
        area = max(_SMALLEST**2, self.most // components)
        lines, samples = whole
        lines = min(lines, max(math.isqrt(area), area // samples))
        samples = min(samples, area // lines)
        if rng.random() < _WHOLE:
            return lines, samples
        lines, samples = (round(_between(rng, (min(_SMALLEST, most), most))) for most in (lines, samples))
        return lines, samples


def _adjacent(rng: np.random.Generator, bands: int) -> _Kind:
    """Draw the number of adjacent bands of a cluster."""
    count = min(int(rng.choice(_BANDS, p=_OFTEN)), bands)
    return _Kind(count, count, _CLUSTER_STEPS, _MOST_CLUSTERS)


def _of_many(rng: np.random.Generator, bands: int) -> _Kind:
    """Draw the bands of a KLT, all or a run of them, and the number of components taken."""
    if rng.random() < 0.5:
        bands = min(bands, round(_between(rng, (_FEWEST_BANDS, max(_FEWEST_BANDS, bands)))))
    count = _MANY if rng.random() < _SHARE_OF_MANY else int(rng.integers(_FEWEST, _MOST + 1))
    return _Kind(bands, min(count, bands), _COMPONENT_STEPS, _MOST_KLTS)


def _cluster(rng: np.random.Generator, source: _Source, kind: _Kind, size: tuple[int, int]) -> np.ndarray:
    """Draw a cluster of a kind, and its quantiser step."""
    first = int(rng.integers(len(source.cube) - kind.bands + 1))
    bands = source.cube[first : first + kind.bands]
    cut = measured(lambda: bands[:, *_window(rng, bands.shape[1:], size)], source.nodata)
    step = source.deviation * _between(rng, kind.steps)
    return _klt(cut, kind.components) / step


def _window(rng: np.random.Generator, whole: tuple[int, ...], size: tuple[int, int]) -> tuple[slice, slice]:
    top, left = (int(rng.integers(most - side + 1)) for most, side in zip(whole, size, strict=True))
    return slice(top, top + size[0]), slice(left, left + size[1])


def _between(rng: np.random.Generator, limits: tuple[float, float]) -> float:
    """Draw a number, uniform on a logarithmic scale."""
    return float(np.exp(rng.uniform(*np.log(limits))))


def _klt(cut: np.ndarray, count: int) -> np.ndarray:
    """Return the first components of a cluster, float32, shape (count, lines, samples)."""
    _, basis = np.linalg.eigh(covariance(cut))
    centred = cut.reshape(len(cut), -1).astype(np.float32)
    centred -= centred.mean(axis=1, keepdims=True)
    found = basis[:, ::-1][:, :count].T.astype(np.float32) @ centred
    return found.reshape(count, *cut.shape[1:])


def _deviation(scene: Scene) -> float:
    """Return the standard deviation of bands: the root of the mean of their variances."""
    sparse = (band[::_SPARSE, ::_SPARSE] for band in scene.cube)
    found = ((band, mask_of(band, scene.nodata)) for band in sparse)
    kept = (band if mask is None else band[~mask] for band, mask in found)
    return max(1e-3, math.sqrt(np.mean([band.astype(np.float64).var() for band in kept if band.size])))
