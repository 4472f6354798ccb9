"""Karhunen-Loève basis of a cluster: covariance, eigenvectors, and their coding at matched precision."""

from collections.abc import Callable

import numpy as np

from bandpress.container.bits import BitReader, BitWriter
from bandpress.errors import CodecError
from bandpress.transforms.rklt import Reflections

_MOST_PRECISION = 24
_PRECISION_BITS = 5


#: Level for `reflections` that gives every vector full precision, even for a single pixel.
FINEST = 0.0
_FULL_PRECISION = 16
_PIXELS = 1 << 14


def covariance(samples: np.ndarray, fraction: float = 1.0) -> np.ndarray:
    """Return the covariance of bands.

    Parameters
    ----------
    samples
        Shape (bands, lines, samples).
    fraction
        Share of the pixels to use, every (1 / fraction)-th of them (Penna et al. 2007, IEEE Trans. Geosci. Remote
        Sens. 45(5): 1 % is enough on large scenes).

    Returns
    -------
    numpy.ndarray
        float64, shape (bands, bands).
    """
    return _moments(samples, fraction, lambda block: block)


def innovations(samples: np.ndarray, fraction: float = 1.0) -> np.ndarray:
    """Return, for each KLT component, the variance left after prediction from the sample to the left.

    It is half the variance of differences, as for a first-order process of high correlation, and at most the variance.

    Parameters
    ----------
    samples, fraction
        As for `covariance`.

    Returns
    -------
    numpy.ndarray
        float64, shape (bands,).
    """
    variances, basis = np.linalg.eigh(covariance(samples, fraction))
    if samples.shape[2] < 2:
        return np.maximum(variances, 0)
    steps = _moments(samples, fraction, lambda block: np.diff(block, axis=2))
    return np.minimum(np.einsum("ij,ik,kj->j", basis, steps, basis) / 2, np.maximum(variances, 0))


def _moments(
    samples: np.ndarray, fraction: float, prepared: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Return the covariance of `prepared` lines, computed in blocks of lines."""
    bands, lines, width = samples.shape
    step = max(1, round(1 / fraction))
    at_once = max(1, _PIXELS // width)
    products, sums, count = np.zeros((bands, bands)), np.zeros(bands), 0
    for line in range(0, lines, at_once):
        block = prepared(samples[:, line : line + at_once].astype(np.float64))
        block = block.reshape(bands, -1)[:, ::step]
        products += block @ block.T
        sums += block.sum(axis=1)
        count += block.shape[1]
    means = sums / count
    return products / count - np.outer(means, means)


def water_level(variances: np.ndarray, rate: float) -> float:
    """Return the distortion per component at which components of given variances take `rate` bits per sample.

    Reverse water-filling for Gaussian components (Cover & Thomas, 10.3.3): the mean of max(0, log2(v / level) / 2).
    """
    low, high = -20.0, float(np.log2(max(variances.max(), 1e-6)))
    logs = np.log2(np.maximum(variances, 1e-6))
    for _ in range(60):
        middle = (low + high) / 2
        if np.maximum(0, logs - middle).mean() / 2 > rate:
            low = middle
        else:
            high = middle
    return float(2**high)


def reflections(covariance_: np.ndarray, level: float, pixels: int) -> Reflections:
    """Return the basis as reflections, with each vector's precision chosen from its component's variance.

    A vector's error leaks variance of its component into later ones. The step is chosen for a leak of about `level` /
    `pixels` per band, where one more bit would cost as much as it gains. Components whose variance is below `level` get
    no vector.

    Parameters
    ----------
    covariance_
        Shape (n, n).
    level
        Distortion of the components; `FINEST` for all vectors with 16 bits per factor.
    pixels
        Pixels that share the basis.
    """
    n = len(covariance_)
    variances, vectors = np.linalg.eigh(covariance_)
    variances, basis = variances[::-1], vectors[:, ::-1].copy()
    step = np.sqrt(12 * level / pixels)
    precisions: list[int] = []
    integers: list[tuple[int, ...]] = []
    for i in range(n - 1):
        if level == FINEST:
            precision = _FULL_PRECISION
        elif variances[i] <= level:
            break
        else:
            wanted = int(np.ceil(np.log2(np.sqrt(variances[i]) / step)))
            precision = max(1, min(_MOST_PRECISION, wanted))
        u = basis[i:, i] / max(float(np.linalg.norm(basis[i:, i])), 1e-300)
        first = u[0] + (1.0 if u[0] >= 0 else -1.0)
        rest = np.rint(u[1:] / first * (1 << precision)).astype(np.int64)
        v = np.concatenate(([float(1 << precision)], rest))
        basis[i:] -= np.outer(v, v @ basis[i:]) * (2 / (v @ v))
        precisions.append(precision)
        integers.append(tuple(rest.tolist()))
    return Reflections(n, tuple(precisions), tuple(integers))


def write_reflections(writer: BitWriter, given: Reflections) -> None:
    """Append reflections to side information."""
    writer.number(len(given.precisions), given.bands.bit_length())
    for precision, vector in zip(given.precisions, given.vectors, strict=True):
        writer.number(precision, _PRECISION_BITS)
        writer.rice(vector)


def read_reflections(reader: BitReader, bands: int) -> Reflections:
    """Read the side information of `write_reflections`.

    Raises
    ------
    CodecError
        If it is not valid side information of `bands` bands.
    """
    count = reader.number(bands.bit_length())
    if count >= bands:
        raise CodecError(f"side information states {count} vectors; expected fewer than {bands}")
    precisions, vectors = [], []
    for i in range(count):
        precisions.append(reader.number(_PRECISION_BITS))
        vectors.append(tuple(reader.rice(bands - 1 - i)))
    return Reflections(bands, tuple(precisions), tuple(vectors))
