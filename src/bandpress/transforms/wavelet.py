"""The 9/7 wavelet (Cohen, Daubechies & Feauveau 1992) by lifting, and its subbands.

Every operation is one multiplication or one addition of float64 arrays, element by element, in a fixed order: the same
bits come out on every machine.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

_LIFTING = (-1.586134342059924, -0.052980118572961, 0.882911075530934, 0.443506852043971)
_SCALE = 1.230174104914001


def analyse(images: np.ndarray, levels: int) -> np.ndarray:
    """Return the coefficients of images, nearly orthonormal.

    Parameters
    ----------
    images
        Shape (…, lines, samples).
    levels
        How many times the low band is split.

    Returns
    -------
    numpy.ndarray
        float64, same shape: the low band in the first corner.
    """
    out = images.astype(np.float64)
    lines, samples = out.shape[-2:]
    for _ in range(levels):
        part = out[..., :lines, :samples]
        part = _split(part.swapaxes(-1, -2)).swapaxes(-1, -2)
        out[..., :lines, :samples] = _split(part)
        lines, samples = -(-lines // 2), -(-samples // 2)
    return out


def synthesise(coefficients: np.ndarray, levels: int) -> np.ndarray:
    """Return the images of coefficients; undoes `analyse`.

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
    out = coefficients.astype(np.float64)
    whole = out.shape[-2:]
    for lines, samples in reversed(_sizes(whole[0], whole[1], levels)[:-1]):
        part = _merged(out[..., :lines, :samples].swapaxes(-1, -2)).swapaxes(-1, -2)
        out[..., :lines, :samples] = _merged(part)
    return out


class Subband(NamedTuple):
    """Where coefficients of one kind are.

    Parameters
    ----------
    level
        How often the image was halved: 1 for the finest details.
    orientation
        0 for the low band, 1 for details along samples, 2 along lines, 3 along both.
    lines, samples
        Place within the coefficients of an image.
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


def _split(x: np.ndarray) -> np.ndarray:
    """Split the last axis into its low and its high half; symmetric at the ends."""
    if x.shape[-1] < 2:
        return x
    even, odd = x[..., 0::2].copy(), x[..., 1::2].copy()
    for number, weight in enumerate(_LIFTING):
        if number % 2 == 0:
            odd += weight * _around_odd(even, odd.shape[-1])
        else:
            even += weight * _around_even(odd, even.shape[-1])
    return np.concatenate([even * (np.sqrt(2) / _SCALE), odd * (_SCALE / np.sqrt(2))], -1)


def _merged(x: np.ndarray) -> np.ndarray:
    """Undo `_split`."""
    size = x.shape[-1]
    if size < 2:
        return x
    low = -(-size // 2)
    even, odd = x[..., :low] * (_SCALE / np.sqrt(2)), x[..., low:] * (np.sqrt(2) / _SCALE)
    for number, weight in reversed(list(enumerate(_LIFTING))):
        if number % 2 == 0:
            odd -= weight * _around_odd(even, odd.shape[-1])
        else:
            even -= weight * _around_even(odd, even.shape[-1])
    out = np.empty_like(x)
    out[..., 0::2], out[..., 1::2] = even, odd
    return out


def _around_odd(even: np.ndarray, count: int) -> np.ndarray:
    """Sum the two neighbours of each odd sample."""
    right = even[..., 1:] if even.shape[-1] > count else np.concatenate([even[..., 1:], even[..., -1:]], -1)
    return even[..., :count] + right


def _around_even(odd: np.ndarray, count: int) -> np.ndarray:
    """Sum the two neighbours of each even sample."""
    left = np.concatenate([odd[..., :1], odd], -1)[..., :count]
    right = np.concatenate([odd, odd[..., -1:]], -1)[..., :count]
    return left + right
