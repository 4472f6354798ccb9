"""NumPy arrays: ``.npy`` and ``.npz``. Axes are (lines, samples, bands) by default.

Metadata are in a JSON file beside a ``.npy`` file, and in the string ``bandpress`` within a ``.npz`` file.
"""

import json
from pathlib import Path

import numpy as np

from bandpress.errors import SceneError
from bandpress.facts import facts, with_facts
from bandpress.files import atomic_path
from bandpress.formats.arrays import CUBE, INFO, UNREADABLE, check_size, info_of, pick, scene_of
from bandpress.formats.raw import Interleave, as_stored, write_cube
from bandpress.formats.sidecar import complete, write_sidecar
from bandpress.scene import Scene


def read(path: Path, variable: str | None = None, interleave: Interleave | None = None) -> Scene:
    """Read an array; that of a ``.npy`` file is memory-mapped.

    Parameters
    ----------
    path
        The file.
    variable
        Name of the array in a ``.npz`` file; optional if only one is a cube.
    interleave
        Order of the axes. Default: (lines, samples, bands).

    Raises
    ------
    SceneError
        If there is no such array, or it is not a scene. Pickled objects are never loaded.
    """
    try:
        if path.suffix.lower() == ".npy":
            if variable is not None:
                raise SceneError(f"{path}: a .npy file holds one array; expected no variable")
            return complete(
                scene_of(path, np.load(path, mmap_mode="r", allow_pickle=False), interleave), path
            )
        with np.load(path, allow_pickle=False) as arrays:
            check_size(sum(member.file_size for member in arrays.zip.infolist()), path.stat().st_size)
            found = info_of(arrays[INFO], path) if INFO in arrays.files else None
            shapes = {key: arrays[key].shape for key in arrays.files if key != INFO or found is None}
            array = arrays[pick(path, variable, shapes)]
        return with_facts(scene_of(path, array, interleave), found or {}, path)
    except UNREADABLE as error:
        raise SceneError(f"{path}: cannot be read ({error}); expected an array of numbers") from None


def write(scene: Scene, path: Path, interleave: Interleave = "bip") -> Path:
    """Write a scene as an array with its axes in the given order."""
    stored = as_stored(scene.cube, interleave)
    with atomic_path(path) as part, open(part, "wb") as file:
        if path.suffix.lower() == ".npz":
            np.savez(file, **{CUBE: stored, INFO: np.array(json.dumps(facts(scene)))})  # type: ignore[arg-type]
            return path
        header = {
            "descr": np.lib.format.dtype_to_descr(stored.dtype),
            "fortran_order": False,
            "shape": stored.shape,
        }
        np.lib.format.write_array_header_1_0(file, header)
        write_cube(scene.cube, file, interleave)
        write_sidecar(scene, path)
    return path
