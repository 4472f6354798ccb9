"""Integer network that chooses the coding table of a coefficient from its features.

A small network of two hidden layers maps the features of `bandpress.contexts.features` to the index of a frequency
table. All operands are integers, and every sum stays below 2^24, so that float32 is exact in any order of summation::

    h     = clip(floor((x W0 + B0) / 2^S0), 0, LARGEST)
    h     = clip(floor((h W1 + B1) / 2^S1), 0, LARGEST)
    index = clip(floor((h W2 + B2) / 2^S2), 0, tables - 1)

A magnitude is coded as its *class* with the chosen table, then its sign (`bandpress.contexts.signs`) and its place
within the class in plain bits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bandpress.contexts import signs as sign_tables
from bandpress.contexts.classes import CLASSES, PLAIN_BITS
from bandpress.contexts.features import FEATURES, LOCAL, MOST_FEATURES
from bandpress.contexts.kernels.constants import LEAST, SHAPED, WHOLE
from bandpress.errors import ModelError

#: Bits of frequencies.
PRECISION = 16
#: Activations count 2^-FRACTION and are at most LARGEST.
FRACTION = 5
LARGEST = (1 << 12) - 1
#: Sums below this are exact in float32.
EXACT = 1 << 24
#: Layers of the network.
LAYERS = 3
#: Most units of a layer, and most tables.
_MOST_UNITS, _MOST_TABLES = 1024, 256
#: Number of units evaluated together; inputs are padded to at least the features of a place.
_TOGETHER, _FEWEST = 8, 24


class Compiled(NamedTuple):
    """A model in the form of `bandpress.contexts.kernels.component.code`, units padded with zeros."""

    weights: np.ndarray
    common: np.ndarray
    biases: np.ndarray
    scales: np.ndarray
    most: np.ndarray
    frequencies: np.ndarray
    offsets: np.ndarray
    bits: np.ndarray


@dataclass(frozen=True, eq=False)
class ContextModel:
    """The network and the tables.

    Parameters
    ----------
    weights, biases
        Weights and biases of the three layers, int64, (in, out) and (out,).
    shifts
        Shifts of the three layers, int64, shape (3,).
    frequencies
        Frequency of each class, int64, shape (tables, CLASSES); each row is positive with a sum of 2^16.
    offsets
        Expected offset of a coefficient below a magnitude of 1, 2, …, `SHAPED` and more, in 1/256 of the
        quantiser's step, int64, shape (tables, SHAPED).
    signs
        Frequencies of signs against their column, see `bandpress.contexts.signs`, int64.
    card
        Facts about its training.
    digest
        SHA-256 in hexadecimal; empty for an unsaved model.
    path
        Its folder; None for an unsaved model.

    Raises
    ------
    ModelError
        If an array has another type or shape, or values that are not valid.
    """

    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]
    shifts: np.ndarray
    frequencies: np.ndarray
    offsets: np.ndarray
    signs: np.ndarray
    card: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""
    path: Path | None = None

    def __post_init__(self) -> None:
        hidden, tables = len(self.biases[0]), len(self.frequencies)
        if not (1 <= hidden <= _MOST_UNITS and 2 <= tables <= _MOST_TABLES):
            raise ModelError(
                f"tables: {hidden} units and {tables} tables; expected 1 to {_MOST_UNITS}, and 2 to {_MOST_TABLES}"
            )
        sizes = [FEATURES, hidden, hidden, 1]
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            _shaped(f"{layer}/kernel", weight, (sizes[layer], sizes[layer + 1]))
            _shaped(f"{layer}/bias", bias, (sizes[layer + 1],))
        _shaped("shifts", self.shifts, (LAYERS,), 0, 23)
        _shaped("frequencies", self.frequencies, (tables, CLASSES), 1, 1 << PRECISION)
        _shaped("offsets", self.offsets, (tables, SHAPED), -256, 256)
        shape = (sign_tables.ROWS, sign_tables.COLUMNS)
        _shaped("signs", self.signs, shape, LEAST, WHOLE - LEAST)
        if (wrong := self.frequencies.sum(axis=1) != 1 << PRECISION).any():
            raise ModelError(
                f"tables: row {wrong.argmax()} of frequencies has a sum of "
                f"{self.frequencies[wrong.argmax()].sum()}; expected {1 << PRECISION}"
            )
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if (largest := largest_sum(weight, bias, layer)) >= EXACT:
                raise ModelError(
                    f"tables: sums of layer {layer} reach {largest:.3g}; expected less than {EXACT}"
                )

    @property
    def macs(self) -> int:
        """Multiplications per coefficient."""
        return sum(weight.size for weight in self.weights)

    @cached_property
    def bits(self) -> np.ndarray:
        """Cost in bits of each class of magnitudes with each table, sign and plain bits included, (tables, CLASSES)."""
        found = PRECISION - np.log2(self.frequencies) + PLAIN_BITS
        found[:, 1:] += 1
        return found

    @cached_property
    def compiled(self) -> Compiled:
        """The model in the kernels' form."""
        units = max(_FEWEST, -(-len(self.biases[0]) // _TOGETHER) * _TOGETHER)
        weights = np.zeros((LAYERS, units, units), np.float32)
        common, biases = (
            np.zeros((FEATURES - LOCAL, units), np.float32),
            np.zeros((LAYERS, units), np.float32),
        )
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            local = weight[:LOCAL] if layer == 0 else weight
            weights[layer, : local.shape[1], : local.shape[0]] = local.T
            biases[layer, : len(bias)] = bias
        common[:, : len(self.biases[0])] = self.weights[0][LOCAL:]
        return Compiled(
            weights,
            common,
            biases,
            (2.0**-self.shifts).astype(np.float32),
            np.array([LARGEST, LARGEST, len(self.frequencies) - 1], np.float32),
            np.pad(np.cumsum(self.frequencies, axis=1), ((0, 0), (1, 0))),
            self.offsets / 256.0,
            self.bits,
        )

    @property
    def least_bits(self) -> float:
        """Lowest cost of a coefficient in bits."""
        return PRECISION - float(np.log2(self.frequencies.max()))

    def indexes(self, features: np.ndarray) -> np.ndarray:
        """Return the table indexes that the kernels choose; doubles hold the sums exactly.

        Parameters
        ----------
        features
            Integers, shape (…, FEATURES).

        Returns
        -------
        numpy.ndarray
            int64, shape (…,).
        """
        values = features.astype(np.float64)
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            most = LARGEST if layer < LAYERS - 1 else len(self.frequencies) - 1
            sums = values @ weight.astype(np.float64) + bias
            values = np.clip(np.floor(sums * 2.0 ** -self.shifts[layer]), 0, most)
        return values[..., 0].astype(np.int64)

    def tables(self) -> dict[str, np.ndarray]:
        """Return the arrays by name, for `of_tables`."""
        found = {
            "shifts": self.shifts,
            "frequencies": self.frequencies,
            "offsets": self.offsets,
            "signs": self.signs,
        }
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            found |= {f"{layer}/kernel": weight, f"{layer}/bias": bias}
        return {name: value.astype(np.int32) for name, value in found.items()}

    @classmethod
    def of_tables(
        cls,
        tables: Mapping[str, np.ndarray],
        card: Mapping[str, Any] | None = None,
        digest: str = "",
        path: Path | None = None,
    ) -> "ContextModel":
        """Return a model of named arrays, after checks.

        Raises
        ------
        ModelError
            If one is missing, or for the reasons of `ContextModel`.
        """
        names = [f"{layer}/{kind}" for kind in ("kernel", "bias") for layer in range(LAYERS)]
        names += ["shifts", "frequencies", "offsets", "signs"]
        for name in names:
            if name not in tables:
                raise ModelError(f"tables: {name} is missing; expected it")
            if tables[name].dtype != np.int32 or not tables[name].ndim:
                raise ModelError(f"tables: {name} has type {tables[name].dtype}; expected an array of int32")
        arrays = [tables[name].astype(np.int64) for name in names]
        shifts, frequencies, offsets, signs = arrays[2 * LAYERS :]
        weights, biases = tuple(arrays[:LAYERS]), tuple(arrays[LAYERS : 2 * LAYERS])
        return cls(weights, biases, shifts, frequencies, offsets, signs, card or {}, digest, path)


def _shaped(
    name: str, array: np.ndarray, shape: tuple[int, ...], low: int = -EXACT, high: int = EXACT
) -> None:
    if array.dtype.kind != "i" or array.shape != shape:
        raise ModelError(
            f"tables: {name} has type {array.dtype} and shape {array.shape}; expected integers of shape {shape}"
        )
    if array.min() < low or array.max() > high:
        raise ModelError(
            f"tables: {name} holds {array.min()} to {array.max()}; expected numbers from {low} to {high}"
        )


def largest_sum(weight: np.ndarray, bias: np.ndarray, layer: int) -> float:
    """Return an upper bound of a layer's sums."""
    most = MOST_FEATURES if layer == 0 else np.full(len(weight), LARGEST)
    return float((np.abs(weight) * most[:, None]).sum(axis=0).max() + np.abs(bias).max())
