"""The 9/7 wavelet (Cohen, Daubechies & Feauveau 1992) by lifting, and what a uniform quantiser loses in its domain.

An encoder's tool: it says which distortion a cluster has where each bit more gains as much as in every other cluster.
"""

import numpy as np

_LIFTING = (-1.586134342059924, -0.052980118572961, 0.882911075530934, 0.443506852043971)
_SCALE = 1.230174104914001
#: Coefficients below this share of the quantiser's step are not worth the bits of their position and sign.
_DEAD_ZONE = 0.9


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


def expected_distortion(coefficients: np.ndarray, step: float) -> float:
    """Return the squared error that coefficients keep, in all, at a uniform quantiser of this step.

    At one step for all clusters of a scene each further bit gains as much everywhere, which is what minimises the rate
    at equal distortion (Shoham & Gersho 1988); where clusters are nearly empty their distortion is below step² / 12.
    """
    squares = np.square(coefficients)
    return float(np.where(squares > (_DEAD_ZONE * step) ** 2, step * step / 12, squares).sum())


def _split(x: np.ndarray) -> np.ndarray:
    """Split the last axis into its low and its high half; symmetric at the ends."""
    size = x.shape[-1]
    if size < 2:
        return x
    even, odd = x[..., 0::2].copy(), x[..., 1::2].copy()
    for number, weight in enumerate(_LIFTING):
        if number % 2 == 0:
            right = even[..., 1:] if size % 2 else np.concatenate([even[..., 1:], even[..., -1:]], -1)
            odd += weight * (even[..., : odd.shape[-1]] + right)
        else:
            left = np.concatenate([odd[..., :1], odd], -1)[..., : even.shape[-1]]
            right = np.concatenate([odd, odd[..., -1:]], -1)[..., : even.shape[-1]]
            even += weight * (left + right)
    return np.concatenate([even * (np.sqrt(2) / _SCALE), odd * (_SCALE / np.sqrt(2))], -1)
