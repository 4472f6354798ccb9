"""Reading and writing scenes: one module a format, one registry."""

import re
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from bandpress.errors import SceneError
from bandpress.formats.raw import Interleave
from bandpress.scene import Scene


class Format(NamedTuple):
    """A file format.

    Parameters
    ----------
    module
        Name of the module below ``bandpress.formats``; it has ``read(path, …) -> Scene`` and, if it can write,
        ``write(scene, path, …) -> Path``.
    suffixes
        File name endings, lower case.
    arrays
        The format holds named arrays and does not say which axis is which: ``read`` takes the name of the array
        (or None) and its order of axes.
    interleaves
        ``write`` takes an order of axes.
    writes
        Files with these endings are written in this format.
    """

    module: str
    suffixes: tuple[str, ...]
    arrays: bool = False
    interleaves: bool = False
    writes: bool = True


#: Of several formats with one ending, the first whose ``claims(path)`` is true is taken, else the first.
FORMATS = (
    Format("gici", (".raw",)),
    Format("ccsds", (".raw",)),
    Format("envi", (".raw",), writes=False),
    Format("envi", (".hdr", ".img", ".dat", ".bin", ".bsq", ".bil", ".bip", ".hyspex"), interleaves=True),
    Format("matlab", (".mat",), arrays=True, interleaves=True),
    Format("npy", (".npy", ".npz"), arrays=True, interleaves=True),
    Format("geotiff", (".tif", ".tiff")),
    Format("hdf5", (".h5", ".hdf5", ".he5", ".nc"), arrays=True),
)

#: Endings of scenes' names.
SUFFIXES = tuple(sorted({suffix for entry in FORMATS for suffix in entry.suffixes}))

_VARIABLE = re.compile(r"(?P<path>.+\.(?:mat|npz|h5|hdf5|he5|nc)):(?P<variable>[^:]+)", re.IGNORECASE)


def is_scene(path: Path) -> bool:
    """Say whether a file is of a known format, by its name."""
    return path.name.lower().endswith(SUFFIXES) and not path.name.startswith(".")


def one_each(paths: Iterable[Path]) -> list[Path]:
    """Leave out the data files whose ENVI headers are among the paths: one file a scene."""
    known = list(paths)
    headers = {path for path in known if path.suffix.lower() == ".hdr"}
    return [
        path
        for path in known
        if path in headers
        or headers.isdisjoint((path.with_suffix(".hdr"), path.with_name(path.name + ".hdr")))
    ]


def read_scene(path: str | Path, *, interleave: Interleave | None = None) -> Scene:
    """Read a scene; its format is told by its name.

    Parameters
    ----------
    path
        A file of one of the known formats; ``file.mat:variable`` picks one of several arrays.
    interleave
        Order of the axes in formats that do not say it (NumPy, MATLAB, plain HDF5): ``"bsq"`` for (bands, lines,
        samples), ``"bil"`` for (lines, bands, samples), ``"bip"`` for (lines, samples, bands). Default: ``"bip"``.

    Returns
    -------
    Scene
        With a memory-mapped cube where the format allows it.

    Raises
    ------
    SceneError
        If the file does not exist, is empty of samples, or is not what its name says.
    MissingDependencyError
        If the format needs a package that is not installed.
    """
    file, variable = split_variable(path)
    entry = _format(file)
    if not file.exists():
        raise SceneError(f"{file}: no such file")
    if not file.is_file():
        raise SceneError(f"{file}: not a file; expected a scene")
    if not entry.arrays:
        if variable is not None or interleave is not None:
            raise SceneError(
                f"{path}: {entry.module} files hold one scene and say the order of its axes; "
                "expected no variable and no interleave"
            )
        return _module(entry).read(file)
    return _module(entry).read(file, variable, interleave or "bip")


def write_scene(scene: Scene, path: str | Path, *, interleave: Interleave | None = None) -> Path:
    """Write a scene, whole or not at all; the format is told by the suffix.

    Parameters
    ----------
    scene
        What to write.
    path
        File to make or replace. Formats whose names hold the geometry complete the name.
    interleave
        Order of the samples in formats that leave a choice (ENVI, NumPy, MATLAB). Default: that of the format.

    Returns
    -------
    pathlib.Path
        The file that was written.

    Raises
    ------
    SceneError
        If the format cannot hold the scene.
    MissingDependencyError
        If the format needs a package that is not installed.
    """
    file, variable = split_variable(path)
    entry = _format(file, writing=True)
    module = _module(entry)
    if not hasattr(module, "write"):
        raise SceneError(f"{file}: {entry.module} files can be read but not written")
    if variable is not None:
        raise SceneError(f"{path}: a variable was named; expected the name of a file to write")
    if interleave is not None:
        if not entry.interleaves:
            raise SceneError(f"{file}: {entry.module} files have one order of axes; expected no interleave")
        return module.write(scene, file, interleave)
    return module.write(scene, file)


def split_variable(path: str | Path) -> tuple[Path, str | None]:
    """Split ``file.mat:variable`` into file and variable; other paths have no variable."""
    match = _VARIABLE.fullmatch(str(path))
    if match is None or Path(path).exists():
        return Path(path), None
    return Path(match["path"]), match["variable"]


def _format(path: Path, writing: bool = False) -> Format:
    entries = [entry for entry in FORMATS if path.name.lower().endswith(entry.suffixes)]
    entries = [entry for entry in entries if entry.writes or not writing]
    if not entries:
        raise SceneError(
            f"{path}: the suffix {path.suffix!r} is not known; expected one of {', '.join(SUFFIXES)}"
        )
    return next((entry for entry in entries if _claims(entry, path)), entries[0])


def _claims(entry: Format, path: Path) -> bool:
    module = _module(entry)
    return not hasattr(module, "claims") or module.claims(path)


def _module(entry: Format) -> ModuleType:
    return import_module(f"bandpress.formats.{entry.module}")
