"""The scene as codecs see it: contiguous, native byte order, integers of at most 16 bits, no-data samples filled.

Scenes come in any memory layout and byte order, as memory maps larger than memory, with no-data samples, as
floating-point numbers. This module handles all of that, so that codecs need not.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np

from bandpress.errors import CodecError
from bandpress.nodata.mask import NoDataMask
from bandpress.nodata.samples import filled
from bandpress.scaling import Scaling
from bandpress.scene import CODABLE, Scene

#: Largest cube, in bytes, to convert as a whole; parts of larger ones are converted on access.
_WHOLE = 1 << 30
#: Reach of the fill of no-data samples, see `bandpress.nodata.samples.filled`.
_HALVINGS, _LOSSLESS_HALVINGS = 2, 1


class PreparedCube:
    """Lazy cube: its parts are converted on access to contiguous arrays in native byte order.

    It replaces the array of a scene: it has an array's shape, type and indexing.

    Parameters
    ----------
    cube
        Samples in any layout and byte order, shape (bands, lines, samples).
    dtype
        Type of the converted samples.
    prepared
        Returns a converted band, given its number and its samples. Default: only the layout changes.
    """

    ndim = 3

    def __init__(
        self,
        cube: np.ndarray,
        dtype: np.dtype,
        prepared: Callable[[int, np.ndarray], np.ndarray] | None = None,
    ):
        self._cube, self._prepared = cube, prepared
        self.shape, self.size = cube.shape, cube.size
        self.dtype = dtype.newbyteorder("=")

    def __len__(self) -> int:
        return len(self._cube)

    def __getitem__(self, key: Any) -> np.ndarray:
        if self._prepared is None:
            return np.ascontiguousarray(self._cube[key], dtype=self.dtype)
        bands, *rest = key if isinstance(key, tuple) else (key,)
        numbers = np.arange(len(self))[bands]
        if not numbers.ndim:
            return np.ascontiguousarray(self._made(int(numbers))[*rest])
        out = np.empty((len(numbers), *self.shape[1:]), self.dtype)
        for place, number in enumerate(numbers.tolist()):
            out[place] = self._made(number)
        return np.ascontiguousarray(out[:, *rest])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype=dtype)

    def _made(self, number: int) -> np.ndarray:
        assert self._prepared is not None
        return self._prepared(number, self._cube[number])


def prepare(scene: Scene, scaling: Scaling | None = None, *, lossless: bool = False) -> Scene:
    """Return a scene in the form that codecs accept.

    Parameters
    ----------
    scene
        Scene as read.
    scaling
        Scaling of its samples to integers; required if their type is not in `bandpress.scene.CODABLE`.
    lossless
        Whether valid samples will be decoded exactly.

    Returns
    -------
    Scene
        Its cube has contiguous parts in native byte order and filled no-data samples; `nodata_mask` and `scaling`
        record the changes.

    Raises
    ------
    CodecError
        If the samples cannot be coded as given, or as scaled.
    """
    cube = scene.cube
    if scaling is None and scene.dtype.name not in CODABLE:
        raise CodecError(
            f"scene {scene.name}: samples are {scene.dtype.name}; expected one of {', '.join(CODABLE)}, or --scale "
            "(and --offset) to code them as 16-bit integers"
        )
    dtype = scene.dtype if scaling is None else scaling.coded_type(scene.name, iter(cube), scene.nodata)
    mask = NoDataMask.find(iter(cube), scene.nodata, scene.dtype)
    if mask is not None and lossless and scaling is None and not mask.samples:
        mask = None
    halvings = _LOSSLESS_HALVINGS if lossless else _HALVINGS

    def prepared(number: int, band: np.ndarray) -> np.ndarray:
        plane = None if mask is None else mask.plane(number)
        if scaling is not None:
            shown = band if plane is None else np.where(plane, scaling.samples(np.zeros(())), band)
            band = scaling.integers(shown)
            if not scaling.kept(shown, band):
                raise CodecError(
                    f"scene {scene.name}: band {number + 1} has samples that lose digits in {scaling.dtype} "
                    f"with an offset of {scaling.offset:g}; expected a smaller offset"
                )
        return band.astype(dtype) if plane is None else filled(band.astype(dtype), plane, halvings)

    changed = scaling is not None or (mask is not None and mask.samples > 0)
    made = native(cube) if not changed else _held(PreparedCube(cube, dtype, prepared))
    return replace(scene, cube=made, nodata_mask=mask, scaling=scaling)


def native(cube: np.ndarray) -> np.ndarray:
    """Return a cube whose parts are contiguous and in native byte order.

    Parameters
    ----------
    cube
        Samples in any layout and byte order, memory maps included, shape (bands, lines, samples).

    Returns
    -------
    numpy.ndarray
        The cube itself if it already is; else a copy, or a `PreparedCube` if it is large.
    """
    if cube.flags.c_contiguous and cube.dtype.isnative:
        return cube
    return _held(PreparedCube(cube, cube.dtype))


def _held(cube: PreparedCube) -> np.ndarray:
    small = cube.size * cube.dtype.itemsize <= _WHOLE
    return cube[:] if small else cast(np.ndarray, cube)
