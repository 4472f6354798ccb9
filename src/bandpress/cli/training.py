"""Options and input scenes shared by the training commands."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bandpress.errors import SceneError
from bandpress.formats import read_scene, scenes_in
from bandpress.scene import Scene


def training_options(steps: int) -> Callable[[Any], Any]:
    """Return a decorator with the arguments and options of every training.

    Parameters
    ----------
    steps
        Length of a training if neither steps nor minutes are given.
    """
    options = (
        click.argument("scenes", nargs=-1, required=True, type=click.Path(path_type=Path)),
        click.option(
            "-o",
            "--output",
            required=True,
            type=click.Path(path_type=Path),
            help="Folder to write the model to.",
        ),
        click.option(
            "--validate",
            multiple=True,
            type=click.Path(path_type=Path),
            help="Scene to validate on; may be repeated. Default: the last lines of each scene.",
        ),
        click.option(
            "--steps", type=click.IntRange(1), help=f"Default: {steps}, or as many as fit in --minutes."
        ),
        click.option(
            "--minutes", type=click.FloatRange(min=0, min_open=True), help="Train for at most this long."
        ),
        click.option("--seed", type=click.IntRange(0), default=1, show_default=True),
        click.option("--threads", type=click.IntRange(1), help="Default: one per processor."),
        click.option("--sensor", help="Name of the sensor, for the model's card."),
    )

    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def scenes_to_train(
    train_on: tuple[Path, ...], validate_on: tuple[Path, ...]
) -> tuple[list[Scene], list[Scene]]:
    """Read the scenes to train and to validate on, from files or folders.

    Raises
    ------
    SceneError
        If a folder holds no scene, or a scene is given for both.
    """
    files, held_out = _files(train_on), _files(validate_on)
    for file in held_out:
        if file.resolve() in {other.resolve() for other in files}:
            raise SceneError(
                f"{file}: given both to train and to validate on; expected another scene to validate on, or none, "
                "which holds out the last lines of each scene"
            )
    return [read_scene(file) for file in files], [read_scene(file) for file in held_out]


def _files(paths: tuple[Path, ...]) -> list[Path]:
    """Return the files of the scenes; a folder stands for every scene in it, sorted by name."""
    found: list[Path] = []
    for path in paths:
        found += scenes_in(path) if path.is_dir() else [path]
    return found
