"""Reading and writing scenes: one module a format, one registry."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from bandpress.errors import SceneError
from bandpress.scene import Scene


class Format(NamedTuple):
    """A file format.

    Parameters
    ----------
    module
        Name of the module below ``bandpress.formats``; it has ``read(path) -> Scene`` and, if it can write,
        ``write(scene, path)``.
    suffixes
        File name endings, lower case.
    """

    module: str
    suffixes: tuple[str, ...]


FORMATS = (Format("gici", (".raw",)),)


def read_scene(path: str | Path) -> Scene:
    """Read a scene; its format is told by its name.

    Parameters
    ----------
    path
        A file of one of the known formats.

    Returns
    -------
    Scene
        With a memory-mapped cube where the format allows it.

    Raises
    ------
    SceneError
        If the file does not exist, is empty of samples, or is not what its name says.
    """
    path = Path(path)
    if not path.exists():
        raise SceneError(f"{path}: no such file")
    return _function(path, "read")(path)


def write_scene(scene: Scene, path: str | Path) -> Path:
    """Write a scene, whole or not at all; the format is told by the suffix.

    Parameters
    ----------
    scene
        What to write.
    path
        File to make or replace. Formats whose names hold the geometry complete the name.

    Returns
    -------
    pathlib.Path
        The file that was written.

    Raises
    ------
    SceneError
        If the format cannot hold the scene.
    """
    return _function(Path(path), "write")(scene, Path(path))


def _function(path: Path, name: str) -> Callable:
    for entry in FORMATS:
        if path.name.lower().endswith(entry.suffixes):
            function = getattr(import_module(f"bandpress.formats.{entry.module}"), name, None)
            if function is None:
                raise SceneError(f"{path}: the {entry.module} format has no {name}r here")
            return function
    known = ", ".join(sorted(suffix for entry in FORMATS for suffix in entry.suffixes))
    raise SceneError(f"{path}: the suffix {path.suffix!r} is not known; expected one of {known}")
