"""Digests of the code and the files from which a result is made.

Rules pass them to Snakemake as parameters, so that a result is remade when one of them changes.
"""

import ast
import hashlib
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from bandpress.codecs import codec_class
from bandpress.files import atomic_path, digest

_SOURCE = Path(__file__).parents[2]
#: Registries: a new entry does not change results made with the others.
_LISTS = frozenset({"bandpress", "bandpress.codecs"})


def code(*roots: str | Path) -> str:
    """Return a digest of some modules or scripts and all package modules they import, directly or indirectly.

    Parameters
    ----------
    roots
        Names of modules (``"bandpress.coding"``) or files of scripts.
    """
    found: set[Path] = set()
    waiting: list[Path] = []
    for root in roots:
        waiting += [root] if isinstance(root, Path) else _files_of(root)
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += imported(file)
    return _joined((file.name, digest(file)) for file in sorted(found))


def code_of_codec(name: str) -> str:
    """Return a digest of the code used by a codec, evaluation included, and of the package's context models."""
    cls = codec_class(name)
    source = code(cls.__module__, "bandpress.coding", "bandpress.evaluation.evaluate")
    if cls.model_kind != "context model":
        return source
    cards = sorted((_SOURCE / "bandpress" / "models").glob("*/model.json"))
    return _joined([("code", source), *((card.parent.name, digest(card)) for card in cards)])


@cache
def imported(file: Path) -> frozenset[Path]:
    """Return the package files and the neighbouring scripts that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    beside = {file.with_name(f"{name}.py") for name in names} if _SOURCE not in file.parents else set()
    return frozenset(path for path in beside if path.is_file()).union(*map(_files_of, names))


def _files_of(module: str) -> tuple[Path, ...]:
    """Return the file of a package module; None for other modules and for mere registries."""
    if module in _LISTS or not module.startswith("bandpress."):
        return ()
    stem = _SOURCE.joinpath(*module.split("."))
    return tuple(path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file())


def data(record: Path, scene: str, seen: Path) -> str:
    """Return a digest of a scene's source files.

    Parameters
    ----------
    record
        Record of the data set, written by ``fetch_dataset.py``.
    scene
        Name of the scene.
    seen
        File with known digests, see `contents`.
    """
    known = json.loads(record.read_text("utf-8"))
    source = Path(known["path"])
    name = (known["scenes"][scene].get("file") or "").partition(":")[0]
    file = source / name if name and not source.is_file() else source
    # Companion files have the same name: headers, band lists, the compressed file itself.
    beside = file.parent.glob("*") if file.parent.is_dir() else ()
    files = [path for path in beside if path.is_file() and path.name.split(".")[0] == file.name.split(".")[0]]
    return contents(files or [file], seen)


def folder(path: Path, seen: Path) -> str:
    """Return a digest of the files in a folder, such as a model."""
    return contents((file for file in path.rglob("*") if file.is_file()), seen)


def contents(files: Iterable[Path], seen: Path) -> str:
    """Return a digest of the names and contents of files.

    Parameters
    ----------
    files
        Each is read only if its size or time has changed; a file deleted since then keeps its digest.
    seen
        JSON file with known sizes, times and digests.
    """
    try:
        known = json.loads(seen.read_text("utf-8"))
    except (OSError, ValueError):
        known = {}
    before = dict(known)
    for file in (files := sorted(files)):
        if file.is_file():
            state = [file.stat().st_size, file.stat().st_mtime_ns]
            if known.get(str(file), [])[:2] != state:
                known[str(file)] = [*state, digest(file)]
    if known != before:
        seen.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(seen) as part:
            part.write_text(json.dumps(known, indent=1) + "\n")
    return _joined((file.name, known[str(file)][2]) for file in files if str(file) in known)


def _joined(parts: Iterable[tuple[str, str]]) -> str:
    return hashlib.sha256("\n".join(map(" ".join, parts)).encode()).hexdigest()[:16]
