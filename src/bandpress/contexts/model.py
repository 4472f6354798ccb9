"""From what is known of a coefficient to the table that it is coded with, in integers. No TensorFlow here.

A small network of two hidden layers reads the features of `bandpress.contexts.features` and returns a number that
chooses one of some tables of frequencies. As in `bandpress.hyperprior.integer`, all operands are integers and every
sum stays below 2^53, so that float64 is exact, whatever the order of summation::

    h     = clip(floor((x W0 + B0) / 2^SHIFT), 0, LARGEST)
    h     = clip(floor((h W1 + B1) / 2^SHIFT), 0, LARGEST)
    index = clip(floor((h W2 + B2) / 2^SHIFT) / 2^FRACTION, 0, tables - 1)

A magnitude is coded as its *class* with the chosen table, then its sign and its place within the class in plain bits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from bandpress.contexts.features import OCTAVE, SHARED, VARYING
from bandpress.errors import ModelError

#: Bits of frequencies.
PRECISION = 16
#: Weights count 2^-SHIFT, activations 2^-FRACTION.
SHIFT, FRACTION = 14, 8
LARGEST = (1 << 20) - 1
_EXACT = 1 << 53
_LAYERS = 3
#: Products of a layer for the rows that go through it together: a cache holds them, and BLAS does not divide so few
#: over threads, which would take several times as long.
_PRODUCTS = 1 << 18

#: What a trained network takes for 1 of a feature: an octave.
UNIT = OCTAVE
#: Magnitudes up to this have classes of their own; from there on, each octave has four.
_SINGLE = 8
_MOST_BITS = 14


def _make_classes() -> tuple[np.ndarray, np.ndarray]:
    lowest, bits = list(range(_SINGLE)), [0] * _SINGLE
    while (start := lowest[-1] + (1 << bits[-1])) < 1 << (_MOST_BITS + 3):
        lowest.append(start)
        bits.append(start.bit_length() - 3)
    return np.array(lowest), np.array(bits)


#: Smallest magnitude of each class, and how many plain bits tell its magnitudes apart.
LOWEST, PLAIN_BITS = _make_classes()
CLASSES = len(LOWEST)
#: Largest magnitude of the last class. It stands for all larger ones as well: what they exceed it by is coded after it.
LAST = int(LOWEST[-1] + (1 << PLAIN_BITS[-1]) - 1)
#: Plain bits of each of the two symbols of what a magnitude exceeds `LAST` by.
EXCESS_BITS = 14
#: Largest magnitude that can be coded, which float32 holds.
MOST = 1 << 2 * EXCESS_BITS
#: Magnitudes from this on share an offset of reconstruction.
SHAPED = 4


def class_of(magnitudes: np.ndarray) -> np.ndarray:
    """Return the class of each magnitude, int32."""
    return (np.searchsorted(LOWEST, magnitudes, side="right") - 1).astype(np.int32)


@dataclass(frozen=True, eq=False)
class ContextModel:
    """The network and the tables.

    Parameters
    ----------
    weights, biases
        Of the three layers, int64, (in, out) and (out,).
    frequencies
        Of each class, int64, shape (tables, CLASSES), each row with a sum of 2^16 and no zero.
    offsets
        How far below a magnitude of 1, 2, …, `SHAPED` and more a coefficient is to be expected, in 1/256 of the
        quantiser's step, int64, shape (tables, SHAPED).
    card
        What is known about its training.
    digest
        SHA-256 in hexadecimal; empty for a model that was not saved yet.
    path
        The folder; None likewise.
    """

    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]
    frequencies: np.ndarray
    offsets: np.ndarray
    card: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""
    path: Path | None = None

    def __post_init__(self) -> None:
        inputs = VARYING + SHARED
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            last = layer == _LAYERS - 1
            if (
                weight.dtype.kind != "i"
                or bias.dtype.kind != "i"
                or weight.shape != (inputs, len(bias))
                or (last and len(bias) != 1)
            ):
                raise ModelError(
                    f"tables: layer {layer} has shape {weight.shape}; expected integers, ({inputs}, {len(bias)})"
                )
            inputs = len(bias)
        # A feature is an int16, an activation at most LARGEST: which is larger than a feature.
        worst = max(
            float(np.abs(w).sum(axis=0).max()) * LARGEST + float(np.abs(b).max())
            for w, b in zip(self.weights, self.biases, strict=True)
        )
        if worst >= _EXACT:
            raise ModelError(f"tables: sums reach {worst:.3g}; expected less than {_EXACT}")
        count = len(self.frequencies)
        if (
            self.frequencies.shape != (count, CLASSES)
            or self.frequencies.min() < 1
            or (self.frequencies.sum(axis=1) != 1 << PRECISION).any()
        ):
            raise ModelError(
                f"tables: frequencies of shape {self.frequencies.shape}; expected (tables, {CLASSES}), positive, each "
                f"row with a sum of {1 << PRECISION}"
            )
        if self.offsets.shape != (count, SHAPED) or np.abs(self.offsets).max() > 256:
            raise ModelError(
                f"tables: offsets of shape {self.offsets.shape}; expected ({count}, {SHAPED}), at most 256"
            )

    @property
    def macs(self) -> int:
        """Multiplications a coefficient."""
        return sum(weight.size for weight in self.weights)

    @cached_property
    def bits(self) -> np.ndarray:
        """What a magnitude of each class costs with each table, sign and plain bits included, (tables, CLASSES)."""
        found = PRECISION - np.log2(self.frequencies) + PLAIN_BITS
        found[:, 1:] += 1
        return found

    @cached_property
    def _layers(self) -> list[tuple[np.ndarray, np.ndarray]]:
        return [
            (w.astype(np.float64), b.astype(np.float64))
            for w, b in zip(self.weights, self.biases, strict=True)
        ]

    def indexes(self, varying: np.ndarray, shared: np.ndarray) -> np.ndarray:
        """Choose a table for each coefficient.

        Parameters
        ----------
        varying, shared
            Features of a `Step`.

        Returns
        -------
        numpy.ndarray
            int32, shape (clusters, lines, samples).
        """
        rows = varying.reshape(-1, VARYING)
        found = np.empty(len(rows), np.int32)
        (first, bias), *_ = self._layers
        constant = shared.astype(np.float64) @ first[VARYING:] + bias
        block = max(1, _PRODUCTS // max(weight.size for weight in self.weights))
        for start in range(0, len(rows), block):
            found[start : start + block] = self._chosen(rows[start : start + block], constant)
        return found.reshape(varying.shape[:-1])

    def _chosen(self, rows: np.ndarray, constant: np.ndarray) -> np.ndarray:
        """Evaluate the layers for some rows of features, in place where possible."""
        (first, _), *others = self._layers
        values = rows.astype(np.float64) @ first[:VARYING]
        values += constant
        for weight, bias in others:
            values *= 2.0**-SHIFT
            np.floor(values, out=values)
            np.clip(values, 0, LARGEST, out=values)
            values = values @ weight
            values += bias
        chosen = np.floor(values[:, 0] * 2.0 ** -(SHIFT + FRACTION))
        return np.clip(chosen, 0, len(self.frequencies) - 1)

    def expected(self, magnitudes: np.ndarray, indexes: np.ndarray) -> np.ndarray:
        """Return where within its quantiser's cell a coefficient is to be expected: float64, in steps, 0 for 0."""
        offset = self.offsets[indexes, np.clip(magnitudes, 1, SHAPED) - 1]
        return np.where(magnitudes > 0, magnitudes - offset / 256.0, 0.0)

    def tables(self) -> dict[str, np.ndarray]:
        """Return what `of_tables` takes."""
        found = {"frequencies": self.frequencies.astype(np.int32), "offsets": self.offsets.astype(np.int32)}
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            found |= {f"{layer}/kernel": weight.astype(np.int32), f"{layer}/bias": bias.astype(np.int64)}
        return found

    @classmethod
    def of_tables(
        cls,
        tables: Mapping[str, np.ndarray],
        card: Mapping[str, Any] | None = None,
        digest: str = "",
        path: Path | None = None,
    ) -> "ContextModel":
        """Make a model from arrays by name, checked.

        Raises
        ------
        ModelError
            If one is missing, of another shape, or a sum could be inexact.
        """
        try:
            weights = tuple(tables[f"{i}/kernel"].astype(np.int64) for i in range(_LAYERS))
            biases = tuple(tables[f"{i}/bias"].astype(np.int64) for i in range(_LAYERS))
            frequencies, offsets = (tables[name].astype(np.int64) for name in ("frequencies", "offsets"))
        except KeyError as error:
            raise ModelError(f"tables: {error.args[0]} is missing; expected it") from None
        return cls(weights, biases, frequencies, offsets, card or {}, digest, path)


def quantised(
    weights: list[np.ndarray],
    biases: list[np.ndarray],
    logits: np.ndarray,
    offsets: np.ndarray,
    card: Mapping[str, Any] | None = None,
) -> ContextModel:
    """Bring a trained network into integers.

    Parameters
    ----------
    weights, biases
        Floating point, for features that count `UNIT`; the last layer's output counts tables and is rounded.
    logits
        Logarithms of the frequencies, up to a constant a row, shape (tables, CLASSES).
    offsets
        In steps, shape (tables, SHAPED).
    """
    made_weights, made_biases = [], []
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        # Features count 1/UNIT, activations 2^-FRACTION; half of what a shift drops is added.
        unit = 2.0**FRACTION / UNIT if layer == 0 else 1.0
        half = 0.5 * 2.0**SHIFT if layer < len(weights) - 1 else 0.5 * 2.0 ** (SHIFT + FRACTION)
        made_weights.append(np.rint(weight.astype(np.float64) * unit * 2.0**SHIFT).astype(np.int64))
        made_biases.append(
            np.rint(bias.astype(np.float64) * 2.0 ** (SHIFT + FRACTION) + half).astype(np.int64)
        )
    return ContextModel(
        tuple(made_weights),
        tuple(made_biases),
        _frequencies(logits.astype(np.float64)),
        np.clip(np.rint(256 * offsets), -256, 256).astype(np.int64),
        card or {},
    )


def _frequencies(logits: np.ndarray) -> np.ndarray:
    """Return integers of a sum of 2^16 a row, none of them 0."""
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    free = (1 << PRECISION) - CLASSES
    found = np.floor(shares * free).astype(np.int64) + 1
    rows = np.arange(len(found))
    found[rows, found.argmax(axis=1)] += (1 << PRECISION) - found.sum(axis=1)
    return found
