"""Float32 matrix rate of this machine, the reference for reported speeds."""

import time

import tensorflow as tf


def matmul_rate(size: int = 2048, seconds: float = 1.0) -> float:
    """Return the measured rate of float32 matrix products.

    Parameters
    ----------
    size
        Side of the square matrices.
    seconds
        Duration of the measurement.

    Returns
    -------
    float
        Rate of the best run in GFLOP/s; a multiplication and an addition count as two operations.
    """
    a = tf.random.stateless_normal((size, size), (0, 0))
    multiply = tf.function(tf.matmul)
    multiply(a, a)
    best, started = float("inf"), time.perf_counter()
    while time.perf_counter() - started < seconds:
        before = time.perf_counter()
        multiply(a, a).numpy()
        best = min(best, time.perf_counter() - before)
    return 2 * size**3 / best / 1e9
