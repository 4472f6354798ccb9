"""Initial weights that already code: principal components of small blocks, stage by stage. No TensorFlow here.

Each stage of the analysis transform halves the size. Its initial kernel takes the four samples of every 2 x 2 block
of all channels (or the four subbands of a short wavelet, see `FILTERS`) and keeps the N (last stage: M) directions
that hold the most energy, given what the stages before have kept. The synthesis transform starts as the transpose,
GDN near the identity, the mean of the input in the first bias. The last stage is scaled such that rounding the
latents makes the distortion that lambda asks for.

What the widths drop is lost at every rate: `WarmStart.floor` says how much.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bandpress.model.patches import Batch

#: Peak of 16-bit samples, for PSNR.
PEAK = 65535.0

_SQRT3, _SQRT2 = np.sqrt(3.0), np.sqrt(2.0)
_D4 = np.array([1 + _SQRT3, 3 + _SQRT3, 3 - _SQRT3, 1 - _SQRT3]) / (4 * _SQRT2)

#: Pairs of filters over the five taps that meet samples 2i - 2 … 2i + 2, orthonormal under shifts by two samples:
#: the two samples of a block, and Daubechies' wavelet of four taps (1988), which overlaps.
FILTERS = {
    "block": np.array([[0, 0, 1, 0, 0], [0, 0, 0, 1, 0]], np.float64),
    "overlap": np.array([[0, *_D4], [0, _D4[3], -_D4[2], _D4[1], -_D4[0]]], np.float64),
}


@dataclass(frozen=True)
class WarmStart:
    """Initial transforms.

    Parameters
    ----------
    filters
        Name in `FILTERS`.
    directions
        For each stage, the orthonormal directions kept: shape (4 x channels in, channels kept).
    mean
        Mean of the normalised input, shape (k,).
    deviations
        Root mean square of each latent, in units of the normalised input, shape (channels kept,).
    scale
        Root of the mean of the squared band ranges, in DN: what one unit of normalised input is worth.
    floor
        Mean squared error, in DN², of what the widths drop, on the patches that the directions were found on.
    """

    filters: str
    directions: tuple[np.ndarray, ...]
    mean: np.ndarray
    deviations: np.ndarray
    scale: float
    floor: float

    def analysis(self, stage: int, inputs: int, outputs: int) -> np.ndarray:
        """Return a stage's analysis kernel, float32, shape (5, 5, inputs, outputs); channels not kept are zero.

        The synthesis kernel of the same stage holds the same numbers, see `bandpress.model.architecture`.
        """
        filters, directions = FILTERS[self.filters], self.directions[stage]
        channels, kept = len(directions) // 4, directions.shape[1]
        kernel = np.zeros((5, 5, inputs, outputs), np.float32)
        split = directions.reshape(2, 2, channels, kept)
        kernel[:, :, :channels, :kept] = np.einsum("ay,bx,abcn->yxcn", filters, filters, split)
        return kernel


def fit(batch: Batch, hidden: int, latent: int, filters: str = "block", stages: int = 4) -> WarmStart:
    """Find the directions that hold the most energy, stage by stage.

    Parameters
    ----------
    batch
        Patches to learn from, see `bandpress.model.patches.Patches.fixed`; some hundreds are enough.
    hidden, latent
        Channels of the hidden stages (N) and of the last (M).
    filters
        A name in `FILTERS`.
    stages
        How many times the size is halved.

    Returns
    -------
    WarmStart
        Energy is counted in DN², as the distortion is: a cluster of twice the range weighs four times as much.
    """
    worth = (batch.ranges.astype(np.float64) ** 2).mean(axis=1)
    scale = float(np.sqrt(worth.mean()))
    mean = np.einsum("nhwc,n->c", batch.x, worth) / (worth.sum() * batch.x[0, ..., 0].size)
    weights = np.sqrt(worth / worth.mean()).astype(np.float32)[:, None, None, None]
    x = (batch.x - mean.astype(np.float32)) * weights
    directions = []
    for stage in range(stages):
        split = _subbands(x, FILTERS[filters])
        flat = split.reshape(-1, split.shape[-1])
        energy = (flat.T @ flat).astype(np.float64) / len(flat)
        values, vectors = np.linalg.eigh(energy)
        kept = min(latent if stage == stages - 1 else hidden, len(values))
        values, vectors = values[::-1][:kept], _signed(vectors[:, ::-1][:, :kept])
        directions.append(vectors)
        x = split @ vectors.astype(np.float32)
    made = WarmStart(
        filters, tuple(directions), mean.astype(np.float32), np.sqrt(np.maximum(values, 0)), scale, 0.0
    )
    return replace(made, floor=floor(made, batch))


def floor(made: WarmStart, batch: Batch) -> float:
    """Return what the widths of a warm start lose on patches, before any rounding: mean squared error in DN²."""
    filters = FILTERS[made.filters]
    original = batch.x - made.mean
    x, directions = original, [d.astype(np.float32) for d in made.directions]
    for kept in directions:
        x = _subbands(x, filters) @ kept
    for kept in reversed(directions):
        x = _merged(x @ kept.T, filters)
    error = np.square((x - original) * batch.ranges[:, None, None, :], dtype=np.float32)
    return float(error.mean(dtype=np.float64))


def quantiser_step(lambda_: float, k: int) -> float:
    """Return the step, in DN, that balances rate and distortion where the rate is high.

    There the distortion is D = step² / 12 and a sample costs h - log2(step) bits, so that
    k · rate + lambda · D is least where D = k / (2 ln 2 · lambda).
    """
    return float(np.sqrt(12 * k / (2 * np.log(2) * lambda_)))


def psnr(mse: float) -> float:
    """Return the PSNR in dB at a peak of 65,535."""
    return float("inf") if mse <= 0 else 10 * float(np.log10(PEAK**2 / mse))


def _subbands(x: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """Halve the size; channels (n, h, w, c) become (n, h/2, w/2, 4c). Periodic at the borders, hence orthonormal."""

    def along(values: np.ndarray, axis: int) -> list[np.ndarray]:
        taps = [np.roll(values, 2 - tap, axis).take(np.arange(0, values.shape[axis], 2), axis) for tap in range(5)]
        return [sum(np.float32(w) * t for w, t in zip(f, taps, strict=True) if w) for f in filters]

    return np.concatenate([part for rows in along(x, 1) for part in along(rows, 2)], axis=-1)


def _merged(split: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """Undo `_subbands`, as its transpose does."""

    def along(low: np.ndarray, high: np.ndarray, axis: int) -> np.ndarray:
        shape = list(low.shape)
        shape[axis] *= 2
        out = np.zeros(shape, np.float32)
        for part, f in ((low, filters[0]), (high, filters[1])):
            spread = np.zeros(shape, np.float32)
            spread[(slice(None),) * axis + (slice(0, None, 2),)] = part
            for tap, weight in enumerate(f):
                if weight:
                    out += np.float32(weight) * np.roll(spread, tap - 2, axis)
        return out

    ll, lh, hl, hh = np.split(split, 4, axis=-1)
    return along(along(ll, lh, 2), along(hl, hh, 2), 1)


def _signed(vectors: np.ndarray) -> np.ndarray:
    """Make the largest entry of each column positive, so that the same data gives the same directions."""
    largest = np.abs(vectors).argmax(axis=0)
    return vectors * np.sign(vectors[largest, np.arange(vectors.shape[1])])
