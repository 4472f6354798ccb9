"""Affine prediction of the bands of a cluster from reconstructed bands of other clusters, in integers.

Each band is predicted as a weighted sum of a few reference bands, plus an offset. The encoder chooses the references
and the weights by least squares; because the references carry coding noise when it does, the weights shrink where noise
would come through. Weights are integers over powers of two and sums are exact, so that equal references give
equal predictions on every machine.

Unequal references give unequal predictions: by at most the sum of the weights' sizes times the difference. The encoder
keeps account of that bound (`Prediction.bound`) and keeps it below a limit.
"""

from dataclasses import dataclass

import numpy as np

from bandpress.container.bits import BitReader, BitWriter
from bandpress.errors import CodecError

#: Most bits after the point of a weight; in side information in `_PRECISION_BITS`.
_MOST_PRECISION = 15
_PRECISION_BITS = 4
_COUNT_BITS = 4
#: References that a cluster may have at most.
MOST_REFERENCES = (1 << _COUNT_BITS) - 1
#: Of the bits that a smaller residual saves by its variance, the part that it saves after a transform in space.
_SAVED = 0.3
#: What a weight costs, about, in bits.
_WEIGHT_BITS = 8
#: A variance added to the references', in DN²: keeps the equations regular.
_REGULAR = 1e-3
#: Samples decoded on another machine may differ by this much before prediction, in DN: rounding.
ROUNDING = 1.0
_BLOCK = 1 << 16
#: With numbers up to this, sums of `MOST_REFERENCES` products of 16-bit samples stay below 2**63.
_MOST_NUMBER = 1 << 26
#: How often weights are damped more before a band is left unpredicted, and the first damping.
_DAMPINGS = 24
_FIRST_DAMPING = 1e-6


@dataclass(frozen=True, eq=False)
class Prediction:
    """How the bands of a cluster follow from reference bands.

    Parameters
    ----------
    chosen
        Which of the bands on offer are references, n numbers.
    precisions
        Bits after the point of each reference's weights, n numbers.
    weights
        Integers, int64, shape (n, bands).
    offsets
        What to add to each band, int64, shape (bands,).
    """

    chosen: tuple[int, ...]
    precisions: tuple[int, ...]
    weights: np.ndarray
    offsets: np.ndarray

    def apply(self, offered: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Predict.

        Parameters
        ----------
        offered
            The bands on offer, perhaps none, integers, shape (bands on offer, lines, samples).
        dtype
            Type of the scene; the prediction stays within it.

        Returns
        -------
        numpy.ndarray
            int32, shape (bands, lines, samples).
        """
        shape = offered.shape[1:]
        limits = np.iinfo(dtype)
        out = np.empty((len(self.offsets), *shape), np.int32)
        shift = max(self.precisions, default=0)
        scaled = self.weights << (shift - np.array(self.precisions, np.int64))[:, None]
        constant = (self.offsets << shift) + ((1 << shift) >> 1)
        target = out.reshape(len(out), -1)
        flat = offered.reshape(len(offered), target.shape[1])
        for start in range(0, target.shape[1], _BLOCK):
            block = slice(start, start + _BLOCK)
            sums = np.repeat(constant[:, None], len(target[0, block]), axis=1)
            for reference, weights in zip(self.chosen, scaled, strict=True):
                sums += weights[:, None] * flat[reference, block].astype(np.int64)
            target[:, block] = np.clip(sums >> shift, limits.min, limits.max)
        return out

    def bound(self, bounds: np.ndarray) -> float:
        """Return by how much a sample may differ between two machines.

        Parameters
        ----------
        bounds
            The same of each band on offer, in DN.

        Returns
        -------
        float
            In DN: what the references pass on, the rounding of the prediction and that of the residual.
        """
        if not self.chosen:
            return ROUNDING
        return float((self._gains() * bounds[list(self.chosen), None]).sum(axis=0).max()) + 2 * ROUNDING

    def _gains(self) -> np.ndarray:
        return np.abs(self.weights) * np.exp2(-np.array(self.precisions, np.float64))[:, None]

    def write(self, writer: BitWriter, offered: int) -> None:
        """Append to side information, given the number of bands on offer."""
        if offered:
            writer.number(len(self.chosen), _COUNT_BITS)
        for band, precision, weights in zip(self.chosen, self.precisions, self.weights, strict=True):
            writer.number(band, (offered - 1).bit_length())
            writer.number(precision, _PRECISION_BITS)
            writer.rice(weights.tolist())
        writer.rice(np.diff(self.offsets, prepend=0).tolist())

    @classmethod
    def read(cls, reader: BitReader, offered: int, bands: int) -> "Prediction":
        """Read what `write` wrote.

        Raises
        ------
        CodecError
            If it is no prediction of so many bands from so many.
        """
        count = reader.number(_COUNT_BITS) if offered else 0
        chosen, precisions, weights = [], [], np.zeros((count, bands), np.int64)
        for i in range(count):
            chosen.append(reader.number((offered - 1).bit_length()))
            precisions.append(reader.number(_PRECISION_BITS))
            weights[i] = _within(reader.rice(bands), _MOST_NUMBER)
            if chosen[i] >= offered:
                raise CodecError(f"a prediction from band {chosen[i]} of {offered}; expected one of them")
        offsets = np.cumsum(_within(reader.rice(bands), _MOST_NUMBER))
        return cls(tuple(chosen), tuple(precisions), weights, offsets)


def fit(
    offered: np.ndarray,
    bands: np.ndarray,
    distortion: float,
    most: int,
    bounds: np.ndarray,
    limit: float,
) -> Prediction:
    """Choose references one by one, while each saves more than it costs, and their weights by least squares.

    Parameters
    ----------
    offered
        Reconstructed bands, integers, shape (bands on offer, lines, samples).
    bands
        What to predict, integers, shape (bands, lines, samples).
    distortion
        Mean squared error that the bands will be coded with, in DN². Weights are so precise that each adds about
        `distortion` / pixels, where one more bit costs as much as it gains.
    most
        References at most.
    bounds
        By how much each band on offer may differ between machines.
    limit
        What `Prediction.bound` may be at most.
    """
    count, pixels = len(offered), bands[0].size
    means, moments = _moments(offered, bands)
    moments[range(count), range(count)] += _REGULAR
    chosen = _chosen(moments, count, distortion, pixels, most)
    references = moments[np.ix_(chosen, chosen)]
    cross = moments[np.ix_(chosen, range(count, len(moments)))]
    precisions: list[int] = []
    weights = np.zeros((len(chosen), len(bands)), np.int64)
    if chosen:
        root = np.linalg.cholesky(references).T
        finest = np.sqrt(12 * distortion / pixels) / np.diag(root)
        precisions = np.clip(np.ceil(-np.log2(finest)), 0, _MOST_PRECISION).astype(int).tolist()
        for band in range(len(bands)):
            weights[:, band] = _weights(references, cross[:, band], precisions, bounds[chosen], limit)
    exact = weights * np.exp2(-np.array(precisions, np.float64))[:, None]
    offsets = np.rint(means[count:] - exact.T @ means[chosen]).astype(np.int64)
    return Prediction(tuple(chosen), tuple(precisions), weights, offsets)


def _moments(offered: np.ndarray, bands: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return means and covariance of both together, some samples at a time."""
    flat = [part.reshape(len(part), bands[0].size) for part in (offered, bands)]
    total = len(offered) + len(bands)
    sums, products = np.zeros(total), np.zeros((total, total))
    size = flat[1].shape[1]
    shift = np.concatenate([part[:, :1] for part in flat]).astype(np.float64)
    for start in range(0, size, _BLOCK):
        block = np.concatenate([part[:, start : start + _BLOCK] for part in flat]).astype(np.float64) - shift
        sums += block.sum(axis=1)
        products += block @ block.T
    means = sums / size
    return means + shift[:, 0], products / size - np.outer(means, means)


def _chosen(moments: np.ndarray, count: int, distortion: float, pixels: int, most: int) -> list[int]:
    """Return the references that leave the least to code above the distortion, best first."""
    left = moments.copy()
    bands = len(moments) - count
    cost = bands * _WEIGHT_BITS + _PRECISION_BITS + max(count - 1, 0).bit_length()
    chosen: list[int] = []
    before = _information(left[count:, count:][None], distortion)[0]
    while len(chosen) < min(most, count):
        variances = np.maximum(np.diag(left)[:count], _REGULAR)
        cross = left[:count, count:]
        residuals = left[count:, count:] - cross[:, :, None] * cross[:, None, :] / variances[:, None, None]
        after = _information(residuals, distortion)
        after[chosen] = np.inf
        best = int(after.argmin())
        if (before - after[best]) * pixels * _SAVED < cost:
            break
        chosen.append(best)
        before = after[best]
        left -= np.outer(left[:, best], left[best]) / variances[best]
    return chosen


def _information(covariances: np.ndarray, distortion: float) -> np.ndarray:
    """Return bits a pixel of Gaussian bands of these covariances (Cover & Thomas, 10.3.3), shape (…,)."""
    variances = np.linalg.eigvalsh(covariances)
    return np.log2(np.maximum(variances, distortion) / distortion).sum(axis=-1) / 2


def _weights(
    references: np.ndarray, cross: np.ndarray, precisions: list[int], bounds: np.ndarray, limit: float
) -> np.ndarray:
    """Return integer weights for one band that keep within the limit: the more damped, the smaller they are."""
    units = np.exp2(np.array(precisions, np.float64))
    damping = 0.0
    for _ in range(_DAMPINGS):
        damped = references + damping * np.diag(bounds**2)
        found = _rounded(damped, np.linalg.solve(damped, cross), units)
        if np.abs(found / units) @ bounds + 2 * ROUNDING <= limit:
            return found.astype(np.int64)
        damping = damping * 3 if damping else _FIRST_DAMPING * float(np.trace(references) / np.sum(bounds**2))
    return np.zeros(len(units), np.int64)


def _rounded(matrix: np.ndarray, weights: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Round weights one by one, the last first, each making up for those before (Babai's nearest plane, 1986)."""
    root = np.linalg.cholesky(matrix).T
    out = np.zeros(len(weights))
    for i in range(len(weights) - 1, -1, -1):
        made_up = root[i, i + 1 :] @ (weights[i + 1 :] - out[i + 1 :] / units[i + 1 :]) / root[i, i]
        out[i] = np.rint((weights[i] + made_up) * units[i])
    return out


def _within(values: list[int], most: int) -> np.ndarray:
    if any(abs(value) > most for value in values):
        raise CodecError(f"side information holds numbers beyond {most}; expected those of a prediction")
    return np.array(values, np.int64)
