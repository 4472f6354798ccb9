"""Conversion of a trained network and its statistics to the integers of a context model."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from bandpress.contexts import signs as sign_tables
from bandpress.contexts.classes import CLASSES
from bandpress.contexts.features import FEATURES, OCTAVE
from bandpress.contexts.kernels.constants import SHAPED
from bandpress.contexts.model import EXACT, FRACTION, LAYERS, PRECISION, ContextModel, largest_sum
from bandpress.errors import ModelError

#: Feature value that a trained network sees as 1: an octave.
UNIT = OCTAVE
#: Most fraction bits of weights; fewer if sums would not be exact.
_FINEST = 14


class Measured(NamedTuple):
    """Statistics of quantised coefficients.

    Parameters
    ----------
    offsets
        Mean offset of a coefficient below a magnitude of 1, 2, …, `SHAPED` and more, in steps, shape (tables, SHAPED).
    signs
        Counts of signs, see `bandpress.contexts.signs.count`.
    """

    offsets: np.ndarray
    signs: np.ndarray

    @classmethod
    def nothing(cls, tables: int) -> "Measured":
        """Return the statistics of no coefficients, for a number of tables."""
        return cls(np.zeros((tables, SHAPED)), np.zeros((2, sign_tables.ROWS, sign_tables.COLUMNS), np.int64))


def blank() -> ContextModel:
    """Return an untrained model."""
    sizes = [FEATURES, 1, 1, 1]
    weights, biases = [np.zeros(pair) for pair in pairwise(sizes)], [np.zeros(1)] * LAYERS
    return to_integers(weights, biases, np.zeros((2, CLASSES)), Measured.nothing(2))


def to_integers(
    weights: list[np.ndarray],
    biases: list[np.ndarray],
    logits: np.ndarray,
    measured: Measured,
    card: Mapping[str, Any] | None = None,
) -> ContextModel:
    """Return the context model of a trained network, its weights rounded.

    Parameters
    ----------
    weights, biases
        Floating-point weights and biases, for features in units of `UNIT`; the output of the last layer, rounded, is a
        table index.
    logits
        Logarithms of the frequencies, up to a constant per row, shape (tables, CLASSES).
    measured
        Offsets and signs.

    Raises
    ------
    ModelError
        If weights are too large for integers that are both precise and exact.
    """
    made: list[tuple[np.ndarray, np.ndarray, int]] = []
    inputs = [UNIT.bit_length() - 1, FRACTION, FRACTION]  # fraction bits of the inputs
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        for bits in range(_FINEST, -1, -1):
            shift = bits + inputs[layer] - (FRACTION if layer < LAYERS - 1 else 0)
            whole = np.rint(weight.astype(np.float64) * 2.0**bits)
            offset = np.rint(bias.astype(np.float64) * 2.0 ** (bits + inputs[layer]) + 0.5 * 2.0**shift)
            if shift >= 0 and largest_sum(whole, offset, layer) < EXACT:
                break
        else:
            raise ModelError(
                f"tables: weights of layer {layer} reach {np.abs(weight).max():.3g}; expected smaller ones"
            )
        made.append((whole.astype(np.int64), offset.astype(np.int64), shift))
    kernels, offsets_, shifts = zip(*made, strict=True)
    return ContextModel(
        kernels,
        offsets_,
        np.array(shifts),
        _frequencies(logits.astype(np.float64)),
        np.clip(np.rint(256 * measured.offsets), -256, 256).astype(np.int64),
        sign_tables.frequencies(measured.signs),
        card or {},
    )


def _frequencies(logits: np.ndarray) -> np.ndarray:
    """Return positive integers with a sum of 2^16 per row."""
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    free = (1 << PRECISION) - CLASSES
    found = np.floor(shares * free).astype(np.int64) + 1
    rows = np.arange(len(found))
    found[rows, found.argmax(axis=1)] += (1 << PRECISION) - found.sum(axis=1)
    return found
