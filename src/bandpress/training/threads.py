"""Threads of TensorFlow."""

import tensorflow as tf


def set_threads(threads: int) -> None:
    """Limit the threads of one operation; must come before anything is computed.

    Raises
    ------
    RuntimeError
        If TensorFlow has started already.
    """
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def limit_threads(threads: int) -> None:
    """Do the same where it still can be done; a TensorFlow that is at work already keeps the threads that it has."""
    try:
        set_threads(threads)
    except RuntimeError:
        return
