"""Preparation of fetched files as the workflow's scenes: one cropped GICI raw file per scene."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

from bandpress.datasets import archive
from bandpress.datasets.entry import Dataset, SceneEntry
from bandpress.datasets.fetch import check
from bandpress.errors import DataError
from bandpress.files import scratch_folder
from bandpress.formats import is_scene, one_each, read_scene, split_variable, write_scene
from bandpress.scene import CODABLE, Scene

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_GEOMETRY = re.compile(r"(\.\d+_\d+_\d+_\d_\d_\d|-[us]\d+(be|le)?-\d+x\d+x\d+)\.raw$", re.IGNORECASE)


def prepare(dataset: Dataset, name: str, fetched: Path, out: Path) -> list[Path]:
    """Write the scenes of a data set.

    Parameters
    ----------
    dataset
        Its entry in the study.
    name
        Its name in the study.
    fetched
        Result of `bandpress.datasets.fetch`.
    out
        Folder for the scenes, made if it does not exist.

    Returns
    -------
    list of pathlib.Path
        ``<scene>.<bands>_<width>_<height>_<type>_<endian>_0.raw`` in order, each written atomically. Samples keep their
        type and byte order; ``<file>.json`` beside each holds its metadata.

    Raises
    ------
    DataError
        If a scene is missing, has another SHA-256 than expected, or is smaller than the part to keep.
    SceneError
        If a file is not a scene.
    """
    entries = find_scenes(dataset, name, fetched)
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for scene_name, entry in entries.items():
        with open_scene(dataset, name, scene_name, entry, fetched, out) as scene:
            written.append(write_scene(scene, out / f"{scene_name}.raw"))
    return written


@contextmanager
def open_scene(
    dataset: Dataset, name: str, scene_name: str, entry: SceneEntry, fetched: Path, out: Path | None = None
) -> Iterator[Scene]:
    """Open a scene of a data set, checked and cropped.

    Parameters
    ----------
    dataset, name, fetched
        As for `prepare`.
    scene_name, entry
        A scene of the result of `find_scenes`.
    out
        Folder for temporarily unpacked files. Default: that of the system.

    Raises
    ------
    DataError, SceneError
        As for `prepare`.
    """
    path, variable = _locate(scene_name, entry, fetched)
    with _plain(path, out) as plain:
        if entry.sha256 is not None:
            check(plain, entry.sha256)
        scene = read_scene(f"{plain}:{variable}" if variable else plain, interleave=entry.interleave)
        scene = replace(entry.crop(scene), name=scene_name, sensor=scene.sensor or dataset.sensor)
        if scene.dtype.name not in CODABLE:
            raise DataError(
                f"{path}: samples are {scene.dtype.name}; expected one of {', '.join(CODABLE)} in data set {name}"
            )
        if scene.sensor == "synthetic" and "synthetic" not in scene_name:
            raise DataError(
                f"{path}: a synthetic scene; expected a name with 'synthetic' in it, not {scene_name}"
            )
        yield scene


def find_scenes(dataset: Dataset, name: str, fetched: Path) -> dict[str, SceneEntry]:
    """Return the scenes of a data set: the listed ones, or every scene among the fetched files.

    The file name of an entry replaces its pattern.

    Raises
    ------
    DataError
        If there are no scenes, two have the same name, or a pattern does not match exactly one file.
    """
    if dataset.scenes is not None:
        return {scene: _plain_file(scene, entry, fetched) for scene, entry in dataset.scenes.items()}
    if fetched.is_file():
        return {_scene_name(fetched): SceneEntry()}
    entries: dict[str, SceneEntry] = {}
    files = {_without_packing(path): path for path in sorted(fetched.rglob("*")) if _is_source(path, fetched)}
    for plain in one_each(sorted(files)):
        scene = _scene_name(plain)
        if scene in entries:
            raise DataError(
                f"{plain}: a second scene named {scene} in {fetched}; expected each once, or a list under scenes"
            )
        entries[scene] = SceneEntry.model_construct(file=plain.relative_to(fetched).as_posix())
    if not entries:
        raise DataError(f"{fetched}: no scene in it; expected those of data set {name}")
    return entries


def _is_source(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    if any(part.startswith(".") or part == "__MACOSX" for part in parts):
        return False
    return is_scene(_without_packing(path)) and path.is_file()


def _without_packing(path: Path) -> Path:
    return path.with_suffix("") if path.suffix.lower() in archive.PACKED else path


def _scene_name(path: Path) -> str:
    """Return the scene's name from its file name: the part before geometry and suffix."""
    plain = _without_packing(path)
    name = _GEOMETRY.sub("", plain.name)
    name = plain.stem if name == plain.name else name
    if _NAME.fullmatch(name) is None:
        raise DataError(
            f"{str(path)!a}: the file name is not a valid scene name; expected letters, digits and . _ -, or"
            " a name for it under scenes"
        )
    return name


def _locate(scene: str, entry: SceneEntry, fetched: Path) -> tuple[Path, str | None]:
    if fetched.is_file():
        if entry.file is None:
            return fetched, None
        file, variable = split_variable(entry.file)
        if file.name not in (fetched.name, _without_packing(fetched).name):
            raise DataError(
                f"scene {scene}: the source is the file {fetched}; expected it under that name, not {file}"
            )
        return fetched, variable
    if entry.file is None:
        raise DataError(
            f"scene {scene}: the source is the folder {fetched}; expected the name of a file in it"
        )
    file, variable = split_variable(entry.file)
    for suffix in ("", *archive.PACKED):
        path = fetched / f"{file}{suffix}"
        if path.is_file():
            return path, variable
    raise DataError(
        f"{fetched / file}: no such file (nor packed as .xz, .gz, .bz2); expected it for scene {scene}"
    )


def _plain_file(scene: str, entry: SceneEntry, fetched: Path) -> SceneEntry:
    """Return an entry with its pattern replaced by the file name."""
    pattern, colon, variable = (entry.file or "").partition(":")
    if not set("*?") & set(pattern):
        return entry
    name = fetched.name if fetched.is_file() else _only_one(fetched, pattern, scene)
    return entry.model_copy(update={"file": f"{name}{colon}{variable}"})


def _only_one(folder: Path, pattern: str, scene: str) -> str:
    """Return the only file below a folder whose path ends in a match of the pattern."""
    found = [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and fnmatch(f"/{_without_packing(path).relative_to(folder).as_posix()}", f"*/{pattern}")
    ]
    if len(found) != 1:
        names = ", ".join(found[:8]) or "none"
        raise DataError(f"{folder}: files named {pattern}: {names}; expected one, for scene {scene}")
    return found[0]


@contextmanager
def _plain(path: Path, out: Path | None) -> Iterator[Path]:
    """Yield the file itself, or a temporary unpacked copy."""
    opener = archive.PACKED.get(path.suffix.lower())
    if opener is None:
        yield path
        return
    with scratch_folder(".unpacked-", out) as folder:
        plain = folder / path.with_suffix("").name
        with (
            archive.stated(path, plain.parent, "a packed scene"),
            opener(path, "rb") as source,
            open(plain, "wb") as target,
        ):
            archive.copy(source, target, archive.Budget(path, plain.parent))
        yield plain
