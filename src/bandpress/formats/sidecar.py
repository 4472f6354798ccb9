"""Sidecar ``<file>.json`` with the metadata that a format cannot hold, see `bandpress.facts`.

A scene without metadata has no such file.
"""

import json
from pathlib import Path
from typing import Any

from bandpress.errors import SceneError
from bandpress.facts import facts, parse, with_facts
from bandpress.files import atomic_path
from bandpress.scene import Scene


def sidecar(path: Path) -> Path:
    """Return the path of the file beside `path`."""
    return path.with_name(path.name + ".json")


def write_sidecar(scene: Scene, path: Path, **more: Any) -> None:
    """Write the sidecar of the scene in `path`; remove an earlier one if there are no metadata."""
    found = {**facts(scene), **more}
    beside = sidecar(path)
    if not found:
        beside.unlink(missing_ok=True)
        return
    with atomic_path(beside) as part:
        part.write_text(json.dumps(found, indent=1, sort_keys=True, allow_nan=False) + "\n", "utf-8")


def read_sidecar(path: Path) -> dict[str, Any]:
    """Return the content of the sidecar of `path`; empty if there is none.

    Raises
    ------
    SceneError
        If it is not a JSON object, or its metadata are not.
    """
    beside = sidecar(path)
    if not beside.is_file():
        return {}
    found = parse(beside.read_bytes(), beside)
    if not isinstance(found.get("metadata", {}), dict):
        raise SceneError(f"{beside}: metadata: {type(found['metadata']).__name__}; expected an object")
    return found


def complete(scene: Scene, path: Path) -> Scene:
    """Return the scene read from `path` with the metadata of its sidecar."""
    return with_facts(scene, read_sidecar(path), sidecar(path))
