"""No-data samples: detection, and fill values for coding."""

from collections.abc import Iterable

import numpy as np


def sample_of(nodata: float | None, dtype: np.dtype) -> np.generic | None:
    """Return the no-data value in a sample type; None if the type cannot hold it.

    Parameters
    ----------
    nodata
        No-data value, or None.
    dtype
        Type of the samples.
    """
    if nodata is None:
        return None
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return dtype.type(nodata)
    limits = np.iinfo(dtype)
    if nodata != nodata or (nodata not in (np.inf, -np.inf) and int(nodata) != nodata):
        return None
    return dtype.type(int(nodata)) if limits.min <= nodata <= limits.max else None


def mask_of(samples: np.ndarray, nodata: float | None) -> np.ndarray | None:
    """Return the no-data mask: True for samples that have the no-data value or are not finite.

    Parameters
    ----------
    samples
        Samples, any shape.
    nodata
        No-data value, or None.

    Returns
    -------
    numpy.ndarray or None
        bool, shape of `samples`; None if all samples are valid.
    """
    value = sample_of(nodata, samples.dtype)
    if samples.dtype.kind != "f":
        if value is None:
            return None
        found = samples == value
    else:
        found = ~np.isfinite(samples)
        if value is not None:
            found |= samples == value
    return found if found.any() else None


def ends(bands: Iterable[np.ndarray], nodata: float | None) -> tuple[float, float]:
    """Return the smallest and the largest valid sample; (inf, -inf) if there is none."""
    low, high = np.inf, -np.inf
    for band in bands:
        found = mask_of(band, nodata)
        measured = band if found is None else band[~found]
        if measured.size:
            low, high = min(low, float(measured.min())), max(high, float(measured.max()))
    return low, high


def filled(band: np.ndarray, mask: np.ndarray, halvings: int) -> np.ndarray:
    """Return a band with no-data samples replaced by values that cost few bits.

    Near valid samples these are smoothed means of them; farther away, the mean of the band. Measured on two scenes with
    a third of the samples masked: 0.2 to 1.1 dB better than the mean alone at the same rate, and 1 % larger if
    lossless; with 2 % masked at random 0.3 to 2.6 dB better and 1 to 7 % smaller.

    Parameters
    ----------
    band
        Integers, shape (lines, samples).
    mask
        True for no-data samples, same shape.
    halvings
        Reach of the means: blocks of 2 ** `halvings` lines and samples. 2 is best at low rates, 1 if lossless.
    """
    if mask.all():
        return np.zeros_like(band)
    weights: np.ndarray = 1.0 - mask
    values = band * weights
    mean = values.sum() / weights.sum()
    levels = [(values, mask)]
    for _ in range(halvings):
        sums, weights = _sums(values), _sums(weights)
        values = np.divide(sums, weights, out=np.zeros_like(sums), where=weights > 0)
        levels.append((values, weights == 0))
        weights = 1.0 * (weights > 0)
    guess = np.where(levels[-1][1], mean, levels[-1][0])
    for values, unknown in reversed(levels[:-1]):
        lines, samples = values.shape
        smooth = _smoothed(guess.repeat(2, axis=0).repeat(2, axis=1)[:lines, :samples])
        guess = np.where(unknown, smooth, values)
    return np.where(mask, np.rint(guess), band).astype(band.dtype)


def _sums(values: np.ndarray) -> np.ndarray:
    """Return the sums of blocks of 2 × 2."""
    whole = np.pad(values, [(0, side % 2) for side in values.shape])
    return whole[::2, ::2] + whole[1::2, ::2] + whole[::2, 1::2] + whole[1::2, 1::2]


def _smoothed(values: np.ndarray) -> np.ndarray:
    """Return means over 3 × 3 samples, borders repeated."""
    around = np.pad(values, 1, mode="edge")
    rows = around[:-2] + around[1:-1] + around[2:]
    return (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / 9
