"""The 9/7 wavelet (Cohen, Daubechies & Feauveau 1992) by lifting, and its subbands.

Every operation is one multiplication or one addition of doubles, in a fixed order, so every machine gives the same
bits.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np


def analyse(images: np.ndarray, levels: int) -> np.ndarray:
    """Return the coefficients of images, nearly orthonormal.

    Parameters
    ----------
    images
        Shape (…, lines, samples).
    levels
        Number of levels.

    Returns
    -------
    numpy.ndarray
        float64, same shape: the low band in the first corner.
    """
    return _transformed(images, levels, 0)


def synthesise(coefficients: np.ndarray, levels: int) -> np.ndarray:
    """Return the images of coefficients, inverting `analyse`.

    Parameters
    ----------
    coefficients
        Shape (…, lines, samples).
    levels
        As given to `analyse`.

    Returns
    -------
    numpy.ndarray
        float64, same shape.
    """
    return _transformed(coefficients, levels, 1)


def _transformed(images: np.ndarray, levels: int, merging: int) -> np.ndarray:
    from bandpress.transforms import lifting  # loads numba, which other codecs do not need

    out = np.array(images, np.float64, order="C")
    work = lifting.strips(*out.shape[-2:])
    for image in out.reshape(-1, *out.shape[-2:]):
        lifting.transform(image, levels, merging, work)
    return out


class Subband(NamedTuple):
    """Position of a subband in the coefficients.

    Parameters
    ----------
    level
        Number of halvings, 1 for the finest details.
    orientation
        0 for the low band, 1 for details along samples, 2 along lines, 3 along both.
    lines, samples
        Slices of the coefficients of an image.
    """

    level: int
    orientation: int
    lines: slice
    samples: slice

    @property
    def shape(self) -> tuple[int, int]:
        """Lines and samples of the band."""
        return self.lines.stop - self.lines.start, self.samples.stop - self.samples.start


def subbands(lines: int, samples: int, levels: int) -> Iterator[Subband]:
    """Yield the subbands of an image, coarse ones first; empty ones too."""
    sizes = _sizes(lines, samples, levels)
    low = (slice(0, sizes[-1][0]), slice(0, sizes[-1][1]))
    yield Subband(levels, 0, *low)
    for level in range(levels, 0, -1):
        (whole_lines, whole_samples), (low_lines, low_samples) = sizes[level - 1], sizes[level]
        yield Subband(level, 1, slice(0, low_lines), slice(low_samples, whole_samples))
        yield Subband(level, 2, slice(low_lines, whole_lines), slice(0, low_samples))
        yield Subband(level, 3, slice(low_lines, whole_lines), slice(low_samples, whole_samples))


def _sizes(lines: int, samples: int, levels: int) -> list[tuple[int, int]]:
    """Return the sizes of the image and of the low band after each level."""
    sizes = [(lines, samples)]
    for _ in range(levels):
        sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
    return sizes
