"""Structural similarity of two bands, at one scale and at five.

SSIM as Wang, Bovik, Sheikh & Simoncelli (2004), IEEE Transactions on Image Processing 13(4), 600-612;
MS-SSIM as Wang, Simoncelli & Bovik (2003), Asilomar Conference on Signals, Systems and Computers,
1398-1402, with the treatment of borders, odd sizes and negative terms of `tf.image.ssim_multiscale`, which
the paper's authors used.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy  # its submodules load on first use, since that takes a while

RADIUS = 5
SIGMA = 1.5
K1, K2 = 0.01, 0.03
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
#: Shortest side of a band for SSIM and for MS-SSIM.
SSIM_SIDE = 2 * RADIUS + 1
MS_SSIM_SIDE = SSIM_SIDE << (len(SCALE_WEIGHTS) - 1)

_WINDOW = np.exp(-0.5 * (np.arange(-RADIUS, RADIUS + 1) / SIGMA) ** 2)
_WINDOW /= _WINDOW.sum()


class _Terms(NamedTuple):
    """Means over a band of the SSIM and of its contrast-structure term."""

    ssim: float
    contrast: float


def ssim(x: np.ndarray, y: np.ndarray, peaks: Sequence[float], mask: np.ndarray | None = None) -> list[float]:
    """Return the SSIM of two bands for each of several dynamic ranges.

    Parameters
    ----------
    x, y
        Bands, float64, shape (lines, samples), both sides at least `SSIM_SIDE`.
    peaks
        Dynamic ranges L; the constants of the measure are (0.01 L)² and (0.03 L)².
    mask
        True for no-data samples, same shape; None if there are none.

    Returns
    -------
    list of float
        One value per peak, the mean over the positions where the 11 × 11 Gaussian window lies inside the band and
        covers valid samples only; NaN if there is no such position.
    """
    return [terms.ssim for terms in _terms(x, y, peaks, mask)]


def ms_ssim(
    x: np.ndarray, y: np.ndarray, peaks: Sequence[float], mask: np.ndarray | None = None
) -> list[float]:
    """Return the MS-SSIM of two bands for each of several dynamic ranges.

    Parameters
    ----------
    x, y
        Bands, float64, shape (lines, samples), both sides at least `MS_SSIM_SIDE`.
    peaks
        Dynamic ranges.
    mask
        True for no-data samples, same shape; None if there are none.

    Returns
    -------
    list of float
        One value per peak; NaN if at some scale no window covers valid samples only.
    """
    products = [1.0] * len(peaks)
    last = len(SCALE_WEIGHTS) - 1
    for scale, weight in enumerate(SCALE_WEIGHTS):
        if scale:
            x, y = _halve(x), _halve(y)
            mask = None if mask is None else _halve(mask.astype(float)) > 0
        for i, terms in enumerate(_terms(x, y, peaks, mask)):
            value = terms.ssim if scale == last else terms.contrast
            products[i] *= value if math.isnan(value) else max(value, 0.0) ** weight
    return products


def _terms(x: np.ndarray, y: np.ndarray, peaks: Sequence[float], mask: np.ndarray | None) -> list[_Terms]:
    clear = None if mask is None else _clear(mask)
    if clear is not None and not clear.any():
        return [_Terms(math.nan, math.nan) for _ in peaks]
    mean_x, mean_y = _smooth(x), _smooth(y)
    product = mean_x * mean_y
    squares = mean_x**2 + mean_y**2
    covariance = _smooth(x * y) - product
    variances = _smooth(x * x + y * y) - squares
    terms = []
    for peak in peaks:
        c1, c2 = (K1 * peak) ** 2, (K2 * peak) ** 2
        contrast = (2 * covariance + c2) / (variances + c2)
        luminance = (2 * product + c1) / (squares + c1)
        both = contrast * luminance
        if clear is not None:
            both, contrast = both[clear], contrast[clear]
        terms.append(_Terms(float(both.mean()), float(contrast.mean())))
    return terms


def _clear(mask: np.ndarray) -> np.ndarray:
    """Find the positions where the window lies inside the band and covers valid samples only."""
    inside = slice(RADIUS, -RADIUS)
    return ~scipy.ndimage.maximum_filter(mask, SSIM_SIDE)[inside, inside]


def _smooth(band: np.ndarray) -> np.ndarray:
    """Convolve with the Gaussian window; keep positions where it lies inside the band."""
    inside = slice(RADIUS, -RADIUS)
    rows = scipy.ndimage.correlate1d(band, _WINDOW, axis=0)[inside]
    return scipy.ndimage.correlate1d(rows, _WINDOW, axis=1)[:, inside]


def _halve(band: np.ndarray) -> np.ndarray:
    """Average blocks of 2 × 2; an odd side is first extended by a copy of its last line or sample."""
    band = np.pad(band, [(0, side % 2) for side in band.shape], mode="symmetric")
    lines, samples = band.shape
    return band.reshape(lines // 2, 2, samples // 2, 2).mean(axis=(1, 3))
