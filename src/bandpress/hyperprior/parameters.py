"""Trained variables of a network, and their conversion to the transforms' weights."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tensorflow_compression as tfc

from bandpress.hyperprior.architecture import Architecture

#: Lower bounds of GDN's parameters; that of beta keeps the division safe.
_BETA_MINIMUM = 1e-6
_PEDESTAL = 2.0**-36


class Parameters(tf.Module):
    """Variables by the names of `Architecture.shapes`.

    Variables of GDN are square roots, and those of gains logarithms, of the weights, which so stay positive.

    Parameters
    ----------
    architecture
        Widths.
    weights
        Arrays by name.
    """

    def __init__(self, architecture: Architecture, weights: Mapping[str, np.ndarray]):
        super().__init__(name="hyperprior")
        self.architecture = architecture
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

    def weights(self) -> dict[str, np.ndarray]:
        """Return the weights by name, float32, as `Architecture.shapes` defines them."""
        return {name: self.weight(name).numpy() for name in self.parameters}

    def assign(self, weights: Mapping[str, np.ndarray]) -> None:
        """Replace the weights."""
        self.architecture.check(dict(weights))
        for name, variable in self.parameters.items():
            variable.assign(_stored(name, np.asarray(weights[name])))

    def weight(self, name: str) -> tf.Tensor:
        """Return a weight as the transforms use it, differentiable."""
        variable = self.parameters[name]
        kind = _kind(name)
        if kind in ("beta", "gamma"):
            minimum = _BETA_MINIMUM if kind == "beta" else 0.0
            bound = tf.constant((minimum + _PEDESTAL) ** 0.5, tf.float32)
            return tf.square(tfc.lower_bound(variable, bound)) - _PEDESTAL
        if kind == "gains":
            return tf.exp(variable)
        return tf.convert_to_tensor(variable)

    def gain(self, name: str, quality: tf.Tensor) -> tf.Tensor:
        """Return a gain vector, interpolated geometrically.

        Parameters
        ----------
        name
            ``"y"``, ``"y_inverse"``, ``"z"`` or ``"z_inverse"``.
        quality
            Quality of each cluster, shape (clusters,), any number from 0 to the number of qualities - 1.

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
