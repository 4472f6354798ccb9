"""Hyper-synthesis in integers: the same scale indexes on every machine. No TensorFlow here.

Ballé, Johnston, Minnen, "Integer networks for data compression with latent-variable models" (ICLR 2019). Encoder and
decoder must agree on the scale of every latent, but floating-point sums differ with the order of summation. Here every
operand is an integer, and every sum, in any order, stays below 2^24 or 2^53, so that float32 or float64 is exact.

With n the hyper-latent symbols and q the operating point of a cluster, and capital letters arrays of the tables::

    a     = clip(n, -LIMIT, LIMIT) GAIN[q] + OFFSET              per channel
    h     = clip(floor((up(a, K0) + B0) / 2^S0), 0, 255)         5×5, stride 2 upwards
    index = clip(floor((same(h, K1) + B1) / 2^S1), 0, scales-1)  3×3

`up` and `same` are those of `bandpress.hyperprior.transforms`: tap (u, v) of input (i, j) adds to output (2i+u-2,
2j+v-2); output (i, j) sums taps (u, v) of inputs (i+u-1, j+v-1); inputs beyond the border are 0, whatever OFFSET is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bandpress.errors import ModelError

#: Largest activation between the layers.
ACTIVATION = 255
#: Every sum, in any order, is an integer below this in magnitude, which float32 or float64 holds exactly.
EXACT_FLOAT32 = 1 << 24
EXACT_FLOAT64 = 1 << 53


@dataclass(frozen=True, eq=False)
class HyperSynthesis:
    """The integer layers of a model.

    Parameters
    ----------
    limit, offset
        (hyper,), int64.
    gain
        (operating points, hyper), int64.
    kernel_0
        (5, 5, hyper, hyper), int64.
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
    gain: np.ndarray
    offset: np.ndarray
    kernel_0: np.ndarray
    bias_0: np.ndarray
    shift_0: np.ndarray
    kernel_1: np.ndarray
    bias_1: np.ndarray
    shift_1: np.ndarray
    scales: int

    @classmethod
    def of_tables(
        cls, tables: Mapping[str, np.ndarray], hyper: int, latent: int, scales: int
    ) -> "HyperSynthesis":
        """Return the layers in a model's tables, after checking that no sum can leave its range.

        Raises
        ------
        ModelError
            If a table is missing, has another shape, or a sum could be inexact.
        """
        shapes: dict[str, tuple[int, ...]] = {
            "limit": (hyper,),
            "offset": (hyper,),
            "0/kernel": (5, 5, hyper, hyper),
            "0/bias": (hyper,),
            "0/shift": (hyper,),
            "1/kernel": (3, 3, hyper, latent),
            "1/bias": (latent,),
            "1/shift": (latent,),
        }
        arrays: dict[str, Any] = {}
        for name, shape in {"gain": (-1, hyper), **shapes}.items():
            table = tables.get(f"hyper/{name}")
            if table is None or table.dtype.kind != "i":
                raise ModelError(f"tables: hyper/{name} is missing; expected integers")
            if (name != "gain" and table.shape != shape) or table.shape[-1] != shape[-1]:
                raise ModelError(f"tables: hyper/{name} has shape {table.shape}; expected {shape}")
            part, _, layer_part = name.partition("/")
            arrays[f"{layer_part}_{part}" if layer_part else part] = table.astype(np.int64)
        layers = cls(**arrays, scales=scales)
        worst_0, worst_1 = layers.worst_sums()
        if (
            worst_0 >= EXACT_FLOAT64
            or worst_1 >= EXACT_FLOAT32
            or min(layers.limit.min(), layers.gain.min()) < 0
        ):
            raise ModelError(
                f"tables: sums of the hyper-synthesis reach {worst_0} and {worst_1}; "
                f"expected less than {EXACT_FLOAT64} and {EXACT_FLOAT32}"
            )
        if max(np.abs(layers.shift_0).max(), np.abs(layers.shift_1).max()) > 62:
            raise ModelError("tables: a shift of the hyper-synthesis is beyond 62 bits; expected less")
        return layers

    def worst_sums(self) -> tuple[int, int]:
        """Return the largest magnitude of any partial sum of each of the two layers, biases included."""
        magnitude = float(1) * (self.limit * self.gain.max(axis=0) + np.abs(self.offset))
        taps = (np.abs(self.kernel_0) * magnitude[:, None]).sum(axis=2)
        parities = [taps[u::2, v::2].sum(axis=(0, 1)) for u in (0, 1) for v in (0, 1)]
        worst_0 = np.max(parities, axis=0) + np.abs(self.bias_0)
        # Activations are not negative, so only weights of the same sign add up.
        signs = [np.maximum(sign * self.kernel_1, 0).sum(axis=(0, 1, 2)) for sign in (1, -1)]
        worst_1 = ACTIVATION * np.max(signs, axis=0) + np.abs(self.bias_1)
        return int(worst_0.max()), int(worst_1.max())

    @property
    def first_in_float32(self) -> bool:
        """Whether float32 is exact for the first layer too; float64 always is."""
        return self.worst_sums()[0] < EXACT_FLOAT32

    def indexes(self, symbols: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Evaluate in NumPy; slow, but the reference for every other evaluation.

        Parameters
        ----------
        symbols
            Hyper-latent symbols, shape (clusters, lines, samples, hyper), integers.
        steps
            Operating point of each cluster, shape (clusters,).

        Returns
        -------
        numpy.ndarray
            Scale indexes, shape (clusters, 2 lines, 2 samples, latent), int32.
        """
        a = (
            np.clip(symbols.astype(np.int64), -self.limit, self.limit) * self.gain[steps][:, None, None]
            + self.offset
        )
        count, lines, samples, _ = a.shape
        wide = np.zeros((count, 2 * lines + 4, 2 * samples + 4, self.kernel_0.shape[3]))
        for u in range(5):
            for v in range(5):
                wide[:, u : u + 2 * lines : 2, v : v + 2 * samples : 2] += a @ self.kernel_0[u, v].astype(
                    float
                )
        h = _shifted(wide[:, 2:-2, 2:-2], self.bias_0, self.shift_0, ACTIVATION)
        padded = np.pad(h, ((0, 0), (1, 1), (1, 1), (0, 0)))
        total = np.zeros((*h.shape[:3], self.kernel_1.shape[3]))
        for u in range(3):
            for v in range(3):
                window = padded[:, u : u + 2 * lines, v : v + 2 * samples]
                total += window @ self.kernel_1[u, v].astype(float)
        return _shifted(total, self.bias_1, self.shift_1, self.scales - 1).astype(np.int32)


def _shifted(total: np.ndarray, bias: np.ndarray, shift: np.ndarray, most: int) -> np.ndarray:
    return np.clip(np.floor((total + bias) * np.exp2(-shift.astype(float))), 0, most)
