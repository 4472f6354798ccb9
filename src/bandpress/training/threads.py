"""Limits on TensorFlow's threads."""

import tensorflow as tf


def set_threads(threads: int) -> None:
    """Limit the threads of an operation; call this before any computation.

    Raises
    ------
    RuntimeError
        If TensorFlow has started already.
    """
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def limit_threads(threads: int) -> None:
    """Limit the threads if TensorFlow has not started yet; otherwise do nothing."""
    try:
        set_threads(threads)
    except RuntimeError:
        return
