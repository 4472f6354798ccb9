"""MATLAB: one array of a ``.mat`` file, version 5 (scipy) or 7.3 (HDF5).

Axes are (lines, samples, bands) unless said otherwise. Written as version 5, the cube as ``cube`` and what is known of
the scene as JSON in ``bandpress``.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from bandpress.errors import SceneError
from bandpress.files import atomic_path
from bandpress.formats.npy import CUBE, INFO, pick
from bandpress.formats.optional import require
from bandpress.formats.raw import Interleave, as_cube, as_stored
from bandpress.formats.sidecar import facts, with_facts
from bandpress.scene import Scene


def read(path: Path, variable: str | None = None, interleave: Interleave = "bip") -> Scene:
    """Read an array.

    Parameters
    ----------
    path
        The file.
    variable
        Name of the array; can be left out if only one has three axes.
    interleave
        Order of the axes as MATLAB shows them.

    Raises
    ------
    SceneError
        If there is no such array, or the file is no MATLAB file.
    """
    with open(path, "rb") as file:
        is_hdf5 = file.read(128).startswith(b"MATLAB 7.3") or _is_hdf5(path)
    array, info = (_from_hdf5 if is_hdf5 else _from_version_5)(path, variable)
    if array.ndim != 3 or array.dtype.kind not in "biuf":
        raise SceneError(
            f"{path}: an array of shape {array.shape} and type {array.dtype}; expected three axes of numbers"
        )
    if isinstance(info, dict) and "dtype" in info:
        array = _as_written(array, info.pop("dtype"))
    return with_facts(Scene(as_cube(array, interleave), name=path.stem), info, path)


def write(scene: Scene, path: Path, interleave: Interleave = "bip") -> Path:
    """Write a scene as version 5, axes in the given order.

    Raises
    ------
    SceneError
        If it is too large for that version, which ends at 2 GiB.
    """
    from scipy.io import savemat

    if scene.cube.nbytes >= 1 << 31:
        raise SceneError(
            f"{path}: {scene.cube.nbytes} bytes; expected less than {1 << 31}, where MATLAB 5 files end"
        )
    native = as_stored(scene.cube, interleave).astype(scene.dtype.newbyteorder("="), copy=False)
    info = json.dumps({**facts(scene), "dtype": scene.dtype.str})
    with atomic_path(path) as part, open(part, "wb") as file:
        savemat(file, {CUBE: native, INFO: info})
    return path


def _from_version_5(path: Path, variable: str | None) -> tuple[np.ndarray, Any]:
    from scipy.io import loadmat, whosmat

    try:
        shapes = {
            name: shape
            for name, shape, kind in whosmat(path)
            if kind not in ("cell", "struct", "object", "char")
        }
        wanted = pick(path, variable, shapes)
        found = loadmat(path, variable_names=[wanted, INFO])
        return np.asarray(found[wanted]), json.loads(str(found[INFO][0])) if INFO in found else {}
    except SceneError:
        raise
    except Exception as error:  # scipy raises all kinds for damaged files
        raise SceneError(f"{path}: cannot be read ({error!r}); expected a MATLAB file") from None


def _from_hdf5(path: Path, variable: str | None) -> tuple[np.ndarray, Any]:
    h5py = require("h5py", path)
    try:
        with h5py.File(path, "r") as file:
            shapes = {key: item.shape for key, item in file.items() if isinstance(item, h5py.Dataset)}
            # MATLAB counts its axes from the fastest, HDF5 from the slowest.
            return file[pick(path, variable, shapes)][()].transpose(), {}
    except (OSError, RuntimeError, ValueError) as error:
        raise SceneError(f"{path}: cannot be read ({error}); expected a MATLAB 7.3 file") from None


def _is_hdf5(path: Path) -> bool:
    with open(path, "rb") as file:
        return any((file.seek(at), file.read(8))[1] == b"\x89HDF\r\n\x1a\n" for at in (0, 512))


def _as_written(array: np.ndarray, dtype: Any) -> np.ndarray:
    try:
        return array.astype(np.dtype(dtype), copy=False)
    except TypeError:
        return array
