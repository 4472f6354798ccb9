"""The cube as codecs see it: contiguous and in native byte order, whatever layout a scene came in."""

from typing import Any, cast

import numpy as np

#: Bytes of a cube up to which it is laid out anew as a whole; parts of a larger one are, when they are taken.
_WHOLE = 1 << 30


class NativeCube:
    """A large cube whose parts come contiguous and in native byte order: made when they are taken.

    Stands in a scene where an array would: it has the shape of one, and is indexed like one.

    Parameters
    ----------
    cube
        Samples in any layout and byte order, shape (bands, lines, samples).
    """

    ndim = 3

    def __init__(self, cube: np.ndarray):
        self._cube = cube
        self.shape, self.size = cube.shape, cube.size
        self.dtype = cube.dtype.newbyteorder("=")

    def __len__(self) -> int:
        return len(self._cube)

    def __getitem__(self, key: Any) -> np.ndarray:
        return _laid_out(self._cube[key])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(_laid_out(self._cube), dtype=dtype)


def native(cube: np.ndarray) -> np.ndarray:
    """Return a cube whose parts are contiguous and in native byte order.

    Parameters
    ----------
    cube
        Samples in any layout and byte order, memory maps included, shape (bands, lines, samples).

    Returns
    -------
    numpy.ndarray
        The cube itself where it is so already; else a copy, or a `NativeCube` if it is large.
    """
    if cube.flags.c_contiguous and cube.dtype.isnative:
        return cube
    if cube.nbytes <= _WHOLE:
        return _laid_out(cube)
    return cast(np.ndarray, NativeCube(cube))


def _laid_out(part: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(part, dtype=part.dtype.newbyteorder("="))
