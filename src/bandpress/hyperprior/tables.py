"""Integer tables, made from trained weights and shared by encoder and decoder.

Computed once, after training, in floating point; stored with the model and never recomputed (Ballé 2019, see
`bandpress.hyperprior.integer`).
"""

from collections.abc import Mapping

import numpy as np
import scipy.special
import tensorflow_compression as tfc  # noqa: F401 - registers the operations
from tensorflow_compression.python.ops import gen_ops

from bandpress.errors import ModelError
from bandpress.hyperprior.architecture import Architecture, at_quality
from bandpress.hyperprior.integer import ACTIVATION, EXACT_FLOAT32, EXACT_FLOAT64, HyperSynthesis

#: Bits of the range coder's probabilities, the most that it supports.
PRECISION = 16
#: Probability that an integer is beyond its table and needs an escape.
TAIL = 2.0**-12
#: Fraction bits of gains and offsets.
GAIN_BITS = 12
#: Largest weights: 8 bits where sums are kept below 2^24, 14 bits where they may reach 2^53.
NARROW, WIDE = 255, 1 << 14
#: Factor above the largest value in calibration at which activations are clipped.
HEADROOM = 1.25

_WIDEST = 1 << 12


def build_tables(
    architecture: Architecture,
    weights: Mapping[str, np.ndarray],
    calibration: np.ndarray | None = None,
    tables: Mapping[str, np.ndarray] | None = None,
) -> dict[str, np.ndarray]:
    """Make the tables of a model.

    Parameters
    ----------
    architecture, weights
        The trained network.
    calibration
        Hyper-latent symbols (integers) of typical clusters, shape (clusters, lines, samples, hyper); they set the
        ranges of the activations. Default: drawn from the prior, with twice the headroom.
    tables
        Existing range coder tables to keep. Default: made from the weights.

    Returns
    -------
    dict
        - ``y/cdf``, ``y/offset``: range coder tables of the scales; ``z/cdf``, ``z/offset``: of the hyper-latents, one
          a channel. A table is -p, then the cumulative frequencies from 0 to 2^p (p = 16) of the integers from the
          offset on, the last interval being the escape; int32.
        - ``hyper/…``: see `bandpress.hyperprior.integer`.
    """
    tables = tables or {**gaussian_tables(architecture.scale_table), **prior_tables(weights)}
    headroom = HEADROOM
    if calibration is None:
        calibration, headroom = _draw(tables, seed=0), 2 * HEADROOM
    return {**tables, **_hyper_tables(architecture, weights, tables, calibration, headroom)}


def gaussian_tables(scales: np.ndarray) -> dict[str, np.ndarray]:
    """Return range coder tables of rounded zero-mean Gaussians with the given standard deviations."""
    reach = np.ceil(-scipy.special.ndtri(TAIL / 2) * scales).astype(int)
    rows = []
    for scale, most in zip(scales, reach, strict=True):
        edges = (np.arange(most + 1) - 0.5) / scale
        upper = np.diff(-scipy.special.ndtr(-np.append(edges, edges[-1] + 1 / scale)))
        rows.append(np.concatenate([upper[:0:-1], upper]))
    return {"y/cdf": _tables(rows), "y/offset": -reach.astype(np.int32)}


def prior_tables(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return range coder tables of hyper-latents under their factorised density (Ballé 2018, appendix 6.1)."""
    offset = weights["prior/offset"].astype(np.float64)[:, None]
    edges = np.arange(-_WIDEST, _WIDEST + 1) - 0.5
    logits = (edges + offset)[:, None, :]
    i = 0
    while f"prior/matrix/{i}" in weights:
        logits = np.logaddexp(0, weights[f"prior/matrix/{i}"].astype(np.float64)) @ logits
        logits = logits + weights[f"prior/bias/{i}"]
        if f"prior/factor/{i}" in weights:
            logits = logits + np.tanh(weights[f"prior/factor/{i}"].astype(np.float64)) * np.tanh(logits)
        i += 1
    rows, starts = [], []
    for below in logits[:, 0]:
        # Probabilities from the smaller tail, which keeps their relative precision.
        rising, falling = scipy.special.expit(below), scipy.special.expit(-below)
        mass = np.where(below[1:] < 0, np.diff(rising), -np.diff(falling))
        first = int(np.searchsorted(rising, TAIL / 2, side="right")) - 1
        last = len(mass) - int(np.searchsorted(falling[::-1], TAIL / 2, side="right"))
        first, last = max(first, 0), min(max(last, first), len(mass) - 1)
        rows.append(np.maximum(mass[first : last + 1], 0))
        starts.append(first - _WIDEST)
    return {"z/cdf": _tables(rows), "z/offset": np.array(starts, np.int32)}


def _tables(rows: list[np.ndarray]) -> np.ndarray:
    found = []
    for row in rows:
        if len(row) + 1 >= 1 << PRECISION:
            raise ModelError(
                f"a range coder table of {len(row)} entries; expected less than {1 << PRECISION}"
            )
        escape = max(1.0 - row.sum(), 0.0)
        masses = np.append(row, escape).astype(np.float32)
        cdf = gen_ops.pmf_to_quantized_cdf(masses, precision=PRECISION).numpy()
        found.append(np.concatenate([[-PRECISION], cdf]))
    return np.concatenate(found).astype(np.int32)


def split_tables(cdf: np.ndarray) -> list[np.ndarray]:
    """Cut concatenated range coder tables at their precision marks; each then starts with frequency 0."""
    starts = np.flatnonzero(cdf < 0)
    return [part[1:] for part in np.split(cdf, starts[1:])]


def _draw(tables: Mapping[str, np.ndarray], seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    channels = []
    for cdf, start in zip(split_tables(tables["z/cdf"]), tables["z/offset"], strict=True):
        masses = np.diff(cdf[:-1]).astype(float)
        symbols = start + np.arange(len(masses))
        channels.append(random.choice(symbols, size=(4, 12, 12), p=masses / masses.sum()))
    return np.stack(channels, axis=-1)


def _hyper_tables(
    architecture: Architecture,
    weights: Mapping[str, np.ndarray],
    tables: Mapping[str, np.ndarray],
    calibration: np.ndarray,
    headroom: float,
) -> dict[str, np.ndarray]:
    w0, b0 = (weights[f"hyper_synthesis/0/{name}"].astype(np.float64) for name in ("kernel", "bias"))
    w1, b1 = (weights[f"hyper_synthesis/1/{name}"].astype(np.float64) for name in ("kernel", "bias"))
    offset = weights["prior/offset"].astype(np.float64)
    gains = np.ones((1, architecture.hyper))
    if architecture.qualities > 1:
        steps = range(architecture.quality_steps)
        gains = np.stack([at_quality(weights["gains/z_inverse"], step) for step in steps])
    largest = np.zeros(architecture.hyper)
    for gain in gains[:: max(len(gains) // 4, 1)]:
        hidden = _up((calibration + offset) * gain, w0) + b0
        largest = np.maximum(largest, hidden.max(axis=(0, 1, 2)))
    # Activations are in units of 2^-scale; a channel that was always zero keeps a fine unit.
    scale = np.floor(np.log2(ACTIVATION / np.maximum(headroom * largest, 1e-3))).astype(int)
    wide = architecture.qualities > 1 or bool(offset.any())
    bits = GAIN_BITS if wide else 0
    fixed_gain, fixed_offset = np.round(gains * 2.0**bits), np.round(offset * 2.0**bits)
    limit = _limits(tables)
    most = limit * fixed_gain.max(axis=0) + np.abs(fixed_offset)
    k0, bias_0, shift_0 = _quantised(
        w0, b0, bits, scale, most, (WIDE, EXACT_FLOAT64) if wide else (NARROW, EXACT_FLOAT32)
    )
    scaled = w1 * np.exp2(-scale)[:, None]
    most = np.full(architecture.hyper, ACTIVATION)
    k1, bias_1, shift_1 = _quantised(scaled, b1, 0, np.zeros(len(b1), int), most, (NARROW, EXACT_FLOAT32))
    found: dict[str, np.ndarray] = {
        "hyper/limit": limit.astype(np.int32),
        "hyper/gain": fixed_gain.astype(np.int32),
        "hyper/offset": fixed_offset.astype(np.int32),
        "hyper/0/kernel": k0.astype(np.int16),
        "hyper/0/bias": bias_0.astype(np.int64),
        "hyper/0/shift": shift_0.astype(np.int32),
        "hyper/1/kernel": k1.astype(np.int16),
        "hyper/1/bias": bias_1.astype(np.int64),
        "hyper/1/shift": shift_1.astype(np.int32),
    }
    HyperSynthesis.of_tables(found, architecture.hyper, architecture.latent, architecture.scales)
    return found


def _quantised(
    kernel: np.ndarray,
    bias: np.ndarray,
    fraction: int,
    target: np.ndarray,
    most: np.ndarray,
    bounds: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Quantise a layer to integers, as finely as its bounds allow.

    Inputs are in units of 2^-fraction and at most `most`, outputs in units of 2^-target, each per channel. Returns
    weights, biases (including half of the bits that the shift drops) and shifts. `bounds`: of a weight, of a sum.
    """
    weight_bound, sum_bound = bounds
    largest = np.maximum(np.abs(kernel).max(axis=(0, 1, 2)), 1e-9)
    finer = np.minimum(np.floor(np.log2(weight_bound / largest)).astype(int), 40)
    while True:
        shift = finer + fraction - target
        weights = np.round(kernel * np.exp2(finer))
        added = np.round(bias * np.exp2(finer + fraction) + 0.5 * np.exp2(shift))
        taps = (np.abs(weights) * most[:, None]).sum(axis=2)
        if kernel.shape[0] == 5:
            sums = np.max([taps[u::2, v::2].sum(axis=(0, 1)) for u in (0, 1) for v in (0, 1)], axis=0)
        else:
            signs = [(np.maximum(sign * weights, 0) * most[:, None]).sum(axis=(0, 1, 2)) for sign in (1, -1)]
            sums = np.max(signs, axis=0)
        over = (np.abs(weights).max(axis=(0, 1, 2)) > weight_bound) | (sums + np.abs(added) >= sum_bound)
        if not over.any():
            return weights, added, shift
        finer = finer - over
        if finer.min() < -60:
            raise ModelError("hyper-synthesis: weights too large for exact sums; expected a trained network")


def _limits(tables: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return twice the reach of the range coder's tables in each channel, so that symbols are rarely clipped."""
    first = tables["z/offset"].astype(int)
    last = first + np.array([len(cdf) - 3 for cdf in split_tables(tables["z/cdf"])])
    return np.minimum(2 * np.maximum(np.abs(first), np.abs(last)) + 1, NARROW)


def _up(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    count, lines, samples, _ = x.shape
    wide = np.zeros((count, 2 * lines + 4, 2 * samples + 4, kernel.shape[3]))
    for u in range(5):
        for v in range(5):
            wide[:, u : u + 2 * lines : 2, v : v + 2 * samples : 2] += x @ kernel[u, v]
    return wide[:, 2:-2, 2:-2]
