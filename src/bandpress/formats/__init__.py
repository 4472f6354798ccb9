"""Reading and writing of scenes: a registry of formats, one module per format."""

import math
import re
import warnings
from collections.abc import Iterable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from bandpress.errors import SceneError, SceneWarning
from bandpress.formats import envi_pair
from bandpress.formats.raw import AXES, Interleave
from bandpress.formats.sidecar import sidecar
from bandpress.scene import Scene


class Format(NamedTuple):
    """A file format.

    Parameters
    ----------
    module
        Name of the module below ``bandpress.formats``; it has ``read(path, …) -> Scene`` and, if it can write,
        ``write(scene, path, …) -> Path``. Optional: ``claims(path)``; ``name_of(path)``, if the scene's name is not
        that of the file without suffix; ``sources(path)`` and ``outputs(scene, path)``, if there are files other than
        one and its sidecar.
    suffixes
        File name endings, lower case.
    arrays
        The format holds named arrays and may not name their axes: ``read`` takes the array's name and its order of
        axes, or None.
    interleaves
        ``write`` takes an order of axes.
    writes
        File name endings that are written in this format.
    sidecar
        Metadata are in a JSON file beside the scene.
    """

    module: str
    suffixes: tuple[str, ...]
    arrays: bool = False
    interleaves: bool = False
    writes: bool = True
    sidecar: bool = False


#: Among formats with the same ending, the first whose ``claims(path)`` is true counts, else the first.
FORMATS = (
    Format("gici", (".raw",), sidecar=True),
    Format("ccsds", (".raw",), sidecar=True),
    Format("envi", (".raw",), writes=False),
    Format("envi", (".hdr", ".img", ".dat", ".bin", ".bsq", ".bil", ".bip", ".hyspex"), interleaves=True),
    Format("matlab", (".mat",), arrays=True, interleaves=True),
    Format("npy", (".npy", ".npz"), arrays=True, interleaves=True, sidecar=True),
    Format("geotiff", (".tif", ".tiff")),
    Format("hdf5", (".h5", ".hdf5", ".he5", ".nc"), arrays=True, interleaves=True),
)
_ENVI = next(entry for entry in FORMATS if entry.module == "envi" and entry.writes)

#: Endings of scene files.
SUFFIXES = tuple(sorted({suffix for entry in FORMATS for suffix in entry.suffixes}))

_VARIABLE = re.compile(r"(?P<path>.+\.(?:mat|npz|h5|hdf5|he5|nc)):(?P<variable>[^:]+)", re.IGNORECASE)


def is_scene(path: Path) -> bool:
    """Say whether a file name belongs to a known format."""
    return path.name.lower().endswith(SUFFIXES) and not path.name.startswith(".")


def one_each(paths: Iterable[Path]) -> list[Path]:
    """Return one file per scene: drop ENVI data files with a header among the paths, and headers without data.

    A header without data stays if no other file of its name is among the paths, so that reading it reports the missing
    file.
    """
    known = list(dict.fromkeys(paths))
    headers = [path for path in known if envi_pair.is_header(path)]
    described = {data for header in headers for data in envi_pair.data_files(header)}
    stems = {path.with_suffix("") for path in known if path not in described and path not in headers}
    idle = {header for header in headers if not envi_pair.data_files(header)}
    return [
        path
        for path in known
        if path not in described
        and not (
            path in idle
            and not stems.isdisjoint((path.with_suffix(""), path.with_suffix("").with_suffix("")))
        )
    ]


def scenes_in(folder: Path) -> list[Path]:
    """Return the scenes in a folder, one file each, in order of name.

    Raises
    ------
    SceneError
        If there are none.
    """
    found = one_each(sorted(path for path in folder.iterdir() if path.is_file() and is_scene(path)))
    if not found:
        raise SceneError(f"{folder}: holds no scene; expected files ending in {', '.join(SUFFIXES)}")
    return found


def read_scene(path: str | Path, *, interleave: Interleave | None = None) -> Scene:
    """Read a scene; its suffix, or an ENVI header beside it, determines the format.

    Parameters
    ----------
    path
        A file of one of the known formats; ``file.mat:variable`` picks one of several arrays.
    interleave
        Order of the axes, for files that do not state it (NumPy, MATLAB, plain HDF5): ``"bsq"`` for (bands, lines,
        samples), ``"bil"`` for (lines, bands, samples), ``"bip"`` for (lines, samples, bands). Default: ``"bip"``.

    Returns
    -------
    Scene
        With a memory-mapped cube where the format allows it.

    Raises
    ------
    SceneError
        If the file does not exist, holds no samples, or is not of the format of its name.
    MissingDependencyError
        If the format needs a package that is not installed.
    """
    file, variable = split_variable(path)
    entry = _format(file)
    if not file.exists():
        raise SceneError(f"{file}: no such file")
    if not file.is_file():
        raise SceneError(f"{file}: not a file; expected a scene")
    if entry.arrays:
        return _checked(_module(entry).read(file, variable, interleave), file)
    if variable is not None or interleave is not None:
        raise SceneError(
            f"{path}: {entry.module} files hold one scene and say the order of its axes; "
            "expected no variable and no interleave"
        )
    return _checked(_module(entry).read(file), file)


def write_scene(scene: Scene, path: str | Path, *, interleave: Interleave | None = None) -> Path:
    """Write a scene atomically; the suffix determines the format.

    Parameters
    ----------
    scene
        The scene.
    path
        File to make or replace, with its companion files, see `output_files`. Formats with the geometry in the name
        complete it.
    interleave
        Order of the samples, for formats that allow several (ENVI, NumPy, MATLAB). Default: that of the format.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    SceneError
        If the format cannot hold the scene.
    MissingDependencyError
        If the format needs a package that is not installed.
    """
    file = Path(path)
    entry = _writer(file, interleave)
    if interleave is not None:
        return _module(entry).write(scene, file, interleave)
    return _module(entry).write(scene, file)


def scene_name(path: str | Path) -> str:
    """Return the name of the scene in a file, without reading it."""
    file, _ = split_variable(path)
    module = _module(_format(file))
    return module.name_of(file) if hasattr(module, "name_of") else file.stem


def input_files(path: str | Path) -> list[Path]:
    """Return every file that `read_scene` reads for a scene: data, header, sidecar."""
    file, _ = split_variable(path)
    entry = _format(file)
    module = _module(entry)
    if hasattr(module, "sources"):
        return module.sources(file)
    return [file, sidecar(file)] if entry.sidecar else [file]


def output_files(scene: Scene, path: str | Path, interleave: Interleave | None = None) -> list[Path]:
    """Return every file that `write_scene` writes, removes or replaces; the first one is its result.

    Raises
    ------
    SceneError
        If no format writes this name.
    """
    file = Path(path)
    entry = _writer(file, interleave)
    module = _module(entry)
    if hasattr(module, "outputs"):
        return module.outputs(scene, file)
    return [file, sidecar(file)] if entry.sidecar else [file]


def file_name(scene: Scene) -> str:
    """Return a file name for a scene in its original format.

    Scenes of unknown origin, or of formats that are only read, become GICI raw.
    """
    from bandpress.formats import ccsds, gici

    suffix, _, kind = (scene.origin or "").partition(" ")
    if kind == "ccsds":
        return ccsds.file_name(scene)
    entry = next((entry for entry in FORMATS if suffix in entry.suffixes and suffix != ".raw"), None)
    if entry is None or not hasattr(_module(entry), "write"):
        return gici.file_name(scene)
    return f"{scene.name}{suffix}"


def interleave_for(scene: Scene, path: Path) -> Interleave | None:
    """Return the original order of axes of a scene, if `path` has its original format and the format allows several."""
    suffix, _, order = (scene.origin or "").partition(" ")
    entry = _format(path, writing=True)
    same = entry.interleaves and suffix in entry.suffixes and order in AXES
    return order if same else None  # type: ignore[return-value]


def split_variable(path: str | Path) -> tuple[Path, str | None]:
    """Split ``file.mat:variable`` into file and variable; other paths have no variable."""
    match = _VARIABLE.fullmatch(str(path))
    if match is None or Path(path).exists():
        return Path(path), None
    return Path(match["path"]), match["variable"]


def _checked(scene: Scene, file: Path) -> Scene:
    """Return the scene without its no-data value if its type cannot hold that value."""
    if scene.nodata is None or math.isfinite(scene.nodata) or scene.dtype.kind == "f":
        return scene
    warnings.warn(
        f"{file}: the no-data value {scene.nodata} is left out; expected one that {scene.dtype.name} samples can have",
        SceneWarning,
        stacklevel=3,
    )
    return replace(scene, nodata=None)


def _writer(path: Path, interleave: Interleave | None) -> Format:
    _, variable = split_variable(path)
    if variable is not None:
        raise SceneError(f"{path}: a variable was named; expected the name of a file to write")
    entry = _format(path, writing=True)
    if not hasattr(_module(entry), "write"):
        raise SceneError(f"{path}: {entry.module} files can be read but not written")
    if interleave is not None and not entry.interleaves:
        raise SceneError(f"{path}: {entry.module} files have one order of axes; expected no interleave")
    return entry


def _format(path: Path, writing: bool = False) -> Format:
    entries = [entry for entry in FORMATS if path.name.lower().endswith(entry.suffixes)]
    entries = [entry for entry in entries if entry.writes or not writing]
    if not entries and not writing and envi_pair.header_of(path) is not None:
        return _ENVI
    if not entries:
        raise SceneError(
            f"{path}: unknown suffix {path.suffix!r}; expected one of {', '.join(SUFFIXES)}"
            + ("" if writing else ", or an ENVI header beside it")
        )
    return next((entry for entry in entries if _claims(entry, path)), entries[0])


def _claims(entry: Format, path: Path) -> bool:
    module = _module(entry)
    return not hasattr(module, "claims") or module.claims(path)


def _module(entry: Format) -> ModuleType:
    return import_module(f"bandpress.formats.{entry.module}")
