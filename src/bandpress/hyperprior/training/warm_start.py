"""Initial weights that already code well: principal components of small blocks, stage by stage. No TensorFlow here.

Each stage of the analysis transform halves the size. Its initial kernel takes the four samples of every 2 x 2 block
of all channels (or the four subbands of a short wavelet, see `FILTERS`) and keeps the N (last stage: M) directions
with the most energy among those that earlier stages have kept. The synthesis transform starts as the transpose, GDN
near the identity, the first bias with the mean of the input. The last stage is scaled so that rounding the latents
gives the distortion that is optimal at lambda.

Detail dropped by the widths is lost at every rate; `WarmStart.floor` is its mean squared error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bandpress.hyperprior.architecture import Architecture
from bandpress.hyperprior.training.patches import Batch

#: Initial gamma of GDN, near the identity for channels of the size of the input.
GAMMA = 0.01
#: The same for clusters coded to a thousandth of their range, like KLT components.
FLAT = 0.001
#: Value of the constant hyper-latent.
_CONSTANT = 4.0

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
        Root mean square of the band ranges, in DN: the value of one unit of normalised input.
    floor
        Mean squared error, in DN², of the detail dropped by the widths, on the patches used to find the directions.
    """

    filters: str
    directions: tuple[np.ndarray, ...]
    mean: np.ndarray
    deviations: np.ndarray
    scale: float
    floor: float

    def analysis(self, stage: int, inputs: int, outputs: int) -> np.ndarray:
        """Return the analysis kernel of a stage, float32, shape (5, 5, inputs, outputs); unused channels are zero.

        The synthesis kernel of the same stage has the same numbers, see `bandpress.hyperprior.architecture`.
        """
        filters, directions = FILTERS[self.filters], self.directions[stage]
        channels, kept = len(directions) // 4, directions.shape[1]
        kernel = np.zeros((5, 5, inputs, outputs), np.float32)
        split = directions.reshape(2, 2, channels, kept)
        kernel[:, :, :channels, :kept] = np.einsum("ay,bx,abcn->yxcn", filters, filters, split)
        return kernel


def fit(batch: Batch, widths: Sequence[int], filters: str = "block") -> WarmStart:
    """Find the directions that hold the most energy, stage by stage.

    Parameters
    ----------
    batch
        Some hundred patches, see `bandpress.hyperprior.training.patches.Patches.fixed`.
    widths
        Channels of each stage: the hidden ones (N), then the latents (M).
    filters
        A name in `FILTERS`.

    Returns
    -------
    WarmStart
        Energy is in DN², like the distortion: a cluster with twice the range has four times the weight.
    """
    worth = (batch.ranges.astype(np.float64) ** 2).mean(axis=1)
    scale = float(np.sqrt(worth.mean()))
    mean = np.einsum("nhwc,n->c", batch.x, worth) / (worth.sum() * batch.x[0, ..., 0].size)
    weights = np.sqrt(worth / worth.mean()).astype(np.float32)[:, None, None, None]
    x = (batch.x - mean.astype(np.float32)) * weights
    directions = []
    for width in widths:
        split = _subbands(x, FILTERS[filters])
        flat = split.reshape(-1, split.shape[-1])
        energy = (flat.T @ flat).astype(np.float64) / len(flat)
        values, vectors = np.linalg.eigh(energy)
        kept = min(width, len(values))
        values, vectors = values[::-1][:kept], _signed(vectors[:, ::-1][:, :kept])
        directions.append(vectors)
        x = split @ vectors.astype(np.float32)
    made = WarmStart(
        filters, tuple(directions), mean.astype(np.float32), np.sqrt(np.maximum(values, 0)), scale, 0.0
    )
    return replace(made, floor=floor(made, batch))


def floor(made: WarmStart, batch: Batch) -> float:
    """Return the mean squared error in DN² due to the widths of a warm start, on patches, without rounding."""
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
    """Return the step in DN that balances rate and distortion at high rates.

    There the distortion is D = step² / 12 and a sample costs h - log2(step) bits, so k · rate + lambda · D is smallest
    at D = k / (2 ln 2 · lambda).
    """
    return float(np.sqrt(12 * k / (2 * np.log(2) * lambda_)))


def weights(
    made: WarmStart, architecture: Architecture, lambdas: Sequence[float], seed: int, gamma: float = GAMMA
) -> dict[str, np.ndarray]:
    """Return a full set of initial weights.

    Parameters
    ----------
    made
        Result of `fit` for the same k, N and M.
    architecture
        The network.
    lambdas
        Weights of the distortion, one per quality, for a cluster with bands of range `made.scale`.
    seed
        Seed of the kernels of the hyper networks.
    gamma
        Initial gamma of GDN; GDN and its inverse together err by about gamma² times the cube of the input.

    Returns
    -------
    dict
        Arrays by name, see `Architecture.shapes`.
    """
    weights = architecture.random_weights(seed)
    steps = [quantiser_step(lambda_, architecture.bands_per_cluster) / made.scale for lambda_ in lambdas]
    family = architecture.qualities > 1
    _set_transforms(weights, architecture, made, 1.0 if family else steps[0], gamma)
    if family:
        gains = np.repeat(1 / np.array(steps, np.float32)[:, None], architecture.latent, axis=1)
        weights["gains/y"], weights["gains/y_inverse"] = gains, 1 / gains
    deviations = np.zeros(architecture.latent)
    deviations[: len(made.deviations)] = made.deviations
    _set_hyper(weights, architecture, deviations, np.array(steps))
    return weights


def rescale(weights: dict[str, np.ndarray], architecture: Architecture, factor: float) -> None:
    """Make the quantiser of a network without gains finer by a factor, in place, to start for another lambda."""
    weights["analysis/3/kernel"] *= np.float32(factor)
    weights["analysis/3/bias"] *= np.float32(factor)
    weights["synthesis/0/kernel"] /= np.float32(factor)
    weights["hyper_analysis/0/kernel"] /= np.float32(factor)
    table = architecture.scale_table
    weights["hyper_synthesis/1/bias"] += np.float32(np.log(factor) / np.log(table[1] / table[0]))


def _set_transforms(
    weights: dict[str, np.ndarray], architecture: Architecture, made: WarmStart, step: float, gamma_: float
) -> None:
    """Set analysis and synthesis so that latents are in quantiser steps, with a quarter of the scaling per stage."""
    share = step ** (-1 / len(made.directions))
    for stage, (inputs, outputs) in enumerate(architecture.channels("analysis")):
        kernel = made.analysis(stage, inputs, outputs)
        unused = made.directions[stage].shape[1]
        back = len(made.directions) - 1 - stage
        weights[f"analysis/{stage}/kernel"][..., :unused] = kernel[..., :unused] * share
        weights[f"synthesis/{back}/kernel"][:] = kernel.swapaxes(2, 3) / share
        weights[f"analysis/{stage}/bias"][:] = 0
        if stage < len(made.directions) - 1:
            gamma = np.eye(outputs, dtype=np.float32) * np.float32(gamma_ / share ** (stage + 1))
            weights[f"analysis/{stage}/gamma"] = gamma
            weights[f"synthesis/{back - 1}/gamma"] = gamma.copy()
    weights["analysis/0/bias"] = -np.einsum("yxco,c->o", weights["analysis/0/kernel"], made.mean)
    weights[f"synthesis/{len(made.directions) - 1}/bias"] = made.mean.copy()


def _set_hyper(
    weights: dict[str, np.ndarray], architecture: Architecture, deviations: np.ndarray, steps: np.ndarray
) -> None:
    """Let the hyper-synthesis start from each latent's own deviation, at every quality.

    The bias of the last layer holds the scale index of each latent at the first quality. In a family, one hyper-latent
    is constant, which costs no bits; its inverse gain grows with the quality and raises all indexes.
    """
    table = architecture.scale_table
    log_ratio = np.log(table[1] / table[0])
    first = deviations / steps[0]
    weights["hyper_synthesis/1/bias"] = (
        np.log(np.clip(first, table[0], table[-1]) / table[0]) / log_ratio
    ).astype(np.float32)
    weights["hyper_synthesis/1/kernel"] *= np.float32(2.0)
    typical = deviations / np.exp(np.log(steps).mean())
    weights["hyper_analysis/0/kernel"] /= (0.5 + typical).astype(np.float32)[:, None]
    if len(steps) > 1:
        for name in ("hyper_analysis/0/kernel", "hyper_analysis/1/kernel", "hyper_synthesis/0/kernel"):
            weights[name][..., 0] = 0
        weights["hyper_analysis/0/bias"][0] = 1
        weights["hyper_analysis/1/kernel"][2, 2, 0, 0] = _CONSTANT
        weights["hyper_synthesis/0/kernel"][:, :, 0, :] = 0
        weights["hyper_synthesis/0/kernel"][2:4, 2:4, 0, 0] = 1 / _CONSTANT
        weights["hyper_synthesis/1/kernel"][:, :, 0, :] = 0
        weights["hyper_synthesis/1/kernel"][1, 1, 0, :] = 1 / log_ratio
        rise = np.log(steps[0] / steps) + 0.1
        weights["hyper_synthesis/1/bias"] -= np.float32(0.1 / log_ratio)
        weights["gains/z_inverse"][:, 0] = rise


def _subbands(x: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """Halve the size; channels (n, h, w, c) become (n, h/2, w/2, 4c). Periodic at the borders, hence orthonormal."""

    def along(values: np.ndarray, axis: int) -> list[np.ndarray]:
        even = np.arange(0, values.shape[axis], 2)
        parts = []
        for row in filters.astype(np.float32):
            used = np.flatnonzero(row)
            taps = [row[tap] * np.roll(values, 2 - tap, axis).take(even, axis) for tap in used]
            parts.append(np.add.reduce(taps))
        return parts

    return np.concatenate([part for rows in along(x, 1) for part in along(rows, 2)], axis=-1)


def _merged(split: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """Invert `_subbands`, by its transpose."""

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
