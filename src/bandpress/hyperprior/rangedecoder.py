"""Compiled decoder of TFC's range coder, with the same integers as TFC's own decoder for any bytes.

TFC's decoder trusts its input: an escape whose code never ends keeps it busy for ever. Here an escape has at most 32
bits, unread bytes are an error, and the number of integers bounds the work. No TensorFlow.
"""

from collections.abc import Sequence

import numpy as np

from bandpress.compiled import helper, kernel
from bandpress.errors import BitstreamError

#: Indexes of the state: start of the interval, its size minus 1, the window into the string, the bytes read.
_BASE, _SIZE, _VALUE, _AT = range(4)
_ALL = 0xFFFFFFFF
#: Most bits of an escaped integer.
_MOST_BITS = 31
#: Type of read-only arrays.
_GIVEN = "Array({}, 1, 'C', readonly=True)"


class Tables:
    """Range coder tables, prepared for decoding.

    Parameters
    ----------
    cdf
        Concatenated, checked tables, see `bandpress.hyperprior.tables.build_tables`.
    """

    def __init__(self, cdf: np.ndarray):
        self._cdf = np.ascontiguousarray(cdf, np.int64)
        starts = np.flatnonzero(self._cdf < 0)
        self._bounds = np.append(starts, len(self._cdf))

    def decode(self, string: bytes, indexes: np.ndarray) -> np.ndarray:
        """Decode one integer per table index.

        Parameters
        ----------
        string
            Output of an encoder.
        indexes
            Table of each integer, int32, any shape.

        Returns
        -------
        numpy.ndarray
            Same shape, int32, counted from the start of each table.

        Raises
        ------
        BitstreamError
            If the string holds an escape that no encoder writes, or bytes after the last integer.
        """
        found = np.empty(indexes.size, np.int32)
        flat = np.ascontiguousarray(indexes, np.int32).reshape(-1)
        read = _decode(
            np.frombuffer(string, np.uint8), self._cdf, self._bounds, flat, found, np.zeros(4, np.int64)
        )
        if read < len(string):
            raise BitstreamError(
                f"the range coder's string of {len(string)} bytes does not end where its integers do; "
                f"expected {len(found)} of them"
            )
        return found.reshape(indexes.shape)

    def decode_all(self, strings: Sequence[bytes], indexes: np.ndarray) -> np.ndarray:
        """Decode a batch of strings; `indexes` and the result have shape (strings, …)."""
        return np.stack([self.decode(*pair) for pair in zip(strings, indexes, strict=True)])


@helper
def _shift(state, data):
    """Shift two more bytes into the window; zeros follow the string."""
    at = state[_AT]
    high = np.int64(data[at]) if at < len(data) else 0
    low = np.int64(data[at + 1]) if at + 1 < len(data) else 0
    state[_VALUE] = (state[_VALUE] << 16 | high << 8 | low) & _ALL
    state[_AT] = at + 2


@helper
def _narrow(state, data, low, high):
    """Narrow the interval to a part of it."""
    state[_BASE] = (state[_BASE] + low) & _ALL
    state[_SIZE] = high - 1 - low
    if state[_SIZE] >> 16 == 0:
        state[_BASE] = state[_BASE] << 16 & _ALL
        state[_SIZE] = state[_SIZE] << 16 | 0xFFFF
        _shift(state, data)


@helper
def _symbol(state, data, cdf, first, stop, precision):
    """Decode a symbol with the cumulative frequencies `cdf[first:stop]`."""
    size = state[_SIZE] + 1
    place = ((((state[_VALUE] - state[_BASE]) & _ALL) + 1) << precision) - 1
    low, high = first, stop - 1
    while high - low > 1:
        middle = (low + high) >> 1
        if size * cdf[middle] > place:
            high = middle
        else:
            low = middle
    _narrow(state, data, size * cdf[low] >> precision, size * cdf[high] >> precision)
    return low - first


@helper
def _bit(state, data):
    """Decode a bit of probability one half."""
    size = state[_SIZE] + 1
    half = size >> 1
    one = ((state[_VALUE] - state[_BASE]) & _ALL) >= half
    _narrow(state, data, half if one else 0, size if one else half)
    return np.int64(one)


@kernel(
    f"int64({_GIVEN.format('uint8')}, int64[::1], int64[::1], {_GIVEN.format('int32')}, int32[::1], int64[::1])"
)
def _decode(data, cdf, bounds, indexes, out, state):
    """Decode all of `out`; return the bytes read, -1 for an escape that is too long."""
    state[_SIZE] = _ALL
    _shift(state, data)
    _shift(state, data)
    for i in range(len(out)):
        start, stop = bounds[indexes[i]], bounds[indexes[i] + 1]
        value = _symbol(state, data, cdf, start + 1, stop, -cdf[start])
        escape = stop - start - 3
        if value == escape:
            bits = 0
            while not _bit(state, data):
                bits += 1
                if bits > _MOST_BITS:
                    return -1
            gamma = 1
            for _ in range(bits):
                gamma = gamma << 1 | _bit(state, data)
            value = -gamma if _bit(state, data) else gamma + escape - 1
            if value > 0x3FFFFFFF or value < -0x3FFFFFFF:
                return -1
        out[i] = value
    return state[_AT]
