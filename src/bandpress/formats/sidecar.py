"""What a format cannot hold of a scene, in a JSON file beside it: ``<file>.json``.

One object with the fields of `Scene` that are known and that the format has no place for: `wavelengths` and `fwhm`
(nm, one a band), `bad_bands` (true for a bad one, one a band), `sensor`, `nodata`, `metadata`. A scene of which nothing
is known has no such file.
"""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from bandpress.errors import SceneError
from bandpress.files import atomic_path
from bandpress.scene import Scene

_OF_BAND = {"wavelengths": float, "fwhm": float, "bad_bands": bool}
_KEYS = (*_OF_BAND, "sensor", "nodata", "metadata")


def sidecar(path: Path) -> Path:
    """Return the path of the file beside `path`."""
    return path.with_name(path.name + ".json")


def facts(scene: Scene) -> dict[str, Any]:
    """Return what is known of a scene besides its samples and name, as JSON."""
    found: dict[str, Any] = {}
    for key, kind in _OF_BAND.items():
        if getattr(scene, key) is not None:
            found[key] = [kind(value) for value in getattr(scene, key)]
    if scene.sensor is not None:
        found["sensor"] = scene.sensor
    if scene.nodata is not None:
        found["nodata"] = float(scene.nodata) if math.isfinite(scene.nodata) else str(scene.nodata)
    if scene.metadata:
        found["metadata"] = dict(scene.metadata)
    return found


def with_facts(scene: Scene, found: Any, path: Path) -> Scene:
    """Return the scene with what `facts` told of it; `path` is where that was read.

    Raises
    ------
    SceneError
        If it is not what `facts` returns for a scene of as many bands.
    """
    try:
        if not isinstance(found, dict) or not isinstance(found.get("metadata", {}), dict):
            raise ValueError("not an object")
        known: dict[str, Any] = {key: found[key] for key in _KEYS if key in found}
        for key, kind in _OF_BAND.items():
            if key in known:
                known[key] = tuple(kind(value) for value in known[key])
        if "nodata" in known:
            known["nodata"] = float(known["nodata"])
        return replace(scene, **known)
    except (ValueError, TypeError, SceneError) as error:
        raise SceneError(
            f"{path}: {error}; expected an object with any of {', '.join(_KEYS)} for {scene.bands} bands"
        ) from None


def write_sidecar(scene: Scene, path: Path, **more: Any) -> None:
    """Write what is known of the scene that is kept in `path`, or remove what an earlier scene left there."""
    found = {**facts(scene), **more}
    beside = sidecar(path)
    if not found:
        beside.unlink(missing_ok=True)
        return
    with atomic_path(beside) as part:
        part.write_text(json.dumps(found, indent=1, sort_keys=True, allow_nan=False) + "\n", "utf-8")


def read_sidecar(path: Path) -> dict[str, Any]:
    """Return what the file beside `path` says; nothing if there is none."""
    beside = sidecar(path)
    if not beside.is_file():
        return {}
    try:
        found = json.loads(beside.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise SceneError(f"{beside}: not JSON ({error}); expected what is known of {path.name}") from None
    if not isinstance(found, dict):
        raise SceneError(f"{beside}: {type(found).__name__}; expected an object")
    return found


def complete(scene: Scene, path: Path) -> Scene:
    """Return the scene read from `path` with what the file beside it says."""
    return with_facts(scene, read_sidecar(path), sidecar(path))
