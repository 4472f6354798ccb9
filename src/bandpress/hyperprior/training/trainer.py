"""One training step: the loss, its gradients, the optimizer and the averages of the weights.

The loss is that of Ballé et al. (ICLR 2018): bits per pixel (all k bands) + lambda · mean squared error in DN². Patches
come from clusters of very different ranges, and the network sees them normalised; the range gives the weight of a unit
of normalised error. In a family with gains, the quality of each patch follows from lambda and this weight, as it does
for each cluster in coding, see `bandpress.hyperprior.quality`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from bandpress.hyperprior.architecture import Architecture
from bandpress.hyperprior.model import Hyperprior, rate_distortion
from bandpress.hyperprior.training.patches import Batch
from bandpress.hyperprior.training.schedule import Settings

#: Weights on which only the rate depends: they start almost untrained and may move fast, unlike the transforms.
_CODING = ("hyper_", "prior/", "gains/z")


class Sums(NamedTuple):
    """Totals of a batch; the squared error is NaN if nothing was decoded."""

    bits: tf.Tensor
    squared_error: tf.Tensor
    loss: tf.Tensor


class Trainer:
    """The network, its optimizer and its averages.

    Parameters
    ----------
    architecture
        Widths.
    settings
        Settings of the training.
    weights
        Initial weights.
    reference
        Range in DN to which the lambdas of a family refer.
    """

    def __init__(
        self,
        architecture: Architecture,
        settings: Settings,
        weights: Mapping[str, np.ndarray],
        reference: float,
    ) -> None:
        self.network = Hyperprior(architecture, weights)
        self._learner = self.network.to_train(settings.precision)
        self.settings, self.reference = settings, reference
        self._variables = [v for v in self.network.parameters.values() if v.trainable]
        coding = [name.startswith(_CODING) for name, v in self.network.parameters.items() if v.trainable]
        self._groups = [
            [i for i, of_coding in enumerate(coding) if of_coding == group] for group in (False, True)
        ]
        self._rates = [tf.Variable(0.0, trainable=False) for _ in self._groups]
        self.optimizers = [tf.keras.optimizers.legacy.Adam(learning_rate=rate) for rate in self._rates]
        for optimizer, group in zip(self.optimizers, self._groups, strict=True):
            optimizer._create_all_weights([self._variables[i] for i in group])
        self._averages = [tf.Variable(v, trainable=False) for v in self._variables]
        self._logs = np.log(np.array(settings.lambdas, np.float32))
        self._step = tf.function(self._train_step, jit_compile=False, autograph=False)
        self._coding_step = tf.function(self._train_coding_step, jit_compile=False, autograph=False)
        self._validate = tf.function(self._validation_step, jit_compile=False, autograph=False)

    def step(
        self, number: int, batch: Batch, rate: float, averaging: float, coding_only: bool = False
    ) -> Sums:
        """Take a step, given its number, a learning rate and the decay of the averages.

        With `coding_only`, the transforms are fixed, nothing is decoded, and only the rate is minimised: until the
        hyper networks and the prior know the scales of the latents, the gradients of the rate would spoil the
        transforms. All randomness of a step follows from the seed and its number, so an interrupted training continues
        as if nothing had happened.
        """
        return (self._coding_step if coding_only else self._step)(
            tf.constant([self.settings.seed, number], tf.int32),
            tf.constant(batch.x),
            tf.constant(batch.ranges),
            tf.constant(rate, tf.float32),
            tf.constant(averaging, tf.float32),
        )

    def validate(self, batch: Batch, lambda_: float, size: int = 8) -> tuple[float, float, float]:
        """Return rate in bps, MSE in DN² and loss on patches at one lambda, with rounded latents."""
        totals = np.zeros(3)
        for i in range(0, len(batch.x), size):
            part = self._validate(
                tf.constant(batch.x[i : i + size]),
                tf.constant(batch.ranges[i : i + size]),
                tf.constant(lambda_, tf.float32),
            )
            totals += [float(value) for value in part]
        bits, squared, loss = totals
        return bits / batch.x.size, squared / batch.x.size, loss / len(batch.x)

    def decoded(self, batch: Batch, lambda_: float) -> np.ndarray:
        """Return patches after coding at a lambda, normalised, shape as `Batch.x`."""
        worth = tf.reduce_mean(tf.square(tf.constant(batch.ranges)), axis=1)
        quality, _ = self._quality(tf.fill((len(batch.x),), tf.constant(lambda_, tf.float32)), worth)
        return self.network(tf.constant(batch.x), False, quality).reconstruction.numpy()

    def state(self) -> dict[str, np.ndarray]:
        """Return the complete state of the training as arrays."""
        found = {f"variable/{i}": v.numpy() for i, v in enumerate(self._variables)}
        found |= {f"average/{i}": v.numpy() for i, v in enumerate(self._averages)}
        for group, optimizer in enumerate(self.optimizers):
            found |= {f"adam/{group}/{i}": value for i, value in enumerate(optimizer.get_weights())}
        return found

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Restore the result of `state`."""
        for name, variables in (("variable", self._variables), ("average", self._averages)):
            for i, variable in enumerate(variables):
                variable.assign(state[f"{name}/{i}"])
        for group, optimizer in enumerate(self.optimizers):
            count = len(optimizer.get_weights())
            optimizer.set_weights([state[f"adam/{group}/{i}"] for i in range(count)])

    def averaged(self) -> Averaged:
        """Return a context in which the network holds the averages of its weights."""
        return Averaged(self._variables, self._averages)

    def _quality(self, lambda_: tf.Tensor, worth: tf.Tensor) -> tuple[tf.Tensor | None, tf.Tensor]:
        """Return the quality and the lambda of each patch, limited to those of the family."""
        if self.network.architecture.qualities == 1:
            return None, lambda_
        scale = worth / self.reference**2
        wanted = tf.clip_by_value(tf.math.log(lambda_ * scale), self._logs[0], self._logs[-1])
        return quality_of(self._logs, wanted), tf.exp(wanted) / scale

    def _sums(
        self, x: tf.Tensor, ranges: tf.Tensor, lambda_: tf.Tensor, seed: tf.Tensor | None
    ) -> tuple[tf.Tensor, ...]:
        worth = tf.reduce_mean(tf.square(ranges), axis=1)
        quality, within = self._quality(lambda_, worth)
        if seed is not None:
            lambda_ = within  # a range beyond the family's reach must not outweigh all others
        network = self.network if seed is None else self._learner
        out = network(x, seed is not None, quality, seed)
        error = tf.square((out.reconstruction - x) * ranges[:, None, None, :])
        squared = tf.reduce_sum(error, axis=(1, 2, 3))
        bits = out.bits_y + out.bits_z
        return bits, squared, rate_distortion(bits, squared, lambda_, tf.shape(x))

    def _train_step(
        self, seed: tf.Tensor, x: tf.Tensor, ranges: tf.Tensor, rate: tf.Tensor, averaging: tf.Tensor
    ) -> Sums:
        lambda_ = self._drawn(seed, tf.shape(x)[0])
        with tf.GradientTape() as tape:
            bits, squared, losses = self._sums(x, ranges, lambda_, seed)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, self._variables)
        if self.settings.clip:
            gradients, _ = tf.clip_by_global_norm(gradients, self.settings.clip)
        self._rates[0].assign(rate)
        self._rates[1].assign(rate * self.settings.coding_rate)
        for optimizer, group in zip(self.optimizers, self._groups, strict=True):
            optimizer.apply_gradients([(gradients[i], self._variables[i]) for i in group])
        self._average(averaging, range(len(self._variables)))
        return Sums(tf.reduce_sum(bits), tf.reduce_sum(squared), loss)

    def _train_coding_step(
        self, seed: tf.Tensor, x: tf.Tensor, ranges: tf.Tensor, rate: tf.Tensor, averaging: tf.Tensor
    ) -> Sums:
        worth = tf.reduce_mean(tf.square(ranges), axis=1)
        quality, _ = self._quality(self._drawn(seed, tf.shape(x)[0]), worth)
        y = self._learner.latents(x, quality)
        variables = [self._variables[i] for i in self._groups[1]]
        with tf.GradientTape() as tape:
            coded = self._learner.code(y, True, quality, seed)
            bits = tf.reduce_sum(coded.bits_y + coded.bits_z)
            loss = bits / tf.cast(tf.size(x[..., 0]), tf.float32)
        gradients = tape.gradient(loss, variables)
        if self.settings.clip:
            gradients, _ = tf.clip_by_global_norm(gradients, self.settings.clip)
        self._rates[1].assign(rate * self.settings.coding_rate)
        self.optimizers[1].apply_gradients(zip(gradients, variables, strict=True))
        self._average(averaging, self._groups[1])
        return Sums(bits, tf.constant(np.nan, tf.float32), loss)

    def _drawn(self, seed: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
        """Return a lambda for each patch; in a family, uniform on a logarithmic scale."""
        if self.settings.only is not None:
            return tf.fill((count,), self.settings.only)
        if len(self._logs) == 1:
            return tf.fill((count,), float(self.settings.lambdas[0]))
        drawn = tf.random.experimental.stateless_fold_in(seed, 2)
        low, high = float(self._logs[0]), float(self._logs[-1])
        return tf.exp(tf.random.stateless_uniform((count,), drawn, low, high))

    def _average(self, decay: tf.Tensor, which: Iterable[int]) -> None:
        for i in which:
            self._averages[i].assign_sub((1 - decay) * (self._averages[i] - self._variables[i]))

    def _validation_step(self, x: tf.Tensor, ranges: tf.Tensor, lambda_: tf.Tensor) -> Sums:
        bits, squared, losses = self._sums(x, ranges, tf.fill((tf.shape(x)[0],), lambda_), None)
        return Sums(tf.reduce_sum(bits), tf.reduce_sum(squared), tf.reduce_sum(losses))


def quality_of(log_lambdas: np.ndarray, wanted: tf.Tensor) -> tf.Tensor:
    """Return the quality, from 0, whose lambda at the reference range has the logarithm `wanted`, clipped."""
    low, high = log_lambdas[:-1], log_lambdas[1:]
    parts = (wanted[:, None] - low) / (high - low)
    return tf.reduce_sum(tf.clip_by_value(parts, 0.0, 1.0), axis=1)


class Averaged:
    """Context manager that swaps the averaged weights in, and out again."""

    def __init__(self, variables: Sequence[tf.Variable], averages: Sequence[tf.Variable]) -> None:
        self._variables, self._averages = variables, averages

    def __enter__(self) -> None:
        self._kept = [v.numpy() for v in self._variables]
        for variable, average in zip(self._variables, self._averages, strict=True):
            variable.assign(average)

    def __exit__(self, *_: object) -> None:
        for variable, kept in zip(self._variables, self._kept, strict=True):
            variable.assign(kept)
