"""Conversion of arrays to scenes, shared by the NumPy, MATLAB, HDF5 and NetCDF readers."""

import tokenize
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bandpress.errors import SceneError
from bandpress.facts import parse
from bandpress.files import most_memory
from bandpress.formats.raw import Interleave
from bandpress.scene import Scene

#: Name of the cube in written files of formats with named arrays.
CUBE = "cube"
#: Name of the text with the metadata.
INFO = "bandpress"

#: Exceptions of libraries for damaged files or other formats.
UNREADABLE = (
    *(
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        EOFError,
        OSError,
        SyntaxError,
        MemoryError,
    ),
    *(tokenize.TokenError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OverflowError),
)

_AXES = {
    "bands": "band bands wavelength wavelengths wl lambda spectral channel channels wavenumber radiation_wavelength",
    "lines": "line lines y row rows lat latitude downtrack along_track alongtrack northing nrows ydim scan height v",
    "samples": "sample samples x col cols column columns lon longitude crosstrack across_track acrosstrack easting "
    "ncols xdim pixel pixels width u",
}
_AXIS = {name: axis for axis, names in _AXES.items() for name in names.split()}
#: Axes of an array in each order.
ORDERS = {
    "bsq": ("bands", "lines", "samples"),
    "bil": ("lines", "bands", "samples"),
    "bip": ("lines", "samples", "bands"),
}


def check_size(needed: int, held: int) -> None:
    """Check that bytes of samples are in proportion to the bytes of the file that they come from.

    Raises
    ------
    ValueError
        If the file, hostile or almost empty, claims more samples than its size justifies.
    """
    if needed > most_memory(held):
        raise ValueError(f"{held} bytes that stand for {needed} bytes of samples")


def pick(path: Path, variable: str | None, shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Return the name of the array to read: the requested one, or the only cube.

    A cube has three axes longer than one; if no array has, three axes; if no array has, two axes (one band).
    """
    ranked = [
        [key for key, shape in shapes.items() if sum(side > 1 for side in shape) == 3],
        [key for key, shape in shapes.items() if len(shape) == 3],
        [key for key, shape in shapes.items() if len(shape) == 2 and 1 not in shape],
        [key for key, shape in shapes.items() if len(shape) == 2],
    ]
    cubes = sorted(next(filter(None, ranked), []))
    wanted = None if variable is None else variable.strip("/")
    if wanted is None and len(cubes) == 1:
        return cubes[0]
    if wanted is not None and wanted in shapes and _is_cube(shapes[wanted]):
        return wanted
    axes = "two" if cubes and len(shapes[cubes[0]]) == 2 else "three"
    found = f"no array {variable!r} of {axes} axes" if variable else f"{len(cubes)} arrays of {axes} axes"
    known = ", ".join(f"{path.name}:{key}" for key in cubes) or "none"
    raise SceneError(f"{path}: {found}; expected one of {known}")


def scene_of(
    path: Path, array: np.ndarray, interleave: Interleave | None, names: Sequence[str] = ()
) -> Scene:
    """Return an array as a scene.

    Parameters
    ----------
    path
        The file.
    array
        Three axes, or two for one band (lines, samples); further axes are of length one.
    interleave
        Order of the axes given by the user.
    names
        Names of the axes in the file, ``""`` for none. Without names or `interleave`, axes are (lines, samples, bands).

    Raises
    ------
    SceneError
        If the array is not a cube of numbers, or the file's names of its axes are unknown and the user gives no order.
    """
    if not _is_cube(array.shape) or 0 in array.shape or array.dtype.kind not in "biuf":
        raise SceneError(
            f"{path}: an array of shape {array.shape} and type {array.dtype}; expected three axes of numbers"
        )
    axes = [_AXIS.get(name.strip().lower(), "") for name in names] or [""] * array.ndim
    kept = list(range(array.ndim))
    while len(kept) > 3:  # the first axis of length one, one without a known name if there is any
        kept.remove(min((i for i in kept if array.shape[i] == 1), key=lambda i: axes[i] != ""))
    array, axes = array.reshape([array.shape[i] for i in kept]), [axes[i] for i in kept]
    if len(kept) == 2:
        array, axes = array[:, :, None], [*(axes if all(axes) else ("lines", "samples")), "bands"]
    elif interleave is not None:
        axes = list(ORDERS[interleave])
    elif not any(name.strip() for name in names):
        axes = list(ORDERS["bip"])
    missing = [axis for axis in _AXES if axis not in axes]
    if len(missing) == 1 and axes.count("") == 1:
        axes[axes.index("")] = missing.pop()
    if missing:
        said = ", ".join(name or "?" for name in names)
        raise SceneError(
            f"{path}: axes named {said}, of a cube of {' x '.join(map(str, array.shape))}; expected names of bands, "
            "lines and samples, or their order (--input-interleave bsq, bil or bip)"
        )
    cube = array.transpose([axes.index(axis) for axis in _AXES])
    order = next((order for order, of in ORDERS.items() if list(of) == axes), "")
    return Scene(cube, name=path.stem, origin=f"{path.suffix.lower()} {order}".strip())


def info_of(text: object, path: Path) -> dict[str, Any] | None:
    """Return the scene metadata in a text that bandpress wrote to a file; None for other texts."""
    try:
        return parse(str(text), path)
    except SceneError:
        return None


def _is_cube(shape: tuple[int, ...]) -> bool:
    return len(shape) in (2, 3) or (len(shape) > 3 and sum(side > 1 for side in shape) <= 3)
