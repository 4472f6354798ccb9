"""Trainable network and tables, in floating point.

The loss is the cost of coding. The network returns a position between two tables, and the cost of a class is
interpolated between its costs with the two, so that the position has a gradient; `bandpress.contexts.integers` rounds
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_compression as tfc

from bandpress.contexts.classes import LOWEST
from bandpress.contexts.features import FEATURES
from bandpress.contexts.integers import UNIT, Measured, to_integers
from bandpress.contexts.model import ContextModel
from bandpress.contexts.training.rows import Rows
from bandpress.contexts.training.settings import Settings

#: Initial mean magnitudes of the first and of the last table.
_MEANS = (0.03, 3000.0)
#: Share of wide magnitudes in each table, and the factor by which they are wider.
_TAIL, _WIDER = 0.05, 5.0
_LEAST = 1e-5
#: Factor of the last layer's output: there are many tables, and all layers have the same learning rate.
_SPEED = 8.0
#: Initial table index of all contexts, as a share of the tables.
_BEGINNING = 1 / 3


class ContextNetwork:
    """The network and its optimizer.

    Parameters
    ----------
    settings
        Settings of the training.
    """

    def __init__(self, settings: Settings) -> None:
        rng = np.random.default_rng(settings.seed)
        sizes = [FEATURES, settings.hidden, settings.hidden, 1]
        pairs = list(pairwise(sizes))
        self._kernels = [tf.Variable(rng.normal(0, a**-0.5, (a, b)).astype(np.float32)) for a, b in pairs]
        self._biases = [tf.Variable(np.zeros(b, np.float32)) for _, b in pairs]
        self._biases[-1].assign([settings.tables * _BEGINNING / _SPEED])
        self._logits = tf.Variable(_first_logits(settings.tables))
        self._last = settings.tables - 1
        self._clip = settings.clip
        self._variables = [*self._kernels, *self._biases, self._logits]
        self._rate = tf.Variable(0.0, trainable=False)
        self._optimizer = tf.keras.optimizers.legacy.Adam(learning_rate=self._rate)
        self._step = tf.function(self._train_step, reduce_retracing=True)
        self._total = tf.function(
            lambda *rows: tf.reduce_sum(tf.cast(self._bits(*rows), tf.float64)), reduce_retracing=True
        )

    def step(self, rows: Rows, rate: float) -> float:
        """Take a step at a learning rate; return bits per coefficient before it."""
        self._rate.assign(rate)
        return float(self._step(*map(tf.constant, rows)))

    def bits(self, rows: Rows) -> float:
        """Return the cost of all rows in bits."""
        return float(self._total(*map(tf.constant, rows)))

    def weights(self) -> list[np.ndarray]:
        """Return the trained variables."""
        return [variable.numpy() for variable in self._variables]

    def assign(self, weights: list[np.ndarray]) -> None:
        """Restore the result of `weights`."""
        for variable, value in zip(self._variables, weights, strict=True):
            variable.assign(value)

    def model(self, measured: Measured, card: Mapping[str, Any] | None = None) -> ContextModel:
        """Quantise the network to integers."""
        kernels, biases = ([part.numpy() for part in parts] for parts in (self._kernels, self._biases))
        kernels[-1], biases[-1] = kernels[-1] * _SPEED, biases[-1] * _SPEED
        return to_integers(kernels, biases, self._logits.numpy(), measured, card)

    def _bits(self, features: tf.Tensor, classes: tf.Tensor, plain: tf.Tensor) -> tf.Tensor:
        """Return the bits of each coefficient."""
        values = tf.cast(features, tf.float32) / UNIT
        for kernel, bias in zip(self._kernels[:-1], self._biases[:-1], strict=True):
            values = tf.nn.relu(values @ kernel + bias)
        free = _SPEED * (values @ self._kernels[-1] + self._biases[-1])[:, 0]
        place = tfc.upper_bound(tfc.lower_bound(free, 0.0), self._last - 1e-3)
        logs = tf.nn.log_softmax(self._logits, axis=1)
        below = tf.clip_by_value(tf.cast(place, tf.int32), 0, self._last - 1)  # NaN has no position
        share = place - tf.floor(place)
        lower, upper = (tf.gather_nd(logs, tf.stack([row, classes], 1)) for row in (below, below + 1))
        return plain - ((1 - share) * lower + share * upper) / np.log(2.0).astype(np.float32)

    def _train_step(self, features: tf.Tensor, classes: tf.Tensor, plain: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(self._bits(features, classes, plain))
        gradients = tape.gradient(loss, self._variables)
        if self._clip:
            gradients, _ = tf.clip_by_global_norm(gradients, self._clip)
        self._optimizer.apply_gradients(zip(gradients, self._variables, strict=True))
        return loss


def _first_logits(tables: int) -> np.ndarray:
    """Return logarithms of geometric distributions, from narrow to wide, float32, shape (tables, CLASSES)."""
    means = np.geomspace(*_MEANS, tables)[:, None]
    edges = np.append(np.maximum(LOWEST - 0.5, 0), 1e9)
    above = (1 - _TAIL) * np.exp(-edges / means) + _TAIL * np.exp(-edges / (_WIDER * means))
    return np.log(np.maximum(-np.diff(above, axis=1), _LEAST)).astype(np.float32)
