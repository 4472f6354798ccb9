"""Training the network that chooses tables for wavelet coefficients: `bandpress.model.context_model`.

The loss is what coding costs: bits of the classes of magnitudes with the two tables on both sides of what the network
returns. Tables and network are learned together, in minutes on one core, since all of it is a few thousand numbers.
In the second half, coefficients are quantised as the encoder quantises them, with what was learned in the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_compression as tfc

from bandpress.model.context_model import (
    LOWEST,
    PLAIN_BITS,
    UNIT,
    class_of,
    quantised,
)
from bandpress.model.contexts import SHARED, VARYING, walk
from bandpress.model.quantisation import part_of

_RATE, _LAST_RATE, _WARM_UP = 3e-3, 2e-5, 50
_MEANS = (0.03, 3000.0)
SPEED = 8.0


@dataclass(frozen=True)
class Settings:
    steps: int = 1500
    hidden: int = 32
    tables: int = 48
    rows: int = 120_000
    least: float = 15.0
    most: float = 1500.0
    seed: int = 1
    coded_from: float = 0.5


class Rows(NamedTuple):
    """Coefficients to learn from: features in octaves, class, and the bits that no table changes."""

    features: np.ndarray
    classes: np.ndarray
    plain: np.ndarray


def rows_of(energy: np.ndarray, magnitudes: np.ndarray) -> Rows:
    features, classes = [], []
    for step in walk(energy, *magnitudes.shape[2:]):
        found = part_of(magnitudes, step)
        step.magnitudes[...] = found
        both = np.empty((found.size, VARYING + SHARED), np.int16)
        both[:, :VARYING], both[:, VARYING:] = step.varying.reshape(-1, VARYING), step.shared
        features.append(both)
        classes.append(class_of(found).ravel())
    if not features:
        return Rows(
            np.zeros((0, VARYING + SHARED), np.float32), np.zeros(0, np.int32), np.zeros(0, np.float32)
        )
    which = np.concatenate(classes)
    plain = PLAIN_BITS[which] + (which > 0)
    return Rows(
        np.concatenate(features).astype(np.float32) / UNIT, which.astype(np.int32), plain.astype(np.float32)
    )


class Net(tf.Module):
    def __init__(self, s: Settings):
        rng = np.random.default_rng(s.seed)
        sizes = [(VARYING + SHARED, s.hidden), (s.hidden, s.hidden), (s.hidden, 1)]
        self.w = [tf.Variable(rng.normal(0, a**-0.5, (a, b)).astype(np.float32)) for a, b in sizes]
        self.b = [tf.Variable(np.zeros(b, np.float32)) for _, b in sizes]
        self.b[-1].assign([s.tables / 3 / SPEED])
        means = np.geomspace(*_MEANS, s.tables)[:, None]
        edges = np.append(np.maximum(LOWEST - 0.5, 0), 1e9)
        masses = np.diff(-0.95 * np.exp(-edges / means) - 0.05 * np.exp(-edges / (5 * means)), axis=1)
        self.logits = tf.Variable(np.log(np.maximum(masses, 1e-5)).astype(np.float32))
        self.all = [*self.w, *self.b, self.logits]
        self.last = s.tables - 1

    def bits(self, features, classes, plain):
        h = features
        for i in range(2):
            h = tf.nn.relu(h @ self.w[i] + self.b[i])
        free = SPEED * (h @ self.w[2] + self.b[2])[:, 0]
        index = tfc.upper_bound(tfc.lower_bound(free, 0.0), self.last - 1e-3)
        log = tf.nn.log_softmax(self.logits, axis=1)
        below = tf.cast(index, tf.int32)
        part = index - tf.floor(index)
        of = lambda row: tf.gather_nd(log, tf.stack([row, classes], 1))
        mixed = (1 - part) * of(below) + part * of(below + 1)
        return plain - mixed / np.log(2.0).astype(np.float32)

    def model(self, offsets, card=None):
        return quantised(
            [*(w.numpy() for w in self.w[:2]), SPEED * self.w[2].numpy()],
            [*(b.numpy() for b in self.b[:2]), SPEED * self.b[2].numpy()],
            self.logits.numpy(),
            offsets,
            card,
        )
