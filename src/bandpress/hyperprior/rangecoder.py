"""Range coding of integers with a model's tables: TFC's encoder, and a decoder of our own."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
import tensorflow_compression as tfc  # noqa: F401 - registers the operations
from tensorflow_compression.python.ops import gen_ops

from bandpress.hyperprior.rangedecoder import Tables


class RangeCoder:
    """Coder of integer arrays with tables, one byte string per cluster.

    Parameters
    ----------
    cdf
        Concatenated tables, see `bandpress.hyperprior.tables.build_tables`; int32.
    offset
        First integer of each table, int32.
    """

    def __init__(self, cdf: np.ndarray, offset: np.ndarray):
        self._cdf = tf.constant(cdf, tf.int32)
        self._offset = np.asarray(offset, np.int32)
        self._tables = Tables(cdf)

    def encode(self, values: np.ndarray, indexes: np.ndarray | None = None) -> list[bytes]:
        """Code integers.

        Parameters
        ----------
        values
            Shape (clusters, lines, samples, channels), int32.
        indexes
            Table of each integer, same shape, int32; None: the table of its channel.
        """
        handle = gen_ops.create_range_encoder([len(values)], self._cdf)
        if indexes is None:
            handle = gen_ops.entropy_encode_channel(handle, values - self._offset)
        else:
            handle = gen_ops.entropy_encode_index(handle, indexes, values - self._offset[indexes])
        return gen_ops.entropy_encode_finalize(handle).numpy().tolist()

    def decode(
        self, strings: Sequence[bytes], shape: tuple[int, int, int], indexes: np.ndarray | None = None
    ) -> np.ndarray:
        """Decode integers.

        Parameters
        ----------
        strings
            One per cluster.
        shape
            Lines, samples, channels.
        indexes
            As for `encode`, shape (clusters, *shape).

        Returns
        -------
        numpy.ndarray
            Shape (clusters, *shape), int32.

        Raises
        ------
        BitstreamError
            See `bandpress.hyperprior.rangedecoder.Tables.decode`.
        """
        if indexes is None:
            channels = np.arange(shape[2], dtype=np.int32)
            return (
                self._tables.decode_all(strings, np.broadcast_to(channels, (len(strings), *shape)))
                + self._offset
            )
        return self._tables.decode_all(strings, indexes) + self._offset[indexes]
