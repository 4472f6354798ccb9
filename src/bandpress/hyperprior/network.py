"""The network for coding: trained float transforms, integer hyper-synthesis, range coder.

Only the scale indexes and the symbols must be equal on every machine; they are integers from exact sums
(`bandpress.hyperprior.integer`). The float transforms may differ in the last bits between machines, which changes the
rounding of samples but no decoded symbol.
"""

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from bandpress.errors import ModelError
from bandpress.hyperprior import transforms
from bandpress.hyperprior.architecture import HYPER_STRIDE, LATENT_STRIDE, at_quality
from bandpress.hyperprior.densities import gaussian_bits
from bandpress.hyperprior.integer import ACTIVATION, HyperSynthesis
from bandpress.hyperprior.processor import has_bfloat16
from bandpress.hyperprior.rangecoder import RangeCoder
from bandpress.hyperprior.store import StoredModel

#: Symbols beyond this are clipped; no trained network reaches it.
_MOST_SYMBOL = float(1 << 20)
#: Layers for which bfloat16 may be used: most of the encoder's work, with an insignificant rounding error. In the first
#: and last layer and in the sums of the normalisations, the error would be significant.
_BFLOAT16 = {("analysis", 1), ("analysis", 2), ("hyper_analysis", 0), ("hyper_analysis", 1)}

#: Fewest output channels for four convolutions; with fewer, reading the input four times costs more than it saves.
_FEW = 16


class Symbols(NamedTuple):
    """Symbols of a batch of clusters.

    Parameters
    ----------
    y, z
        Integers of latents and hyper-latents, (clusters, lines, samples, channels), int32.
    indexes
        Scale index of each latent, int32.
    """

    y: np.ndarray
    z: np.ndarray
    indexes: np.ndarray


class Network:
    """A stored model, ready to code.

    Parameters
    ----------
    model
        The model.

    Raises
    ------
    ModelError
        If the model's tables are not usable.
    """

    def __init__(self, model: StoredModel):
        a = self.architecture = model.architecture
        self.integer = HyperSynthesis.of_tables(model.tables, a.hyper, a.latent, a.scales)
        if len(self.integer.gain) != a.quality_steps:
            raise ModelError(f"tables: {len(self.integer.gain)} operating points; expected {a.quality_steps}")
        # Arrays, not tensors, become constants of the graph, which oneDNN reorders only once.
        self._weights = model.weights
        self._gains = _gain_tables(model) if a.qualities > 1 else None
        self._y_coder, self._z_coder = (
            RangeCoder(model.tables[f"{name}/cdf"], model.tables[f"{name}/offset"]) for name in "yz"
        )
        # One trace serves every shape.
        steps = tf.TensorSpec([None], tf.int32)

        def batch(channels: int, dtype: tf.DType) -> tf.TensorSpec:
            return tf.TensorSpec([None, None, None, channels], dtype)

        self._encode = {
            (bfloat16, bool(worth)): tf.function(
                functools.partial(self._encode_graph, bfloat16=bfloat16),
                input_signature=[batch(a.bands_per_cluster, tf.float32), steps, *worth],
            )
            for bfloat16 in (False, True)
            for worth in ((), (tf.TensorSpec([], tf.float32),))
        }
        self._symbols = tf.function(self._code_graph, input_signature=[batch(a.latent, tf.float32), steps])
        self._indexes = tf.function(
            functools.partial(indexes_graph, self.integer), input_signature=[batch(a.hyper, tf.int32), steps]
        )
        self._synthesise = tf.function(
            self._synthesise_graph, input_signature=[batch(a.latent, tf.int32), steps]
        )

    def latent_shape(self, lines: int, samples: int) -> tuple[int, int, int]:
        """Return lines, samples and channels of the latents of an image."""
        return -(-lines // LATENT_STRIDE), -(-samples // LATENT_STRIDE), self.architecture.latent

    def hyper_shape(self, lines: int, samples: int) -> tuple[int, int, int]:
        """Return lines, samples and channels of the hyper-latents of an image."""
        return -(-lines // HYPER_STRIDE), -(-samples // HYPER_STRIDE), self.architecture.hyper

    def analyse(
        self, clusters: np.ndarray, steps: np.ndarray, bfloat16: bool = False, worth: float | None = None
    ) -> Symbols:
        """Return the symbols of a batch.

        Parameters
        ----------
        clusters
            Normalised, shape (clusters, lines, samples, bands), float32.
        steps
            Operating point of each cluster, int32.
        bfloat16
            Convolve in bfloat16 in the layers that allow it.
        worth
            Bits that a unit of squared error of a latent is worth: a latent is rounded towards zero if that saves more
            bits than its error is worth. None: to the nearest integer, as in the paper.
        """
        given = () if worth is None else (worth,)
        return Symbols(
            *(part.numpy() for part in self._encode[bfloat16, bool(given)](clusters, steps, *given))
        )

    def symbols(self, latents: np.ndarray, steps: np.ndarray) -> Symbols:
        """Return the symbols of given latents, not yet rounded, float32."""
        return Symbols(*(part.numpy() for part in self._symbols(latents, steps)))

    def write(self, symbols: Symbols) -> list[tuple[bytes, bytes]]:
        """Range code symbols: bytes of z and of y for each cluster."""
        z = self._z_coder.encode(symbols.z)
        return list(zip(z, self._y_coder.encode(symbols.y, symbols.indexes), strict=True))

    def read(
        self, strings: Sequence[tuple[bytes, bytes]], steps: np.ndarray, lines: int, samples: int
    ) -> Symbols:
        """Decode the strings of `write`, exactly.

        Parameters
        ----------
        strings
            Bytes of z and of y of each cluster.
        steps
            Operating point of each cluster, int32.
        lines, samples
            Size of the image.

        Raises
        ------
        BitstreamError
            If the range coder detects damage.
        """
        shape = self.latent_shape(lines, samples)
        z = self._z_coder.decode([pair[0] for pair in strings], self.hyper_shape(lines, samples))
        indexes = self._indexes(z, steps).numpy()[:, : shape[0], : shape[1]]
        y = self._y_coder.decode([pair[1] for pair in strings], shape, indexes)
        return Symbols(y, z, indexes)

    def synthesise(self, y: np.ndarray, steps: np.ndarray, lines: int, samples: int) -> np.ndarray:
        """Return the normalised clusters, float32, (clusters, lines, samples, bands), of latent symbols."""
        return self._synthesise(y, steps).numpy()[:, :lines, :samples]

    def _encode_graph(
        self, x: tf.Tensor, steps: tf.Tensor, worth: tf.Tensor | None = None, bfloat16: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        y = self._gained(self.analysis(x, bfloat16), "y", steps)
        return self._code_graph(y, steps, worth, bfloat16)

    def _code_graph(
        self, y: tf.Tensor, steps: tf.Tensor, worth: tf.Tensor | None = None, bfloat16: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        z = self._gained(self.hyper_analysis(tf.abs(y), bfloat16), "z", steps) - self._weights["prior/offset"]
        symbols = _rounded(z)
        shape = tf.shape(y)
        indexes = indexes_graph(self.integer, symbols, steps)[:, : shape[1], : shape[2]]
        return _rounded(y) if worth is None else self._optimised(y, indexes, worth), symbols, indexes

    def _optimised(self, y: tf.Tensor, indexes: tf.Tensor, worth: tf.Tensor) -> tf.Tensor:
        """Round latents; go one nearer to zero if that pays (Shoham & Gersho 1988)."""
        scale = tf.gather(tf.constant(self.architecture.scale_table, tf.float32), indexes)
        nearest = tf.round(y)
        lower = nearest - tf.sign(nearest)
        saved = gaussian_bits(nearest, scale) - gaussian_bits(lower, scale)
        error = tf.square(y - lower) - tf.square(y - nearest)
        return _rounded(tf.where(saved > worth * error, lower, nearest))

    def _synthesise_graph(self, y: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
        return self.synthesis(self._gained(tf.cast(y, tf.float32), "y_inverse", steps))

    def _gained(self, x: tf.Tensor, name: str, steps: tf.Tensor) -> tf.Tensor:
        return x if self._gains is None else x * tf.gather(self._gains[name], steps)[:, None, None]

    def analysis(self, x: tf.Tensor, bfloat16: bool = False) -> tf.Tensor:
        """Return the latents of normalised samples."""
        down = functools.partial(transforms.down, mirror=self.architecture.mirrors)
        for i in range(4):
            x = self._convolve(down, "analysis", i, x, bfloat16)
            if i < 3:
                x = transforms.gdn(x, *self._gdn("analysis", i))
        return x

    def hyper_analysis(self, magnitude: tf.Tensor, bfloat16: bool = False) -> tf.Tensor:
        """Return the hyper-latents of the magnitudes of latents."""
        x = tf.nn.relu(self._convolve(transforms.same, "hyper_analysis", 0, magnitude, bfloat16))
        return self._convolve(transforms.down, "hyper_analysis", 1, x, bfloat16)

    def _convolve(
        self, operation: Callable[..., tf.Tensor], transform: str, layer: int, x: tf.Tensor, bfloat16: bool
    ) -> tf.Tensor:
        kernel, bias = self._layer(transform, layer)
        if not bfloat16 or (transform, layer) not in _BFLOAT16:
            return operation(x, kernel, bias)
        # Without processor support, operands are rounded to bfloat16 and convolved in float32.
        working = tf.bfloat16 if has_bfloat16() else tf.float32

        def rounded(values: np.ndarray) -> np.ndarray:
            return values.astype(tf.bfloat16.as_numpy_dtype).astype(working.as_numpy_dtype)

        x = tf.cast(tf.cast(x, tf.bfloat16), working)
        y = operation(x, rounded(kernel), None if bias is None else rounded(bias))
        return tf.cast(tf.cast(y, tf.bfloat16), tf.float32)

    def synthesis(self, y: tf.Tensor) -> tf.Tensor:
        """Return the normalised samples of latents; sizes are multiples of 16."""
        for i in range(4):
            kernel, bias = self._layer("synthesis", i)
            up = transforms.up_by_phases if kernel.shape[3] >= _FEW else transforms.up
            y = up(y, kernel, bias, self.architecture.mirrors)
            if i < 3:
                y = transforms.inverse_gdn(y, *self._gdn("synthesis", i))
        return y

    def _layer(self, transform: str, layer: int) -> tuple[np.ndarray, np.ndarray | None]:
        return self._weights[f"{transform}/{layer}/kernel"], self._weights.get(f"{transform}/{layer}/bias")

    def _gdn(self, transform: str, layer: int) -> tuple[np.ndarray, np.ndarray]:
        return self._weights[f"{transform}/{layer}/beta"], self._weights[f"{transform}/{layer}/gamma"]


def indexes_graph(layers: HyperSynthesis, symbols: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
    """Evaluate the integer hyper-synthesis, in floating point types whose sums are exact.

    (TensorFlow's 8-bit convolutions took half the time of the second layer, and were off by 1 in some sums of
    millions: they are not exact.)

    Parameters
    ----------
    layers
        The layers, checked.
    symbols
        (clusters, lines, samples, hyper), int32.
    steps
        Operating points, (clusters,), int32.

    Returns
    -------
    tensorflow.Tensor
        (clusters, 2 lines, 2 samples, latent), int32; equal to ``layers.indexes(symbols, steps)``.
    """
    first = np.float32 if layers.first_in_float32 else np.float64
    limit = tf.constant(layers.limit, tf.int32)
    a = tf.cast(tf.clip_by_value(symbols, -limit, limit), first)
    if len(layers.gain) > 1 or layers.offset.any() or (layers.gain != 1).any():
        a = a * tf.gather(tf.constant(layers.gain, first), steps)[:, None, None] + tf.constant(
            layers.offset, first
        )
    total = transforms.up_by_phases(a, layers.kernel_0.astype(first), layers.bias_0.astype(first))
    h = tf.cast(_shifted(total, layers.shift_0, ACTIVATION), tf.float32)
    total = transforms.same(h, layers.kernel_1.astype(np.float32), layers.bias_1.astype(np.float32))
    return tf.cast(_shifted(total, layers.shift_1, layers.scales - 1), tf.int32)


def _shifted(total: tf.Tensor, shift: np.ndarray, most: int) -> tf.Tensor:
    power = tf.constant(np.exp2(-shift.astype(np.float64)), total.dtype)
    return tf.clip_by_value(tf.floor(total * power), tf.cast(0, total.dtype), tf.cast(most, total.dtype))


def _rounded(x: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.round(tf.clip_by_value(x, -_MOST_SYMBOL, _MOST_SYMBOL)), tf.int32)


def _gain_tables(model: StoredModel) -> dict[str, tf.Tensor]:
    steps = range(model.architecture.quality_steps)
    return {
        name: tf.constant(
            np.stack([at_quality(model.weights[f"gains/{name}"], step) for step in steps]), tf.float32
        )
        for name in ("y", "y_inverse", "z")
    }
