"""GICI raw: band sequential samples, everything else in the file name.

``<name>.<bands>_<width>_<height>_<type>_<endian>_<rgb>.raw`` with type 0 bool, 1 uint8, 2 uint16, 3 int16, 4 int32,
5 int64, 6 float32, 7 float64, endian 0 big and 1 little, rgb 0 or 1. Width counts samples, height counts lines.
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

TYPES = ("bool", "uint8", "uint16", "int16", "int32", "int64", "float32", "float64")

_NAME = re.compile(r"(?P<name>.+)\.(\d+)_(\d+)_(\d+)_(\d)_(\d)_(\d)\.raw", re.IGNORECASE)
_EXPECTED = "<name>.<bands>_<width>_<height>_<type>_<endian>_<rgb>.raw"


def claims(path: Path) -> bool:
    """Say whether a file has a name of this kind."""
    return _NAME.fullmatch(path.name) is not None


def name_in(file: str) -> str | None:
    """Return the name of the scene in a file of this name, or None if the name is of another kind."""
    match = _NAME.fullmatch(file)
    return None if match is None else match["name"]


def name_of(path: Path) -> str:
    """Return the name of the scene in a file."""
    return described(path)[0]


def outputs(scene: Scene, path: Path) -> list[Path]:
    """Return the files that a scene is written to; a name without geometry is completed.

    Raises
    ------
    SceneError
        If the name gives another geometry or type. Samples take the byte order of the name.
    """
    final = path
    if not claims(path):
        final = path.with_name(file_name(replace(scene, name=path.name[: -len(".raw")])))
    else:
        name, dtype, shape = described(path)
        if (dtype.newbyteorder("="), shape) != (scene.dtype.newbyteorder("="), scene.cube.shape):
            expected = file_name(replace(scene, name=name))
            raise SceneError(f"{path}: the name gives another geometry or type; expected {expected}")
    return [final, sidecar(final)]


def file_name(scene: Scene) -> str:
    """Return the file name of a scene in this format.

    Raises
    ------
    SceneError
        If the format has no code for the sample type.
    """
    if scene.dtype.name not in TYPES:
        raise SceneError(
            f"scene {scene.name}: type {scene.dtype} has no code in GICI raw names; expected one of {', '.join(TYPES)}"
        )
    endian = 0 if scene.dtype.str.startswith(">") else 1
    code = TYPES.index(scene.dtype.name)
    return f"{scene.name}.{scene.bands}_{scene.samples}_{scene.lines}_{code}_{endian}_0.raw"


def described(path: Path) -> tuple[str, np.dtype, tuple[int, int, int]]:
    """Parse a file name: name of the scene, type of the samples, (bands, lines, samples).

    Raises
    ------
    SceneError
        If the name cannot be parsed.
    """
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise SceneError(f"{path}: the name does not give the geometry; expected {_EXPECTED}")
    bands, width, height, code, endian, _ = (int(group) for group in match.groups()[1:])
    if code >= len(TYPES) or endian > 1 or 0 in (bands, width, height):
        raise SceneError(
            f"{path}: bands {bands}, width {width}, height {height}, type {code}, endian {endian} in the name; "
            f"expected positive sizes, a type of 0 to {len(TYPES) - 1} and an endian of 0 (big) or 1 (little)"
        )
    dtype = np.dtype(TYPES[code]).newbyteorder("little" if endian else "big")
    return match["name"], dtype, (bands, height, width)


def read(path: Path) -> Scene:
    """Read a scene as a memory map.

    Raises
    ------
    SceneError
        If the name cannot be parsed, or the file has another size than it states.
    """
    name, dtype, shape = described(path)
    return complete(Scene(map_cube(path, dtype, shape), name=name), path)


def write(scene: Scene, path: Path) -> Path:
    """Write a scene, in the byte order of the name, see `outputs`.

    Metadata go into a JSON file beside it, see `bandpress.formats.sidecar`.
    """
    final = outputs(scene, path)[0]
    with atomic_path(final) as part:
        with open(part, "wb") as file:
            write_cube(scene.cube, file, dtype=described(final)[1])
        write_sidecar(scene, final)
    return final
