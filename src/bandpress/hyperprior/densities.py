"""Densities of latents and hyper-latents, and the bits of integers under them.

Ballé et al., "Variational image compression with a scale hyperprior" (ICLR 2018), appendix 6.
"""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tensorflow_compression as tfc


def quantised(x: tf.Tensor, noise: tf.Tensor | None) -> tf.Tensor:
    """Return rounded values or, given a seed of two integers, values with uniform noise, which has gradients."""
    if noise is None:
        return tf.round(x)
    return x + tf.random.stateless_uniform(tf.shape(x), noise, -0.5, 0.5)


def gaussian_bits(y: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """Return the bits of integers (or noisy values) under a zero-mean Gaussian integrated over unit intervals.

    Ballé 2018, appendix 6.2. In the far tails, where the difference of two tails would vanish in float32, the
    asymptotic series keeps a gradient that moves the scale in the right direction.

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


def factorised_bits(parameters: Mapping[str, tf.Variable], z: tf.Tensor) -> tf.Tensor:
    """Return the bits of hyper-latents under the factorised density (Ballé 2018, appendix 6.1) of each channel.

    Parameters
    ----------
    parameters
        Parameters of the density by name: ``prior/matrix/0`` and so on.
    z
        Integers, or noisy values, float32.
    """
    lower, upper = _cumulative_logits(parameters, z - 0.5), _cumulative_logits(parameters, z + 0.5)
    # On the side of the median where both sigmoids are small, and so keep their relative precision.
    sign = -tf.stop_gradient(tf.sign(lower + upper))
    probability = tf.abs(tf.sigmoid(sign * upper) - tf.sigmoid(sign * lower))
    return tf.math.log(tfc.lower_bound(probability, 1e-9)) * np.float32(-1 / np.log(2))


def _cumulative_logits(parameters: Mapping[str, tf.Variable], z: tf.Tensor) -> tf.Tensor:
    shape = tf.shape(z)
    logits = tf.transpose(tf.reshape(z, (-1, 1, z.shape[-1])), (2, 1, 0))
    i = 0
    while f"prior/matrix/{i}" in parameters:
        logits = tf.matmul(tf.nn.softplus(parameters[f"prior/matrix/{i}"]), logits)
        logits += parameters[f"prior/bias/{i}"]
        if f"prior/factor/{i}" in parameters:
            logits += tf.tanh(parameters[f"prior/factor/{i}"]) * tf.tanh(logits)
        i += 1
    return tf.reshape(tf.transpose(logits, (2, 1, 0)), shape)
