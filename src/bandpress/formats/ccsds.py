"""CCSDS raw: the names of the CCSDS-123 test corpus, ``<name>-<type><bits><order>-<bands>x<lines>x<samples>.raw``.

Band sequential. ``type`` is ``u`` or ``s``, ``bits`` the bits that are used of each 8-, 16-, 32- or 64-bit sample,
``order`` is ``be`` or ``le``: ``aviris_yellowstone-uncal-u16be-224x512x680.raw``.
"""

import re
from pathlib import Path

import numpy as np

from bandpress.errors import SceneError
from bandpress.files import atomic_path
from bandpress.formats.raw import map_cube, write_cube
from bandpress.formats.sidecar import complete, write_sidecar
from bandpress.scene import Scene

_NAME = re.compile(
    r"(?P<name>.+)-(?P<kind>[us])(?P<bits>\d{1,2})(?P<order>be|le)?-(?P<shape>\d+x\d+x\d+)\.raw",
    re.IGNORECASE,
)


def claims(path: Path) -> bool:
    """Say whether a file has a name of this kind."""
    return _NAME.fullmatch(path.name) is not None


def _described(path: Path) -> tuple[str, np.dtype, tuple[int, int, int]]:
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise SceneError(f"{path}: expected <name>-<u|s><bits><be|le>-<bands>x<lines>x<samples>.raw")
    bands, lines, samples = (int(side) for side in match["shape"].lower().split("x"))
    bits = int(match["bits"])
    if not 1 <= bits <= 64 or 0 in (bands, lines, samples):
        raise SceneError(
            f"{path}: {bits} bits, {match['shape']} samples in the name; expected 1 to 64, no zeros"
        )
    held = next(width for width in (8, 16, 32, 64) if bits <= width)
    if held > 8 and match["order"] is None:
        raise SceneError(f"{path}: no byte order in the name; expected be or le after the {bits} bits")
    kind = "u" if match["kind"].lower() == "u" else "i"
    order = "<" if (match["order"] or "").lower() == "le" else ">"
    return match["name"], np.dtype(f"{order}{kind}{held // 8}"), (bands, lines, samples)


def read(path: Path) -> Scene:
    """Read a scene as a memory map.

    Raises
    ------
    SceneError
        If the name cannot be read or the size of the file is not what the name says.
    """
    name, dtype, shape = _described(path)
    return complete(Scene(map_cube(path, dtype, shape), name=name), path)


def write(scene: Scene, path: Path) -> Path:
    """Write a scene under a name that gives its geometry and type.

    Raises
    ------
    SceneError
        If the name gives others.
    """
    _, dtype, shape = _described(path)
    if (dtype.str, shape) != (scene.dtype.str, scene.cube.shape):
        raise SceneError(
            f"{path}: the name gives {dtype.str} {shape}; expected {scene.dtype.str} {scene.cube.shape}, the scene's"
        )
    with atomic_path(path) as part:
        with open(part, "wb") as file:
            write_cube(scene.cube, file)
        write_sidecar(scene, path)
    return path
