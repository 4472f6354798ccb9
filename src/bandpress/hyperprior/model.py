"""The paper's network on one page, in the order of the data: transforms, hyperprior, loss.

Ballé, Minnen, Singh, Hwang & Johnston, "Variational image compression with a scale hyperprior" (ICLR 2018), with the
layers of Mijares i Verdú et al. (Remote Sensing 15(18), 2023): ↓2 and ↑2 halve and double lines and samples, k are the
bands of a cluster, N and M the hidden and the latent channels::

    x  normalised samples (lines, samples, k)                          x̂  reconstruction
    |                                                                  ^
    |  analysis                                                        |  synthesis
    |  5x5 ↓2 N, GDN                                                   |  5x5 ↑2 k
    |  5x5 ↓2 N, GDN                                                   |  5x5 ↑2 N, inverse GDN
    |  5x5 ↓2 N, GDN                                                   |  5x5 ↑2 N, inverse GDN
    |  5x5 ↓2 M                                                        |  5x5 ↑2 N, inverse GDN
    v                                                                  |
    y  latents, a 16th of the size ------ Q --- bits under N(0, σ²) -- ŷ
    |                                              ^
    |  hyper-analysis of |y|                       |  σ of each latent, one of 64 from .11 to 256
    |  3x3, ReLU                                   |  hyper-synthesis
    |  5x5 ↓2                                      |  5x5 ↑2, ReLU; 3x3
    v                                              |
    z  hyper-latents, a 32nd ------------ Q ------ ẑ   bits under a learned density, one per channel

    loss = bits per pixel of ŷ and ẑ + lambda · mean squared error in DN²

Q rounds to integers; in training it adds uniform noise of the same width, which has gradients. A family of qualities in
one network multiplies y and z by gains before Q, and divides by them after it.

Fast and exact forms are elsewhere: `bandpress.hyperprior.network` codes files with the same weights and the
hyper-synthesis in integers (`integer`, `tables`); `bandpress.hyperprior.training.gradients` has layers that train fast.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_compression as tfc

from bandpress.hyperprior import transforms
from bandpress.hyperprior.architecture import Architecture
from bandpress.hyperprior.densities import factorised_bits, gaussian_bits, quantised
from bandpress.hyperprior.parameters import Parameters
from bandpress.hyperprior.training import gradients


class Forward(NamedTuple):
    """Result of a forward pass.

    Parameters
    ----------
    reconstruction
        Same shape as the input: (clusters, lines, samples, bands), in units of the normalised range.
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
    """Latents and their bits, part of `Forward`."""

    bits_y: tf.Tensor
    bits_z: tf.Tensor
    y_hat: tf.Tensor
    z_hat: tf.Tensor


class Hyperprior(Parameters):
    """The trainable network.

    Parameters
    ----------
    architecture
        Widths.
    weights
        Arrays by name, see `Architecture.shapes`.
    """

    def __init__(self, architecture: Architecture, weights: Mapping[str, np.ndarray]):
        super().__init__(architecture, weights)
        self._layers: Callable[[str, int], Any] = lambda transform, layer: transforms
        self._bits = gaussian_bits

    # Transforms.

    def analysis(self, x: tf.Tensor) -> tf.Tensor:
        """Return the latents of normalised samples: four stages that halve the size, GDN after the first three."""
        for i in range(4):
            x = self._convolve("down", "analysis", i, x, self.architecture.mirrors)
            if i < 3:
                x = self._layers("analysis", i).gdn(x, *self._gdn("analysis", i))
        return x

    def synthesis(self, y: tf.Tensor) -> tf.Tensor:
        """Return the normalised samples of latents, 16 times their size, to be cropped."""
        for i in range(4):
            y = self._convolve("up", "synthesis", i, y, self.architecture.mirrors)
            if i < 3:
                y = self._layers("synthesis", i).inverse_gdn(y, *self._gdn("synthesis", i))
        return y

    # Hyperprior.

    def hyper_analysis(self, magnitude: tf.Tensor) -> tf.Tensor:
        """Return the hyper-latents, of half the size, of the magnitudes of latents."""
        x = tf.nn.relu(self._convolve("same", "hyper_analysis", 0, magnitude))
        return self._convolve("down", "hyper_analysis", 1, x)

    def hyper_synthesis(self, z_hat: tf.Tensor) -> tf.Tensor:
        """Return the scale indexes of hyper-latents, not yet rounded or clipped."""
        x = tf.nn.relu(self._convolve("up", "hyper_synthesis", 0, z_hat))
        return self._convolve("same", "hyper_synthesis", 1, x)

    def scale(self, indexes: tf.Tensor) -> tf.Tensor:
        """Return the standard deviations of continuous scale indexes, clipped to the table."""
        a = self.architecture
        indexes = tfc.upper_bound(tfc.lower_bound(indexes, 0.0), a.scales - 1.0)
        step = np.log(a.scale_max / a.scale_min) / (a.scales - 1)
        return tf.exp(np.float32(np.log(a.scale_min)) + np.float32(step) * indexes)

    # From samples to bits and back.

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
            Add uniform noise instead of rounding; differentiable.
        quality
            Quality of each cluster, shape (clusters,), counted from 0; for families with gains only.
        seed
            Seed of the noise: two integers, shape (2,). Default: zeros.
        """
        coded = self.code(self.latents(x, quality), training, quality, seed)
        scaled = coded.y_hat if quality is None else coded.y_hat * self.gain("y_inverse", quality)
        shape = tf.shape(x)
        return Forward(self.synthesis(scaled)[:, : shape[1], : shape[2]], *coded)

    def latents(self, x: tf.Tensor, quality: tf.Tensor | None = None) -> tf.Tensor:
        """Return the latents, not yet rounded, in coded units."""
        y = self.analysis(x)
        return y if quality is None else y * self.gain("y", quality)

    def code(
        self, y: tf.Tensor, training: bool, quality: tf.Tensor | None = None, seed: tf.Tensor | None = None
    ) -> Coded:
        """Round latents, or add noise to them, and return their bits; arguments as for `__call__`."""
        noise = [None, None]
        if training:
            seed = tf.zeros(2, tf.int32) if seed is None else seed
            noise = [tf.random.experimental.stateless_fold_in(seed, i) for i in range(2)]
        z = self.hyper_analysis(tf.abs(y))
        if quality is not None:
            z = z * self.gain("z", quality)
        offset = self.parameters["prior/offset"]
        z_hat = quantised(z - offset, noise[0]) + offset
        bits_z = tf.reduce_sum(factorised_bits(self.parameters, z_hat), axis=(1, 2, 3))
        scaled = z_hat if quality is None else z_hat * self.gain("z_inverse", quality)
        size = tf.shape(y)
        indexes = self.hyper_synthesis(scaled)[:, : size[1], : size[2]]
        y_hat = quantised(y, noise[1])
        bits_y = tf.reduce_sum(self._bits(y_hat, self.scale(indexes)), axis=(1, 2, 3))
        return Coded(bits_y, bits_z, y_hat, z_hat)

    def to_train(self, precision: str) -> "Hyperprior":
        """Return this network with the same variables and layers that train fast.

        Parameters
        ----------
        precision
            See `bandpress.hyperprior.training.gradients.of_precision`. Weights, GDN and rates are always float32.
        """
        found = copy.copy(self)
        found._layers = gradients.of_precision(precision)
        found._bits = gradients.gaussian_bits
        return found

    def _gdn(self, transform: str, layer: int) -> tuple[tf.Tensor, tf.Tensor]:
        return self.weight(f"{transform}/{layer}/beta"), self.weight(f"{transform}/{layer}/gamma")

    def _convolve(
        self, operation: str, transform: str, layer: int, x: tf.Tensor, *options: bool
    ) -> tf.Tensor:
        name = f"{transform}/{layer}/bias"
        bias = self.weight(name) if name in self.parameters else None
        kernel = self.weight(f"{transform}/{layer}/kernel")
        return getattr(self._layers(transform, layer), operation)(x, kernel, bias, *options)


def rate_distortion(
    bits: tf.Tensor, squared_error: tf.Tensor, lambda_: tf.Tensor, shape: tf.Tensor
) -> tf.Tensor:
    """Return the loss of each cluster: bits per pixel (all k bands) + lambda · mean squared error.

    Parameters
    ----------
    bits, squared_error
        Total bits and squared error, in DN², of each cluster.
    lambda_
        Lambda of each cluster: the bits per pixel that one DN² is worth.
    shape
        Shape of the batch: (clusters, lines, samples, bands).
    """
    pixels, bands = tf.cast(shape[1] * shape[2], tf.float32), tf.cast(shape[3], tf.float32)
    return bits / pixels + lambda_ * squared_error / (pixels * bands)
