"""Exact convolutions of small integers with the processor's 8-bit instructions, where these are exact.

Processors with VNNI or AMX add up products of 8 bits in 32, which is exact. Older ones add two products in 16 bits
first and saturate, and TensorFlow uses their instructions just the same: so it is tried out, once a process, with
numbers that would saturate.
"""

import functools

import numpy as np
import tensorflow as tf

from bandpress.model.processor import has_int8

_HALF = 1 << 7


def same(x: tf.Tensor, kernel: np.ndarray) -> tf.Tensor:
    """Correlate, zeros around, stride 1; for graphs.

    Parameters
    ----------
    x
        0 to 255, shape (clusters, lines, samples, channels), any type.
    kernel
        -256 to 255, shape (side, side, channels, channels out), integers. If it takes more than 8 bits its halves
        and its last bits are convolved apart.

    Returns
    -------
    tensorflow.Tensor
        Sums, int32.
    """
    whole = kernel.min() >= -_HALF and kernel.max() < _HALF
    parts = kernel if whole else np.concatenate([kernel >> 1, kernel & 1], axis=-1)
    result = tf.raw_ops.QuantizedConv2D(
        input=tf.bitcast(tf.cast(x, tf.uint8), tf.quint8),
        filter=tf.bitcast(tf.constant(parts.astype(np.int8)), tf.qint8),
        min_input=0.0,
        max_input=255.0,
        min_filter=-128.0,
        max_filter=127.0,
        strides=[1, 1, 1, 1],
        padding="SAME",
        out_type=tf.qint32,
    )
    sums = tf.bitcast(result.output, tf.int32)
    if whole:
        return sums
    halves, bits = tf.split(sums, 2, axis=-1)
    return 2 * halves + bits


def fits(kernel: np.ndarray) -> bool:
    """Tell whether `same` takes a kernel."""
    return bool(kernel.min() >= -2 * _HALF and kernel.max() < 2 * _HALF)


@functools.cache
def exact() -> bool:
    """Tell whether `same` is worth using here, and gives what integers give."""
    if not has_int8():
        return False
    random = np.random.default_rng(0)
    x = random.choice([0, 254, 255, 255], (2, 4, 5, 64))
    kernel = random.choice([-256, -255, -1, 254, 255, 255], (3, 3, 64, 64))
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    expected = sum(padded[:, u : u + 4, v : v + 5] @ kernel[u, v] for u in range(3) for v in range(3))
    try:
        with tf.init_scope():  # may be asked while a graph is made
            found = tf.function(lambda images: same(images, kernel))(tf.constant(x, tf.float32)).numpy()
    except tf.errors.OpError:
        return False
    return np.array_equal(found, expected)
