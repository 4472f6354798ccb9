"""MATLAB: one array of a ``.mat`` file, version 5 or 7.3 (HDF5).

Axes are (lines, samples, bands) by default; a matrix is one band. Written as version 5, with the cube as ``cube`` and
the metadata as JSON in ``bandpress``.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from bandpress.errors import SceneError
from bandpress.facts import facts, with_facts
from bandpress.files import atomic_path
from bandpress.formats import hdf5_facts, mat5
from bandpress.formats.arrays import CUBE, INFO, UNREADABLE, info_of, pick, scene_of
from bandpress.formats.raw import Interleave, as_stored
from bandpress.formats.trial import try_out
from bandpress.optional import require
from bandpress.scene import Scene


def read(path: Path, variable: str | None = None, interleave: Interleave | None = None) -> Scene:
    """Read an array; an uncompressed one of version 5 is memory-mapped.

    Parameters
    ----------
    path
        The file.
    variable
        Name of the array, ``structure/field`` for one in a structure; optional if only one is a cube.
    interleave
        Order of the axes as MATLAB shows them. Default: (lines, samples, bands).

    Raises
    ------
    SceneError
        If there is no such array, or it is not a MATLAB file.
    """
    try:
        array, info = (_from_hdf5 if _is_hdf5(path) else _from_version_5)(path, variable)
    except UNREADABLE as error:
        raise SceneError(
            f"{path}: cannot be read ({error}); expected a MATLAB file, version 5 or 7.3"
        ) from None
    dtype = info.get("dtype")
    if isinstance(dtype, str) and array.dtype.newbyteorder("=") == _type(dtype, array.dtype).newbyteorder(
        "="
    ):
        array = array.astype(_type(dtype, array.dtype), copy=False)
    return with_facts(scene_of(path, array, interleave), info, path)


def write(scene: Scene, path: Path, interleave: Interleave = "bip") -> Path:
    """Write a scene as version 5, axes in the given order.

    Raises
    ------
    SceneError
        If it exceeds 2 GiB, the limit of version 5.
    """
    from scipy.io import savemat

    if scene.cube.nbytes >= 1 << 31:
        raise SceneError(
            f"{path}: {scene.cube.nbytes} bytes; expected less than {1 << 31}, the limit of MATLAB 5 files"
        )
    native = as_stored(scene.cube, interleave).astype(scene.dtype.newbyteorder("="), copy=False)
    info = json.dumps({**facts(scene), "dtype": scene.dtype.str})
    with atomic_path(path) as part, open(part, "wb") as file:
        savemat(file, {CUBE: native, INFO: info})
    return path


def _from_version_5(path: Path, variable: str | None) -> tuple[np.ndarray, dict[str, Any]]:
    found = {one.name: one for one in mat5.variables(path)}
    numbers = {name: one.shape for name, one in found.items() if one.numeric}
    info = info_of(found[INFO].text(), path) if INFO in found and found[INFO].is_text else None
    return found[pick(path, variable, numbers)].array(), info or {}


def _from_hdf5(path: Path, variable: str | None) -> tuple[np.ndarray, dict[str, Any]]:
    h5py = require("h5py", path)
    try_out(path, lambda: _array_of_hdf5(h5py, path, variable), h5py._objects.phil)
    return _array_of_hdf5(h5py, path, variable), {}


def _array_of_hdf5(h5py: Any, path: Path, variable: str | None) -> np.ndarray:
    with h5py.File(path, "r") as file:
        shapes: dict[str, tuple[int, ...]] = {}

        def see(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset) and item.dtype.kind in "biuf" and not name.startswith("#"):
                shapes[name] = item.shape

        file.visititems(see)
        # MATLAB counts its axes from the fastest, HDF5 from the slowest.
        return hdf5_facts.values(file[pick(path, variable, shapes)]).transpose()


def _is_hdf5(path: Path) -> bool:
    with open(path, "rb") as file:
        start = file.read(520)
    return start.startswith(b"MATLAB 7.3") or b"\x89HDF\r\n\x1a\n" in (start[:8], start[512:520])


def _type(text: str, otherwise: np.dtype) -> np.dtype:
    try:
        return np.dtype(text)
    except (TypeError, ValueError, SyntaxError):
        return otherwise
