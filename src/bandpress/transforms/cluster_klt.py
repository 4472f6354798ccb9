"""Decorrelated bands of a cluster, with the side information to invert the transform.

Side information, most significant bit first: the bands' means, Rice coded as differences from band to band, the first
from 0; then, in a cluster of two bands and more, the vectors of the KLT (`bandpress.transforms.klt`).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bandpress.container.bits import BitReader, BitWriter
from bandpress.errors import CodecError
from bandpress.transforms.klt import FINEST, covariance, read_reflections, reflections, write_reflections
from bandpress.transforms.rklt import Reflections, Rklt

#: Safety factor of the expected distortion, a guess: too fine a basis costs less than too coarse a one.
SAFETY = 0.5
#: Most bands of a cluster, since the time to factor a reversible basis grows with their cube.
_MOST_BANDS = 1024


class Transformed(NamedTuple):
    """A transformed cluster.

    Parameters
    ----------
    components
        int32, shape (bands, lines, samples), around zero; after a KLT in order of energy.
    side
        Side information for the inverse transform, bit by bit.
    """

    components: np.ndarray
    side: BitWriter


@dataclass(frozen=True)
class Inverse:
    """Inverse transform, read from side information.

    Parameters
    ----------
    means
        Means of the bands, int32.
    basis
        Basis of the KLT, or None.
    """

    means: np.ndarray
    basis: Reflections | None = None

    def __call__(self, components: np.ndarray) -> np.ndarray:
        """Return the bands of components, int32, same shape, not yet clipped; changes `components`."""
        if self.basis is not None:
            Rklt(self.basis.matrix()).inverse(components, out=components)
        components += self.means[:, None, None]
        return components


def centre(samples: np.ndarray) -> Transformed:
    """Subtract the means from the bands of a cluster, shape (bands, lines, samples)."""
    means = np.rint(samples.mean(axis=(1, 2), dtype=np.float64)).astype(np.int32)
    side = BitWriter()
    side.rice(np.diff(means, prepend=0).tolist())
    centred = samples.astype(np.int32, order="C")
    centred -= means[:, None, None]
    return Transformed(centred, side)


def forward(samples: np.ndarray, level: float, fraction: float = 1.0) -> Transformed:
    """Transform a cluster.

    Parameters
    ----------
    samples
        Shape (bands, lines, samples), of a type in `bandpress.scene.CODABLE`.
    level
        Distortion in DN² that determines the precision of the basis, see `bandpress.transforms.klt.reflections`;
        `FINEST` for all vectors at full precision.
    fraction
        Share of the pixels used for the covariance.

    Raises
    ------
    CodecError
        If there are too many bands.
    """
    _check_bands(len(samples))
    centred, side = centre(samples)
    if len(samples) == 1:
        return Transformed(centred, side)
    basis = reflections(covariance(centred, fraction), level, 1 if level == FINEST else centred[0].size)
    write_reflections(side, basis)
    return Transformed(Rklt(basis.matrix()).forward(centred, out=centred), side)


def read_means(reader: BitReader, bands: int) -> Inverse:
    """Read the side information of `centre`."""
    return Inverse(np.cumsum(reader.rice(bands), dtype=np.int64).astype(np.int32))


def read(reader: BitReader, bands: int) -> Inverse:
    """Read the side information of `forward`.

    Raises
    ------
    CodecError
        If it is not valid side information of `bands` bands.
    """
    _check_bands(bands)
    means = read_means(reader, bands).means
    return Inverse(means, read_reflections(reader, bands) if bands > 1 else None)


def _check_bands(bands: int) -> None:
    if bands > _MOST_BANDS:
        raise CodecError(f"a KLT over a cluster of {bands} bands; expected at most {_MOST_BANDS}")
