"""The paper's network in the form of the authors' script, for speed comparison in `bandpress bench train` only.

It uses tensorflow-compression's layers, with kernels stored as Fourier coefficients (RDFT), and its entropy models;
loss and Adam are those of `bandpress.hyperprior.training.trainer`, which trains all models, with a network that is the
same function of the same weights.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tensorflow_compression as tfc

from bandpress.hyperprior.architecture import Architecture
from bandpress.hyperprior.training.patches import Batch


class PaperForm(tf.Module):
    """The scale hyperprior of Ballé et al. (ICLR 2018) in layers of tensorflow-compression.

    Parameters
    ----------
    architecture
        Widths.
    lambda_
        Weight of the mean squared error, in DN².
    """

    def __init__(self, architecture: Architecture, lambda_: float) -> None:
        super().__init__(name="paper_form")
        a, self._lambda = architecture, lambda_
        n, m, h = a.widths, a.latent, a.hyper
        gdn = [tfc.GDN(name=f"gdn_{i}") for i in range(3)] + [None]
        inverse = [tfc.GDN(inverse=True, name=f"igdn_{i}") for i in range(3)] + [None]
        self.analysis = [_down(width, g) for width, g in zip((*n, m), gdn, strict=True)]
        self.synthesis = [
            _up(width, g) for width, g in zip((*reversed(n), a.bands_per_cluster), inverse, strict=True)
        ]
        self.hyper_analysis = [_same(h, tf.nn.relu), _down(h, None, use_bias=False)]
        self.hyper_synthesis = [_up(h, tf.nn.relu), _same(m, None)]
        log_min, step = np.log(a.scale_min), np.log(a.scale_max / a.scale_min) / (a.scales - 1)
        self.prior = tfc.NoisyDeepFactorized(batch_shape=(h,))
        self.y_model = tfc.LocationScaleIndexedEntropyModel(
            tfc.NoisyNormal, a.scales, lambda i: tf.exp(log_min + step * i), coding_rank=3, compression=False
        )
        self.z_model = tfc.ContinuousBatchedEntropyModel(self.prior, coding_rank=3, compression=False)
        self.optimizer = tf.keras.optimizers.Adam(1e-4)
        self._step = tf.function(self._train_step)

    def step(self, batch: Batch) -> float:
        """Take one step and return the loss."""
        return float(self._step(tf.constant(batch.x), tf.constant(batch.ranges)))

    def _train_step(self, x: tf.Tensor, ranges: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            y = _through(self.analysis, x)
            z = _through(self.hyper_analysis, tf.abs(y))
            z_hat, bits_z = self.z_model(z, training=True)
            y_hat, bits_y = self.y_model(y, _through(self.hyper_synthesis, z_hat), training=True)
            error = (_through(self.synthesis, y_hat) - x) * ranges[:, None, None, :]
            pixels = tf.cast(tf.size(x[..., 0]), tf.float32)
            rate = (tf.reduce_sum(bits_y) + tf.reduce_sum(bits_z)) / pixels
            loss = rate + self._lambda * tf.reduce_mean(tf.square(error))
        variables = self.trainable_variables
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return loss


def _down(width: int, activation: object, use_bias: bool = True) -> tfc.SignalConv2D:
    options = {"corr": True, "strides_down": 2, "padding": "same_zeros", "use_bias": use_bias}
    return tfc.SignalConv2D(width, (5, 5), activation=activation, **options)


def _up(width: int, activation: object) -> tfc.SignalConv2D:
    options = {"corr": False, "strides_up": 2, "padding": "same_zeros", "use_bias": True}
    return tfc.SignalConv2D(width, (5, 5), activation=activation, **options)


def _same(width: int, activation: object) -> tfc.SignalConv2D:
    options = {"corr": True, "padding": "same_zeros", "use_bias": True}
    return tfc.SignalConv2D(width, (3, 3), activation=activation, **options)


def _through(layers: list[tfc.SignalConv2D], x: tf.Tensor) -> tf.Tensor:
    for layer in layers:
        x = layer(x)
    return x
