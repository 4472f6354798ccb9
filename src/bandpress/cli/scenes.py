"""Scenes that commands are given to learn from."""

from pathlib import Path

from bandpress.errors import SceneError
from bandpress.formats import read_scene, scenes_in
from bandpress.scene import Scene


def scenes_to_train(
    train_on: tuple[Path, ...], validate_on: tuple[Path, ...]
) -> tuple[list[Scene], list[Scene]]:
    """Read scenes to train and to validate on, files or folders of them.

    Raises
    ------
    SceneError
        If a folder holds none, or a scene is to be used for both.
    """
    files, held_out = _files(train_on), _files(validate_on)
    for file in held_out:
        if file.resolve() in {other.resolve() for other in files}:
            raise SceneError(
                f"{file}: to be trained on and validated on; expected another scene to validate on, or none: the last "
                "lines of each are then held out"
            )
    return [read_scene(file) for file in files], [read_scene(file) for file in held_out]


def _files(paths: tuple[Path, ...]) -> list[Path]:
    """Return the files of scenes; a folder stands for every scene in it, in order of their names."""
    found: list[Path] = []
    for path in paths:
        found += scenes_in(path) if path.is_dir() else [path]
    return found
