"""CCSDS raw: the names of the CCSDS-123 test corpus, ``<name>-<type><bits><order>-<bands>x<lines>x<samples>.raw``.

Band sequential. ``type`` is ``u`` or ``s``, ``bits`` the number of used bits of each 8-, 16-, 32- or 64-bit sample,
``order`` is ``be`` or ``le``: ``aviris_yellowstone-uncal-u16be-224x512x680.raw``.
"""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from bandpress.errors import SceneError
from bandpress.files import atomic_path
from bandpress.formats.raw import map_cube, write_cube
from bandpress.formats.sidecar import complete, sidecar, write_sidecar
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
        If the name cannot be parsed, or the file has another size than it states.
    """
    name, dtype, shape = _described(path)
    return complete(Scene(map_cube(path, dtype, shape), name=name, origin=".raw ccsds"), path)


def name_of(path: Path) -> str:
    """Return the name of the scene in a file."""
    return _described(path)[0]


def file_name(scene: Scene) -> str:
    """Return the file name of a scene in this format.

    Raises
    ------
    SceneError
        If the samples are not integers.
    """
    if scene.dtype.kind not in "ui":
        raise SceneError(
            f"scene {scene.name}: {scene.dtype.name} samples; expected integers in CCSDS raw files"
        )
    kind = "u" if scene.dtype.kind == "u" else "s"
    order = "" if scene.dtype.itemsize == 1 else "be" if scene.dtype.str.startswith(">") else "le"
    sides = "x".join(map(str, scene.cube.shape))
    return f"{scene.name}-{kind}{8 * scene.dtype.itemsize}{order}-{sides}.raw"


def outputs(scene: Scene, path: Path) -> list[Path]:
    """Return the files that a scene is written to.

    Raises
    ------
    SceneError
        If the name gives another geometry or type. Samples take the byte order of the name.
    """
    name, dtype, shape = _described(path)
    if (dtype.newbyteorder("="), shape) != (scene.dtype.newbyteorder("="), scene.cube.shape):
        expected = file_name(replace(scene, name=name))
        raise SceneError(f"{path}: the name gives another geometry or type; expected {expected}")
    return [path, sidecar(path)]


def write(scene: Scene, path: Path) -> Path:
    """Write a scene under a name that gives its geometry and type, in the byte order of the name, see `outputs`."""
    outputs(scene, path)
    with atomic_path(path) as part:
        with open(part, "wb") as file:
            write_cube(scene.cube, file, dtype=_described(path)[1])
        write_sidecar(scene, path)
    return path
