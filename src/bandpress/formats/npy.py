"""NumPy arrays: ``.npy`` and ``.npz``. Axes are (lines, samples, bands) unless said otherwise.

What is known of the bands is in a JSON file beside a ``.npy`` file, and in the string ``bandpress`` within a
``.npz`` file.
"""

import json
import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np

from bandpress.errors import SceneError
from bandpress.files import atomic_path
from bandpress.formats.raw import Interleave, as_cube, as_stored, write_cube
from bandpress.formats.sidecar import complete, facts, with_facts, write_sidecar
from bandpress.scene import Scene

#: Name under which a cube is written into formats that name their arrays.
CUBE = "cube"
#: Name of the text that says the rest.
INFO = "bandpress"

_KINDS = "biuf"
#: What numpy raises for files that are none, or damaged.
_UNREADABLE = (
    *(ValueError, TypeError, KeyError, EOFError, OSError, SyntaxError, MemoryError),
    *(tokenize.TokenError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError),
)


def read(path: Path, variable: str | None = None, interleave: Interleave = "bip") -> Scene:
    """Read an array; that of a ``.npy`` file is mapped into memory.

    Parameters
    ----------
    path
        The file.
    variable
        Name of the array in a ``.npz`` file; can be left out if only one has three axes.
    interleave
        Order of the axes.

    Raises
    ------
    SceneError
        If there is no such array, or it is no scene. Pickled objects are never loaded.
    """
    try:
        if path.suffix.lower() == ".npy":
            if variable is not None:
                raise SceneError(f"{path}: a .npy file holds one array; expected no variable")
            array = np.load(path, mmap_mode="r", allow_pickle=False)
            return complete(_scene(path, array, interleave), path)
        with np.load(path, allow_pickle=False) as arrays:
            array = arrays[pick(path, variable, {key: arrays[key].shape for key in _plain(path, arrays)})]
            found = json.loads(str(arrays[INFO])) if INFO in arrays.files else {}
        return with_facts(_scene(path, array, interleave), found, path)
    except _UNREADABLE as error:
        raise SceneError(f"{path}: cannot be read ({error}); expected an array of numbers") from None


def write(scene: Scene, path: Path, interleave: Interleave = "bip") -> Path:
    """Write a scene as an array whose axes are in the given order."""
    stored = as_stored(scene.cube, interleave)
    with atomic_path(path) as part:
        if path.suffix.lower() == ".npz":
            with open(part, "wb") as file:
                np.savez(file, **{CUBE: stored, INFO: np.array(json.dumps(facts(scene)))})  # type: ignore[arg-type]
            return path
        with open(part, "wb") as file:
            header = {
                "descr": np.lib.format.dtype_to_descr(stored.dtype),
                "fortran_order": False,
                "shape": stored.shape,
            }
            np.lib.format.write_array_header_1_0(file, header)
            write_cube(scene.cube, file, interleave)
        write_sidecar(scene, path)
    return path


def pick(path: Path, variable: str | None, shapes: dict[str, tuple[int, ...]]) -> str:
    """Return the name of the array to read: the one that is asked for, or the only one with three axes."""
    cubes = sorted(key for key, shape in shapes.items() if len(shape) == 3)
    if variable is None and len(cubes) == 1:
        return cubes[0]
    if variable in cubes:
        return variable
    found = f"no array {variable!r} of three axes" if variable else f"{len(cubes)} arrays of three axes"
    known = ", ".join(f"{path.name}:{key}" for key in cubes) or "none"
    raise SceneError(f"{path}: {found}; expected one of {known}")


def _plain(path: Path, arrays: np.lib.npyio.NpzFile) -> list[str]:
    return [key for key in arrays.files if key != INFO]


def _scene(path: Path, array: np.ndarray, interleave: str) -> Scene:
    if array.ndim != 3 or array.dtype.kind not in _KINDS:
        raise SceneError(
            f"{path}: an array of shape {array.shape} and type {array.dtype}; expected three axes of numbers"
        )
    return Scene(as_cube(array, interleave), name=path.stem)
