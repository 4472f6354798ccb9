"""Hyper-synthesis in integers: the same scale indexes on every machine. No TensorFlow here.

Ballé, Johnston, Minnen, "Integer networks for data compression with latent-variable models" (ICLR 2019). Encoder and
decoder must agree on the scale of every latent, and floating point sums differ with the order of summation. Here every
operand is an integer of at most `OPERAND` in magnitude and every sum, in any order, stays below `SUM`, so that float32
(and bfloat16 products summed in float32) are exact. Rounding is floor(x / 2^s) after half of 2^s was added to the bias.

The two layers, for hyper-latent symbols n (integers) and operating point q:

- ``a = clip(n, -L, L)``, a limit a channel; with offsets, two channels more: 256 and 1 wherever there is a hyper-latent.
- ``h = clip(floor((up(a, K0) + B0) / 2^S0), 0, 255)``: 5×5, stride 2 upwards, see `bandpress.model.transforms.up`.
- ``index = clip(floor((same(h, K1) + B1) / 2^S1), 0, scales - 1)``: 3×3.

K0, B0, S0 follow from the tables and q in 64-bit integer arithmetic (`prepare`); K1, B1, S1 are the tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bandpress.errors import ModelError

#: Largest magnitude of an operand: integers up to 256 are exact in bfloat16.
OPERAND = 255
#: Every sum, whatever its order, stays below this in magnitude: float32 holds all these integers.
SUM = 1 << 24

#: Fraction bits of gains and of offsets in the tables.
GAIN_BITS = 14
OFFSET_BITS = 12


@dataclass(frozen=True, eq=False)
class HyperSynthesis:
    """Integer layers for one operating point.

    Parameters
    ----------
    limit
        Largest magnitude of the symbols that come in, (hyper,), int64.
    kernel_0
        (5, 5, hyper or hyper + 2, hyper), int64; the two channels more are those of the offsets.
    bias_0, shift_0
        (hyper,), int64.
    kernel_1
        (3, 3, hyper, latent), int64.
    bias_1, shift_1
        (latent,), int64.
    scales
        Number of scale indexes.
    """

    limit: np.ndarray
    kernel_0: np.ndarray
    bias_0: np.ndarray
    shift_0: np.ndarray
    kernel_1: np.ndarray
    bias_1: np.ndarray
    shift_1: np.ndarray
    scales: int

    @property
    def offsets(self) -> bool:
        """Whether there are the two channels of the offsets."""
        return self.kernel_0.shape[2] > self.kernel_0.shape[3]

    def check(self) -> None:
        """Check that no operand and no sum can leave its range.

        Raises
        ------
        ModelError
            If one can.
        """
        sums = {
            "0": worst_sum_0(self.kernel_0, self.limit) + np.abs(self.bias_0),
            "1": worst_sum_1(self.kernel_1) + np.abs(self.bias_1),
        }
        for layer, kernel in (("0", self.kernel_0), ("1", self.kernel_1)):
            operand, total = int(np.abs(kernel).max()), int(sums[layer].max())
            if operand > OPERAND or total >= SUM:
                raise ModelError(
                    f"integer hyper-synthesis, layer {layer}: a weight of {operand}, a sum of up to {total}; "
                    f"expected at most {OPERAND} and less than {SUM}"
                )

    def indexes(self, symbols: np.ndarray) -> np.ndarray:
        """Evaluate in NumPy: slow, plain, and what every other evaluation must equal.

        Parameters
        ----------
        symbols
            Hyper-latent symbols, shape (clusters, lines, samples, hyper), integers.

        Returns
        -------
        numpy.ndarray
            Scale indexes, shape (clusters, 2 lines, 2 samples, latent), int32.
        """
        a = np.clip(symbols, -self.limit, self.limit).astype(np.float64)
        if self.offsets:
            ones = np.ones((*a.shape[:3], 1))
            a = np.concatenate([a, 256 * ones, ones], axis=3)
        count, lines, samples, _ = a.shape
        wide = np.zeros((count, 2 * lines + 4, 2 * samples + 4, self.kernel_0.shape[3]))
        for u in range(5):
            for v in range(5):
                wide[:, u : u + 2 * lines : 2, v : v + 2 * samples : 2] += a @ self.kernel_0[u, v].astype(
                    float
                )
        h = _shifted(wide[:, 2:-2, 2:-2], self.bias_0, self.shift_0, OPERAND)
        padded = np.pad(h, ((0, 0), (1, 1), (1, 1), (0, 0)))
        total = np.zeros((*h.shape[:3], self.kernel_1.shape[3]))
        for u in range(3):
            for v in range(3):
                window = padded[:, u : u + 2 * lines, v : v + 2 * samples]
                total += window @ self.kernel_1[u, v].astype(float)
        return _shifted(total, self.bias_1, self.shift_1, self.scales - 1).astype(np.int32)


def _shifted(total: np.ndarray, bias: np.ndarray, shift: np.ndarray, most: int) -> np.ndarray:
    return np.clip(np.floor((total + bias) * np.exp2(-shift.astype(float))), 0, most)


def prepare(tables: Mapping[str, np.ndarray], step: int, scales: int) -> HyperSynthesis:
    """Derive the integer layers of one operating point from a model's tables, in exact 64-bit arithmetic.

    Per channel out j of the first layer, with W, P, B, E, G, O, L = ``hyper/0/kernel``, ``hyper/0/exponent``,
    ``hyper/0/bias``, ``hyper/1/exponent``, ``hyper/gain``, ``hyper/offset``, ``hyper/limit``, and ``x >> r`` rounded,
    (x + 2^(r-1)) div 2^r::

        V[u, v, c, j] = W[u, v, c, j] G[q, c]
        K[u, v, c, j] = V[u, v, c, j] >> r[j]
        D[u, v, j]    = sum over c of V[u, v, c, j] O[c] >> (12 + r[j])    the channels 256 and 1: D = 256 hi + lo
        S[j] = P[j] + 14 - r[j] - E[j],  bias[j] = (B[j] >> r[j]) + 2^(S[j] - 1)

    r[j] is the smallest number, from 0 on, for which every weight is at most 255, `worst_sum_0` plus the magnitude of the
    bias is below 2^24, and -128 <= lo < 128, and |hi| <= 255.

    Parameters
    ----------
    tables
        A model's integer tables.
    step
        The operating point, a row of ``hyper/gain``.
    scales
        Number of scale indexes.

    Raises
    ------
    ModelError
        If the tables lack something or cannot be brought into range.
    """
    try:
        kernel = tables["hyper/0/kernel"].astype(np.int64)
        gain = tables["hyper/gain"][step].astype(np.int64)
        offset = tables["hyper/offset"].astype(np.int64)
        limit = tables["hyper/limit"].astype(np.int64)
        bias = tables["hyper/0/bias"].astype(np.int64)
        exponent = tables["hyper/0/exponent"].astype(np.int64)
        scale = tables["hyper/1/exponent"].astype(np.int64)
        second = [tables[f"hyper/1/{name}"].astype(np.int64) for name in ("kernel", "bias", "shift")]
    except KeyError as error:
        raise ModelError(f"tables: {error.args[0]} is missing") from None
    except IndexError:
        raise ModelError(
            f"operating point {step}; expected one of the model's {len(tables['hyper/gain'])}, from 0"
        ) from None
    v = kernel * gain[:, None]
    d = (v * offset[:, None]).sum(axis=2)
    shifts = np.zeros(kernel.shape[3], np.int64)
    while True:
        first = rounded_shift(v, shifts)
        if offset.any():
            total = rounded_shift(d, OFFSET_BITS + shifts)
            high = (total + 128) >> 8
            first = np.concatenate([first, high[:, :, None], (total - 256 * high)[:, :, None]], axis=2)
        after = exponent + GAIN_BITS - shifts - scale
        added = rounded_shift(bias, shifts) + np.where(after > 0, 1 << np.maximum(after - 1, 0), 0)
        over = np.abs(first).max(axis=(0, 1, 2)) > OPERAND
        over |= worst_sum_0(first, limit) + np.abs(added) >= SUM
        if not over.any():
            break
        shifts += over
        if shifts.max() > 62:
            raise ModelError("tables: the hyper-synthesis cannot be brought into the range of exact sums")
    layers = HyperSynthesis(limit, first, added, after, *second, scales)
    layers.check()
    return layers


def worst_sum_0(kernel: np.ndarray, limit: np.ndarray) -> np.ndarray:
    """Return the largest magnitude that any part of a sum of the first layer can have, bias apart.

    A sample sees the taps of one parity of u and of v. Two channels more than limits are 256 and 1.
    """
    most = np.concatenate([limit, [256, 1][: 2 * (kernel.shape[2] > len(limit))]])
    magnitude = (np.abs(kernel) * most[:, None]).sum(axis=2)
    parities = [magnitude[u::2, v::2].sum(axis=(0, 1)) for u in (0, 1) for v in (0, 1)]
    return np.max(parities, axis=0)


def worst_sum_1(kernel: np.ndarray) -> np.ndarray:
    """Return the same for the second layer, whose inputs lie between 0 and 255."""
    parts = [np.maximum(sign * kernel, 0).sum(axis=(0, 1, 2)) for sign in (1, -1)]
    return OPERAND * np.max(parts, axis=0)


def rounded_shift(x: np.ndarray, bits: np.ndarray) -> np.ndarray:
    """Divide integers by 2^bits, rounding halves up; `bits` is not negative."""
    bits = np.asarray(bits, np.int64)
    return (x + np.where(bits > 0, 1 << np.maximum(bits - 1, 0), 0)) >> bits
