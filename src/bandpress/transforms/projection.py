"""Lossy KLT of a cluster: fast, with identical samples on every machine.

The basis is that of `bandpress.transforms.klt`, orthogonal to the precision of doubles. The forward transform is in
floating point: encoders may round differently. The inverse transform multiplies a matrix of integers, in units of
2^-22, with integer components; every sum is below 2^53, so doubles hold it exactly in any order of summation.
"""

from typing import NamedTuple

import numpy as np

from bandpress.container.bits import BitReader, BitWriter
from bandpress.transforms.klt import covariance, read_reflections, reflections, write_reflections
from bandpress.transforms.rklt import Reflections

_BITS = 22
#: Largest component; sums over 2^14 bands are then below 2^7 · 2^22 · 2^23 + 2^14 · 2^22.
MOST = 1 << 23
#: Pixels transformed together, so that they fit into the cache.
_PIXELS = 1 << 12


class Moments(NamedTuple):
    """Means, int64, and covariance, float64, of bands."""

    means: np.ndarray
    covariance: np.ndarray

    @classmethod
    def of(cls, samples: np.ndarray) -> "Moments":
        """Return the moments of samples, shape (bands, lines, samples)."""
        means = np.rint(samples.mean(axis=(1, 2), dtype=np.float64)).astype(np.int64)
        return cls(means, covariance(samples) if len(samples) > 1 else np.zeros((1, 1)))


class Basis(NamedTuple):
    """Projection of samples onto components.

    Parameters
    ----------
    means
        Means of the bands, int64, shape (bands,).
    vectors
        Vectors of the basis; None for a single band.
    """

    means: np.ndarray
    vectors: Reflections | None

    @classmethod
    def of(cls, moments: "Moments", level: float, pixels: int) -> "Basis":
        """Return the basis of a cluster.

        Parameters
        ----------
        moments
            Moments of its samples.
        level, pixels
            See `bandpress.transforms.klt.reflections`.
        """
        if len(moments.means) == 1:
            return cls(moments.means, None)
        return cls(moments.means, reflections(moments.covariance, level, pixels))

    def write(self, side: BitWriter) -> None:
        """Append the basis to side information."""
        side.rice(np.diff(self.means, prepend=0).tolist())
        if self.vectors is not None:
            write_reflections(side, self.vectors)

    @classmethod
    def read(cls, reader: BitReader, bands: int) -> "Basis":
        """Read a basis from side information.

        Raises
        ------
        CodecError
            If it is not valid.
        """
        means = np.cumsum(reader.rice(bands), dtype=np.int64)
        return cls(means, read_reflections(reader, bands) if bands > 1 else None)

    def forward(self, samples: np.ndarray) -> np.ndarray:
        """Return the components of samples, float32, same shape."""
        flat = samples.reshape(len(samples), -1)
        out = np.empty(flat.shape, np.float32)
        matrix = self._matrix().astype(np.float32)
        for start in range(0, flat.shape[1], _PIXELS):
            block = slice(start, start + _PIXELS)
            centred = flat[:, block].astype(np.float32)
            centred -= self.means[:, None].astype(np.float32)
            np.matmul(matrix, centred, out=out[:, block])
        return out.reshape(samples.shape)

    def inverse(self, components: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Return the samples of components, in an integer type.

        Parameters
        ----------
        components
            The first components, int32, shape (components, lines, samples); the others are zero.
        dtype
            Type of the samples, to which they are clipped.
        """
        count, *size = components.shape
        bands = len(self.means)
        flat, out = components.reshape(count, size[0] * size[1]), np.empty((bands, size[0] * size[1]), dtype)
        matrix = np.rint(self._matrix()[:count].T * (1 << _BITS))
        middle = self.means[:, None] + 0.5
        limits = np.iinfo(dtype)
        for start in range(0, flat.shape[1], _PIXELS):
            block = slice(start, start + _PIXELS)
            found = matrix @ np.clip(flat[:, block], -MOST, MOST).astype(np.float64)
            found *= 2.0**-_BITS
            found += middle
            np.floor(found, out=found)
            np.clip(found, limits.min, limits.max, out=found)
            out[:, block] = found
        return out.reshape(bands, *size)

    def _matrix(self) -> np.ndarray:
        return np.eye(1) if self.vectors is None else self.vectors.matrix()
