"""Iterative latent refinement: gradient steps on each cluster's latents, for an unchanged decoder.

The analysis transform is optimal on average over its training scenes. For a given scene, gradient descent on the
latents lowers the training loss, bits + lambda · squared error, further (Campos et al., CVPR Workshops 2019).
Stochastic Gumbel annealing softens the rounding (Yang, Bamler & Mandt, NeurIPS 2020). Beyond the image's borders no
error counts, so the cheapest values are coded there. The descent is noisy, so each cluster keeps those latents along
its way that cost least when rounded.
"""

import functools

import numpy as np
import tensorflow as tf

from bandpress.hyperprior.densities import factorised_bits, gaussian_bits
from bandpress.hyperprior.model import Hyperprior
from bandpress.hyperprior.store import StoredModel

#: Adam's step, in units of a quantiser step, and its two decays.
_RATE = 0.01
_DECAY, _SQUARED_DECAY = 0.9, 0.999
#: Softness of the rounding, first and last.
_WARM, _COOL = 0.5, 0.2
#: Steps after which the latents are rounded and compared with the best so far.
_ROUND = 10
#: Keeps logarithms finite.
_LEAST = 1e-4


class Refiner:
    """Latent refinement for a model's decoder.

    Parameters
    ----------
    model
        The model.
    """

    def __init__(self, model: StoredModel):
        a = model.architecture
        self._network = Hyperprior(a, model.weights)
        self._gains = a.qualities > 1
        images = tf.TensorSpec([None, None, None, a.bands_per_cluster], tf.float32)
        self._descend = tf.function(
            self._graph,
            input_signature=[
                images,
                tf.TensorSpec([None], tf.float32),
                tf.TensorSpec([None, a.bands_per_cluster], tf.float32),
                tf.TensorSpec([2], tf.int32),
                tf.TensorSpec([], tf.int32),
            ],
        )

    def refine(
        self,
        clusters: np.ndarray,
        qualities: np.ndarray,
        worth: np.ndarray,
        size: tuple[int, int],
        count: int,
    ) -> np.ndarray:
        """Return refined latents of a batch.

        Parameters
        ----------
        clusters
            Normalised, shape (clusters, lines, samples, bands), float32, sides multiples of 16.
        qualities
            Quality of each cluster, counted from 0, float32; ignored by a model without gains.
        worth
            Bits that one unit of squared error of a normalised sample is worth, per band; 0 for bands that only pad the
            cluster. Shape (clusters, bands).
        size
            Lines and samples of the image, within those of `clusters`.
        count
            Steps of the descent; each costs about three times a decoding.

        Returns
        -------
        numpy.ndarray
            Latents in the units in which they are coded, not yet rounded, float32. Those of a cluster do not depend on
            the rest of the batch, except for rounding in the last bits.
        """
        return self._descend(
            clusters, qualities.astype(np.float32), worth.astype(np.float32), np.array(size, np.int32), count
        ).numpy()

    def _graph(
        self, x: tf.Tensor, quality: tf.Tensor, worth: tf.Tensor, size: tf.Tensor, count: tf.Tensor
    ) -> tf.Tensor:
        given = quality if self._gains else None
        start = self._network.latents(x, given)
        cost = functools.partial(self._cost, x=x, quality=given, worth=worth, size=size)

        def step(i: tf.Tensor, y: tf.Tensor, mean: tf.Tensor, square: tf.Tensor) -> tuple[tf.Tensor, ...]:
            done = tf.cast(i, tf.float32)
            softness = _WARM * (_COOL / _WARM) ** (done / tf.cast(count, tf.float32))
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(y)
                loss = tf.reduce_sum(cost(y, _softly_rounded(y, softness, i)))
            gradient = tape.gradient(loss, y)
            mean = _DECAY * mean + (1 - _DECAY) * gradient
            square = _SQUARED_DECAY * square + (1 - _SQUARED_DECAY) * tf.square(gradient)
            scale = tf.sqrt(square / (1 - _SQUARED_DECAY ** (done + 1))) + 1e-7
            return i + 1, y - _RATE / (1 - _DECAY ** (done + 1)) * mean / scale, mean, square

        def descend(best: tf.Tensor, least: tf.Tensor, *state: tf.Tensor) -> tuple[tf.Tensor, ...]:
            end = tf.minimum(state[0] + _ROUND, count)
            state = tf.while_loop(lambda i, *_: i < end, step, state, parallel_iterations=1)
            found = cost(state[1], tf.round(state[1]))
            better = found < least
            best = tf.where(better[:, None, None, None], state[1], best)
            return best, tf.where(better, found, least), *state

        zeros = tf.zeros_like(start)
        first = (start, cost(start, tf.round(start)), tf.constant(0), start, zeros, zeros)
        return tf.while_loop(lambda _, __, i, *___: i < count, descend, first, parallel_iterations=1)[0]

    def _cost(
        self,
        y: tf.Tensor,
        rounded: tf.Tensor,
        x: tf.Tensor,
        quality: tf.Tensor | None,
        worth: tf.Tensor,
        size: tf.Tensor,
    ) -> tf.Tensor:
        """Return the bits of each cluster's latents, plus the bits that their error is worth.

        Hyper-latents are computed from unrounded latents, as they are without refinement, since how close a latent is
        to zero tells much about its scale. They are then rounded, with the gradient of the unrounded ones.
        """
        network = self._network
        z = network.hyper_analysis(tf.abs(y))
        if quality is not None:
            z = z * network.gain("z", quality)
        offset = network.parameters["prior/offset"]
        z = z + tf.stop_gradient(tf.round(z - offset) + offset - z)
        bits = tf.reduce_sum(factorised_bits(network.parameters, z), axis=(1, 2, 3))
        scaled = rounded
        if quality is not None:
            z = z * network.gain("z_inverse", quality)
            scaled = rounded * network.gain("y_inverse", quality)
        shape = tf.shape(y)
        indexes = network.hyper_synthesis(z)[:, : shape[1], : shape[2]]
        bits += tf.reduce_sum(gaussian_bits(rounded, network.scale(indexes)), axis=(1, 2, 3))
        error = tf.square(network.synthesis(scaled) - x)[:, : size[0], : size[1]]
        return bits + tf.reduce_sum(error * worth[:, None, None], axis=(1, 2, 3))


def _softly_rounded(y: tf.Tensor, softness: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
    """Draw a value between the two integers around each latent; the less soft, the nearer to one of them."""
    below = tf.floor(y)
    part = tf.clip_by_value(y - below, _LEAST, 1 - _LEAST)
    odds = (tf.atanh(part) - tf.atanh(1 - part)) / softness
    # One draw for all clusters, so that no cluster's result depends on another.
    drawn = tf.random.stateless_uniform(tf.shape(y)[1:], tf.stack([0, number]), _LEAST, 1 - _LEAST)
    return below + tf.sigmoid((odds + tf.math.log(drawn) - tf.math.log1p(-drawn)) / softness)
