"""Wavelet coefficients to bytes and back: the range coder, with the tables that contexts choose.

Of each step of `contexts.walk`, first the classes of all magnitudes are coded, then sign and place within the class of
those that are not zero, in plain bits; then what magnitudes exceed the largest of the last class by, in two symbols of
plain bits, the high one first. Each cluster has a string of its own.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
import tensorflow_compression as tfc  # noqa: F401 - registers the operations
from tensorflow_compression.python.ops import gen_ops

from bandpress.contexts.features import walk
from bandpress.contexts.model import (
    EXCESS_BITS,
    LAST,
    LOWEST,
    PLAIN_BITS,
    PRECISION,
    ContextModel,
    class_of,
)
from bandpress.contexts.quantisation import Coefficients, part_of, put
from bandpress.errors import BitstreamError


class CoefficientCoder:
    """Range codes coefficients with a model's tables.

    Parameters
    ----------
    model
        The model.
    """

    def __init__(self, model: ContextModel):
        self.model = model
        self._plain = len(
            model.frequencies
        )  # the row of tables that is one plain bit, the next two, and so on
        self._excess = self._plain + EXCESS_BITS - 1
        self._cdf = tf.constant(_rows(model.frequencies), tf.int32)

    def write(self, coded: Coefficients) -> list[bytes]:
        """Return the string of each cluster."""
        clusters, _, lines, samples = coded.magnitudes.shape
        rows: list[list[np.ndarray]] = [[] for _ in range(clusters)]
        symbols: list[list[np.ndarray]] = [[] for _ in range(clusters)]
        for step in walk(coded.energy, lines, samples, features=False):
            magnitudes, negative, tables = (
                part_of(part, step) for part in (coded.magnitudes, coded.negative, coded.tables)
            )
            classes = class_of(magnitudes)
            plain = 2 * (np.minimum(magnitudes, LAST) - LOWEST[classes]) + negative
            for place, cluster in enumerate(step.clusters):
                shown = magnitudes[place] > 0
                rows[cluster] += [tables[place].ravel(), self._plain + PLAIN_BITS[classes[place][shown]]]
                symbols[cluster] += [classes[place].ravel(), plain[place][shown]]
                excess = magnitudes[place][magnitudes[place] >= LAST] - LAST
                if len(excess):
                    rows[cluster].append(np.full(2 * len(excess), self._excess))
                    symbols[cluster].append(np.stack(np.divmod(excess, 1 << EXCESS_BITS), axis=1).ravel())
        return [self._encoded(*pair) for pair in zip(rows, symbols, strict=True)]

    def _encoded(self, rows: list[np.ndarray], symbols: list[np.ndarray]) -> bytes:
        if not rows:
            return b""
        handle = gen_ops.create_range_encoder([], self._cdf)
        row, symbol = (np.concatenate(parts).astype(np.int32) for parts in (rows, symbols))
        handle = gen_ops.entropy_encode_index(handle, row, symbol)
        return bytes(gen_ops.entropy_encode_finalize(handle).numpy())

    def read(self, strings: Sequence[bytes], energy: np.ndarray, lines: int, samples: int) -> Coefficients:
        """Decode what `write` wrote, exactly.

        Parameters
        ----------
        strings
            One a cluster.
        energy
            As in the `Coefficients` that were written.
        lines, samples
            Size of the images.

        Raises
        ------
        BitstreamError
            If the range coder notices that the bytes are not what it wrote.
        """
        shape = (*energy.shape, lines, samples)
        found = Coefficients(
            energy, np.zeros(shape, np.int32), np.zeros(shape, bool), np.zeros(shape, np.uint8)
        )
        handles = [gen_ops.create_range_decoder(string, self._cdf) for string in strings]
        for step in walk(energy, lines, samples):
            tables = self.model.indexes(step.varying, step.shared)
            magnitudes = np.zeros(tables.shape, np.int32)
            negative = np.zeros(tables.shape, bool)
            for place, cluster in enumerate(step.clusters):
                handle, classes = _decoded(handles[cluster], tables[place].ravel())
                magnitude, sign = LOWEST[classes], np.zeros(len(classes), bool)
                shown = np.flatnonzero(classes)
                if len(shown):
                    handle, plain = _decoded(handle, self._plain + PLAIN_BITS[classes[shown]])
                    magnitude[shown] += plain >> 1
                    sign[shown] = plain & 1
                    large = np.flatnonzero(magnitude >= LAST)
                    if len(large):
                        handle, excess = _decoded(handle, np.full(2 * len(large), self._excess))
                        magnitude[large] += (excess[0::2] << EXCESS_BITS) + excess[1::2]
                handles[cluster] = handle
                magnitudes[place] = magnitude.reshape(tables.shape[1:])
                negative[place] = sign.reshape(tables.shape[1:])
            step.magnitudes[...] = magnitudes
            put(found.magnitudes, step, magnitudes)
            put(found.negative, step, negative)
            put(found.tables, step, tables)
        for handle, cluster in zip(handles, energy, strict=True):
            if cluster.any() and not gen_ops.entropy_decode_finalize(handle).numpy():
                raise BitstreamError("the range coder did not end where a cluster ends")
        return found


def _decoded(handle: tf.Tensor, rows: np.ndarray) -> tuple[tf.Tensor, np.ndarray]:
    handle, values = gen_ops.entropy_decode_index(handle, rows.astype(np.int32), [len(rows)], tf.int32)
    return handle, values.numpy()


def _rows(frequencies: np.ndarray) -> np.ndarray:
    """Return the range coder's tables: those of the classes, then those of 1, 2, … plain bits."""
    found = [np.concatenate([[PRECISION, 0], np.cumsum(row)]) for row in frequencies]
    for bits in range(1, int(PLAIN_BITS.max()) + 2):
        found.append(np.concatenate([[PRECISION], np.arange((1 << bits) + 1) << (PRECISION - bits)]))
    return np.concatenate(found).astype(np.int32)
