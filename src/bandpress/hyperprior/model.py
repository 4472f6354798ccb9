"""The network in float32, for training: transforms, hyper networks, and how many bits they would take.

Ballé et al., "Variational image compression with a scale hyperprior" (ICLR 2018): latents y are zero-mean Gaussian with
a standard deviation that the hyper-latents z tell; z have a learned density of their own, one a channel. Quantisation
is uniform noise while training. What codes files is `bandpress.hyperprior.network`, with the same weights.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_compression as tfc

from bandpress.hyperprior import transforms
from bandpress.hyperprior.architecture import Architecture
from bandpress.hyperprior.training import gradients

#: Lower bounds of GDN's parameters; beta's keeps the division safe.
_BETA_MINIMUM = 1e-6
_PEDESTAL = 2.0**-36


class Forward(NamedTuple):
    """What one pass gives.

    Parameters
    ----------
    reconstruction
        As the input: (clusters, lines, samples, bands), in units of the normalised range.
    bits_y, bits_z
        Bits of the latents and the hyper-latents of each cluster, shape (clusters,).
    y_hat, z_hat
        Latents and hyper-latents after noise or rounding, in the units in which they are coded.
    """

    reconstruction: tf.Tensor
    bits_y: tf.Tensor
    bits_z: tf.Tensor
    y_hat: tf.Tensor
    z_hat: tf.Tensor


class Coded(NamedTuple):
    """What `Forward` says of the latents."""

    bits_y: tf.Tensor
    bits_z: tf.Tensor
    y_hat: tf.Tensor
    z_hat: tf.Tensor


class Hyperprior(tf.Module):
    """The trainable network.

    Parameters
    ----------
    architecture
        Widths.
    weights
        Arrays by name, see `Architecture.shapes`.

    Attributes
    ----------
    parameters : dict
        The trained variables by the names of `Architecture.shapes`. GDN's are square roots and gains are logarithms of
        the weights, so that they stay positive.
    """

    def __init__(self, architecture: Architecture, weights: Mapping[str, np.ndarray]):
        super().__init__(name="hyperprior")
        self.architecture = architecture
        self._layers: Callable[[str, int], Any] = lambda transform, layer: transforms
        self._bits = gaussian_bits
        architecture.check(dict(weights))
        self.parameters = {
            name: tf.Variable(
                _stored(name, np.asarray(weights[name])),
                name=name.replace("/", "_"),
                dtype=tf.float32,
                trainable=name != "prior/offset",
            )
            for name in architecture.shapes()
        }

    def to_train(self, precision: str) -> "Hyperprior":
        """Return this network, of the same variables, with layers whose gradients are fast.

        Parameters
        ----------
        precision
            See `bandpress.hyperprior.training.gradients.of_precision`. Weights, GDN and rates are float32 in all.
        """
        found = copy.copy(self)
        found._layers = gradients.of_precision(precision)
        found._bits = gradients.gaussian_bits
        return found

    def weights(self) -> dict[str, np.ndarray]:
        """Return the weights by name, float32, as `Architecture.shapes` defines them."""
        return {name: self.weight(name).numpy() for name in self.parameters}

    def assign(self, weights: Mapping[str, np.ndarray]) -> None:
        """Replace the weights."""
        self.architecture.check(dict(weights))
        for name, variable in self.parameters.items():
            variable.assign(_stored(name, np.asarray(weights[name])))

    def weight(self, name: str) -> tf.Tensor:
        """Return one weight as the transforms use it, differentiable."""
        variable = self.parameters[name]
        kind = _kind(name)
        if kind in ("beta", "gamma"):
            minimum = _BETA_MINIMUM if kind == "beta" else 0.0
            bound = tf.constant((minimum + _PEDESTAL) ** 0.5, tf.float32)
            return tf.square(tfc.lower_bound(variable, bound)) - _PEDESTAL
        if kind == "gains":
            return tf.exp(variable)
        return tf.convert_to_tensor(variable)

    def analysis(self, x: tf.Tensor) -> tf.Tensor:
        """Normalised samples to latents: four stages that halve the size, GDN after the first three."""
        for i in range(4):
            x = self._convolve("down", "analysis", i, x, self.architecture.mirrors)
            if i < 3:
                x = self._layers("analysis", i).gdn(x, *self._gdn("analysis", i))
        return x

    def synthesis(self, y: tf.Tensor) -> tf.Tensor:
        """Latents to normalised samples; sizes are those of the latents times 16, to be cropped."""
        for i in range(4):
            y = self._convolve("up", "synthesis", i, y, self.architecture.mirrors)
            if i < 3:
                y = self._layers("synthesis", i).inverse_gdn(y, *self._gdn("synthesis", i))
        return y

    def hyper_analysis(self, magnitude: tf.Tensor) -> tf.Tensor:
        """Magnitudes of latents to hyper-latents of half the size."""
        x = tf.nn.relu(self._convolve("same", "hyper_analysis", 0, magnitude))
        return self._convolve("down", "hyper_analysis", 1, x)

    def hyper_synthesis(self, z_hat: tf.Tensor) -> tf.Tensor:
        """Hyper-latents to scale indexes, not yet rounded or bounded."""
        x = tf.nn.relu(self._convolve("up", "hyper_synthesis", 0, z_hat))
        return self._convolve("same", "hyper_synthesis", 1, x)

    def gain(self, name: str, quality: tf.Tensor) -> tf.Tensor:
        """Interpolate a gain vector geometrically.

        Parameters
        ----------
        name
            ``"y"``, ``"y_inverse"``, ``"z"`` or ``"z_inverse"``.
        quality
            0 for the first, shape (clusters,), any value up to the number of qualities less one.

        Returns
        -------
        tensorflow.Tensor
            Shape (clusters, 1, 1, channels).
        """
        logs = self.parameters[f"gains/{name}"]
        below = tf.clip_by_value(tf.floor(quality), 0.0, max(self.architecture.qualities - 2.0, 0.0))
        part = (quality - below)[:, None]
        index = tf.cast(below, tf.int32)
        mixed = (1 - part) * tf.gather(logs, index) + part * tf.gather(logs, index + 1)
        return tf.exp(mixed)[:, None, None, :]

    def __call__(
        self,
        x: tf.Tensor,
        training: bool = True,
        quality: tf.Tensor | None = None,
        seed: tf.Tensor | None = None,
    ) -> Forward:
        """Code and decode a batch.

        Parameters
        ----------
        x
            Normalised clusters (x - min) / (max - min + 1), shape (clusters, lines, samples, bands), float32.
        training
            Uniform noise instead of rounding; differentiable.
        quality
            Of each cluster, shape (clusters,), counted from 0; for families with gains only.
        seed
            Two integers, shape (2,), from which the noise follows. Default: zeros.
        """
        coded = self.code(self.latents(x, quality), training, quality, seed)
        scaled = coded.y_hat if quality is None else coded.y_hat * self.gain("y_inverse", quality)
        shape = tf.shape(x)
        return Forward(self.synthesis(scaled)[:, : shape[1], : shape[2]], *coded)

    def latents(self, x: tf.Tensor, quality: tf.Tensor | None = None) -> tf.Tensor:
        """Return the latents, not yet rounded, in the units in which they are coded."""
        y = self.analysis(x)
        return y if quality is None else y * self.gain("y", quality)

    def code(
        self, y: tf.Tensor, training: bool, quality: tf.Tensor | None = None, seed: tf.Tensor | None = None
    ) -> Coded:
        """Round latents, or add noise to them, and count their bits; arguments as for a call."""
        noise = [None, None]
        if training:
            seed = tf.zeros(2, tf.int32) if seed is None else seed
            noise = [tf.random.experimental.stateless_fold_in(seed, i) for i in range(2)]
        z = self.hyper_analysis(tf.abs(y))
        if quality is not None:
            z = z * self.gain("z", quality)
        offset = self.parameters["prior/offset"]
        z_hat = _quantise(z - offset, noise[0]) + offset
        bits_z = tf.reduce_sum(factorised_bits(self, z_hat), axis=(1, 2, 3))
        scaled = z_hat if quality is None else z_hat * self.gain("z_inverse", quality)
        size = tf.shape(y)
        indexes = self.hyper_synthesis(scaled)[:, : size[1], : size[2]]
        y_hat = _quantise(y, noise[1])
        bits_y = tf.reduce_sum(self._bits(y_hat, self.scale(indexes)), axis=(1, 2, 3))
        return Coded(bits_y, bits_z, y_hat, z_hat)

    def scale(self, indexes: tf.Tensor) -> tf.Tensor:
        """Standard deviations of continuous scale indexes, bounded to the table."""
        a = self.architecture
        indexes = tfc.upper_bound(tfc.lower_bound(indexes, 0.0), a.scales - 1.0)
        step = np.log(a.scale_max / a.scale_min) / (a.scales - 1)
        return tf.exp(np.float32(np.log(a.scale_min)) + np.float32(step) * indexes)

    def _gdn(self, transform: str, layer: int) -> tuple[tf.Tensor, tf.Tensor]:
        return self.weight(f"{transform}/{layer}/beta"), self.weight(f"{transform}/{layer}/gamma")

    def _convolve(
        self, operation: str, transform: str, layer: int, x: tf.Tensor, *options: bool
    ) -> tf.Tensor:
        name = f"{transform}/{layer}/bias"
        bias = self.weight(name) if name in self.parameters else None
        kernel = self.weight(f"{transform}/{layer}/kernel")
        return getattr(self._layers(transform, layer), operation)(x, kernel, bias, *options)


def _kind(name: str) -> str:
    return "gains" if name.startswith("gains/") else name.rsplit("/", 1)[1]


def _stored(name: str, value: np.ndarray) -> np.ndarray:
    kind = _kind(name)
    value = value.astype(np.float64)
    if kind in ("beta", "gamma"):
        value = np.sqrt(np.maximum(value, 0) + _PEDESTAL)
    elif kind == "gains":
        value = np.log(value)
    return value.astype(np.float32)


def _quantise(x: tf.Tensor, noise: tf.Tensor | None) -> tf.Tensor:
    if noise is None:
        return tf.round(x)
    return x + tf.random.stateless_uniform(tf.shape(x), noise, -0.5, 0.5)


def gaussian_bits(y: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """Bits of integers (or of noisy values) under a zero-mean Gaussian integrated over unit intervals.

    Ballé 2018, appendix 6.2. Far out, where the difference of two tails would vanish in float32, the asymptotic series
    of the tail is used, so that the gradient always says which way the scale should move.

    Parameters
    ----------
    y, scale
        Values and standard deviations, same shape, float32.
    """
    magnitude = tf.abs(y)
    near = (0.5 - magnitude) / scale
    far = (-0.5 - magnitude) / scale
    body = near > -5.0
    root = np.float32(np.sqrt(0.5))
    difference = 0.5 * (
        tf.math.erfc(-root * tf.maximum(near, -5.0)) - tf.math.erfc(-root * tf.where(body, far, -6.0))
    )
    inner, outer = tf.minimum(near, -5.0), tf.where(body, -6.0, far)

    def log_tail(x: tf.Tensor) -> tf.Tensor:
        square = 1.0 / (x * x)
        return -0.5 * x * x - tf.math.log(-x) - 0.9189385 + tf.math.log1p(-square * (1 - 3 * square))

    log_inner = log_tail(inner)
    ratio = tf.minimum(log_tail(outer) - log_inner, -1e-6)
    tail = log_inner + tf.math.log(-tf.math.expm1(ratio))
    log_probability = tf.where(body, tf.math.log(tf.maximum(difference, 1e-12)), tail)
    return log_probability * np.float32(-1 / np.log(2))


def factorised_bits(model: Hyperprior, z: tf.Tensor) -> tf.Tensor:
    """Bits of hyper-latents under the factorised density (Ballé 2018, appendix 6.1), one a channel, the last axis."""
    lower, upper = _cumulative_logits(model, z - 0.5), _cumulative_logits(model, z + 0.5)
    # On the side of the median where both are small: sigmoids there keep their relative precision.
    sign = -tf.stop_gradient(tf.sign(lower + upper))
    probability = tf.abs(tf.sigmoid(sign * upper) - tf.sigmoid(sign * lower))
    return tf.math.log(tfc.lower_bound(probability, 1e-9)) * np.float32(-1 / np.log(2))


def _cumulative_logits(model: Hyperprior, z: tf.Tensor) -> tf.Tensor:
    shape = tf.shape(z)
    logits = tf.transpose(tf.reshape(z, (-1, 1, model.architecture.hyper)), (2, 1, 0))
    i = 0
    while f"prior/matrix/{i}" in model.parameters:
        logits = tf.matmul(tf.nn.softplus(model.parameters[f"prior/matrix/{i}"]), logits)
        logits += model.parameters[f"prior/bias/{i}"]
        if f"prior/factor/{i}" in model.parameters:
            logits += tf.tanh(model.parameters[f"prior/factor/{i}"]) * tf.tanh(logits)
        i += 1
    return tf.reshape(tf.transpose(logits, (2, 1, 0)), shape)
