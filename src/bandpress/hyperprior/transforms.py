"""The layers, as plain TensorFlow operations with explicit padding; equal to TFC's SignalConv2D and GDN.

Batches are (clusters, lines, samples, channels). ``down`` and ``up`` are ``SignalConv2D(padding="same_zeros")`` with
stride 2, down a correlation and up a convolution; ``gdn`` is ``tfc.GDN()`` with its defaults (exponents fixed to 1).
"""

import numpy as np
import tensorflow as tf


def down(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor | None, mirror: bool = False) -> tf.Tensor:
    """Correlate with a kernel of odd side and keep every second output: n samples become ceil(n / 2).

    The image is padded with zeros or mirrored.
    """
    if mirror:
        x = tf.pad(x, _padding(kernel), "SYMMETRIC")
    x = tf.nn.conv2d(x, kernel, strides=2, padding="VALID" if mirror else _padding(kernel))
    return x if bias is None else tf.nn.bias_add(x, bias)


def up(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, mirror: bool = False) -> tf.Tensor:
    """Put zeros between samples and convolve with a kernel of odd side: n samples become 2 n.

    The samples are padded with zeros or mirrored.
    """
    if mirror:
        x = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    shape = tf.shape(x)
    target = tf.stack([shape[0], 2 * shape[1], 2 * shape[2], kernel.shape[3]])
    flipped = tf.transpose(kernel, (0, 1, 3, 2))
    x = tf.nn.conv2d_transpose(x, flipped, target, strides=2, padding=_padding(kernel))
    if mirror:
        x = x[:, 2:-2, 2:-2]
    return tf.nn.bias_add(x, bias)


def up_by_phases(
    x: tf.Tensor, kernel: np.ndarray, bias: np.ndarray | None, mirror: bool = False
) -> tf.Tensor:
    """Compute `up` faster, for a kernel of side 5 known when the graph is made.

    Outputs at even and odd lines and samples use different taps: four correlations of 3 × 3, 3 × 2, 2 × 3 and 2 × 2
    taps, together the 25 products of each input without products with zeros. (The sub-pixel convolution of Shi et al.,
    CVPR 2016, pads all four to 3 × 3.)
    """
    shape = tf.shape(x)
    if mirror:
        x = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    rows = []
    for line in (0, 1):
        row = []
        for sample in (0, 1):
            taps = np.ascontiguousarray(kernel[line::2, sample::2][::-1, ::-1])
            padding = [[0, 0], [1 - line, 1], [1 - sample, 1], [0, 0]]
            phase = tf.nn.conv2d(
                x[:, line:, sample:] if mirror else x, taps, strides=1, padding="VALID" if mirror else padding
            )
            row.append(phase if bias is None else tf.nn.bias_add(phase, bias))
        rows.append(tf.stack(row, axis=3))
    target = tf.stack([shape[0], 2 * shape[1], 2 * shape[2], kernel.shape[3]])
    return tf.reshape(tf.stack(rows, axis=2), target)


def same(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """Correlate with a kernel of odd side, padding with zeros."""
    return tf.nn.bias_add(tf.nn.conv2d(x, kernel, strides=1, padding=_padding(kernel)), bias)


def gdn(x: tf.Tensor, beta: tf.Tensor, gamma: tf.Tensor) -> tf.Tensor:
    """Divide by beta + gamma^T |x|: generalised divisive normalisation (Ballé 2016), exponents 1."""
    return x / _pool(x, beta, gamma)


def inverse_gdn(x: tf.Tensor, beta: tf.Tensor, gamma: tf.Tensor) -> tf.Tensor:
    """Multiply by beta + gamma^T |x|."""
    return x * _pool(x, beta, gamma)


def _pool(x: tf.Tensor, beta: tf.Tensor, gamma: tf.Tensor) -> tf.Tensor:
    return tf.nn.bias_add(tf.nn.conv2d(tf.abs(x), gamma[None, None], strides=1, padding="VALID"), beta)


def _padding(kernel: tf.Tensor) -> list[list[int]]:
    rows, columns = kernel.shape[0] // 2, kernel.shape[1] // 2
    return [[0, 0], [rows, rows], [columns, columns], [0, 0]]
