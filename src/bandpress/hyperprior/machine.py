"""Float32 matrix rate of this machine, the reference for reported speeds."""

import time

import tensorflow as tf

#: Side of the square matrices, and seconds of the measurement.
_SIDE, _SECONDS = 2048, 1.0


def matmul_rate() -> float:
    """Return the measured rate of float32 matrix products.

    Returns
    -------
    float
        Rate of the best run in GFLOP/s; a multiplication and an addition count as two operations.
    """
    a = tf.random.stateless_normal((_SIDE, _SIDE), (0, 0))
    multiply = tf.function(tf.matmul)
    multiply(a, a)
    best, started = float("inf"), time.perf_counter()
    while time.perf_counter() - started < _SECONDS:
        before = time.perf_counter()
        multiply(a, a).numpy()
        best = min(best, time.perf_counter() - before)
    return 2 * _SIDE**3 / best / 1e9
