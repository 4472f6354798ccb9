"""Reversible KLT over the bands of a cluster, then JPEG 2000 over its components."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bandpress.bits import BitReader
from bandpress.clusters import BandsPerCluster
from bandpress.codecs.jpeg2000 import Components, Jpeg2000
from bandpress.klt import covariance, read_reflections, reflections, water_level, write_reflections
from bandpress.rklt import Rklt

#: Without loss, variances below a count squared (the transform's own rounding noise) need no precision.
_ROUNDING = 1.0


@dataclass(frozen=True)
class RkltJpeg2000(Jpeg2000):
    """RKLT + JPEG 2000: options of `Jpeg2000`, three bands a cluster unless told otherwise.

    Parameters
    ----------
    covariance_fraction
        Part of the pixels that the covariance is taken from.
    """

    name: ClassVar[str] = "rklt-jpeg2000"

    bands_per_cluster: BandsPerCluster = 3
    covariance_fraction: float = 1.0

    def _forward(self, samples: np.ndarray, target: float | None) -> Components:
        centred = super()._forward(samples, target)
        if len(samples) == 1:
            return centred
        between = covariance(centred.samples, self.covariance_fraction)
        level = _ROUNDING
        if target is not None:
            level = max(level, water_level(_innovations(centred.samples, between), target))
        basis = reflections(between, level, centred.samples[0].size)
        write_reflections(centred.side, basis)
        return Components(Rklt(basis.matrix()).forward(centred.samples), centred.side)

    def _read_side(self, reader: BitReader, bands: int) -> Any:
        means = super()._read_side(reader, bands)
        return means, read_reflections(reader, bands) if bands > 1 else None

    def _inverse(self, components: np.ndarray, state: Any) -> np.ndarray:
        means, basis = state
        if basis is not None:
            components = Rklt(basis.matrix()).inverse(components)
        return super()._inverse(components, means)


def _innovations(samples: np.ndarray, between: np.ndarray) -> np.ndarray:
    """Return the variance of each component that its spatial neighbour does not already tell, roughly."""
    _, basis = np.linalg.eigh(between)
    if samples.shape[2] < 2:
        return np.einsum("ij,ik,kj->j", basis, between, basis)
    steps = covariance(np.diff(samples, axis=2)) / 2
    return np.minimum(
        np.einsum("ij,ik,kj->j", basis, steps, basis), np.einsum("ij,ik,kj->j", basis, between, basis)
    )
