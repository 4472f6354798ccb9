"""Checks of training scenes, and their split into training and validation lines. No TensorFlow here."""

from collections.abc import Callable, Sequence

import numpy as np

from bandpress.errors import SceneError
from bandpress.nodata.samples import ends, filled, mask_of
from bandpress.scene import CODABLE, Scene

#: Scenes are cut to multiples of this many lines and samples: the paper's network halves the size four times.
MULTIPLE = 16
#: Tries to draw a part of a scene without no-data samples.
_TRIES = 16


def usable(scene: Scene, k: int, patch: int = MULTIPLE) -> None:
    """Check that a scene can be used to train or validate a model of k bands.

    Raises
    ------
    SceneError
        If its type cannot be coded, it has fewer than k bands, it is smaller than the patch, or all its valid samples
        are equal.
    """
    if scene.dtype.name not in CODABLE:
        if scene.dtype.kind == "f" and not np.isfinite(scene.cube).all():
            raise SceneError(
                f"scene {scene.name}: holds samples that are not finite numbers; expected one of {', '.join(CODABLE)}"
            )
        raise SceneError(
            f"scene {scene.name}: samples are {scene.dtype.name}; expected one of {', '.join(CODABLE)}"
        )
    if scene.bands < k:
        raise SceneError(
            f"scene {scene.name}: {scene.bands} bands; expected at least {k}, those of one cluster"
        )
    if min(scene.lines, scene.samples) < patch:
        raise SceneError(
            f"scene {scene.name}: {scene.lines} lines of {scene.samples} samples; expected at least {patch} of each, "
            "the size of a patch"
        )
    low, high = ends(scene.cube, scene.nodata)
    if low >= high:
        raise SceneError(
            f"scene {scene.name}: every sample is {scene.cube[0, 0, 0]}; expected an image to learn from"
        )


def measured(draw: Callable[[], np.ndarray], nodata: float | None) -> np.ndarray:
    """Return a random part of a scene, shape (bands, lines, samples), with no-data samples avoided or filled.

    Parameters
    ----------
    draw
        Returns a new random part at each call.
    nodata
        The no-data value, or None.
    """
    mask: np.ndarray | None = None
    for _ in range(_TRIES):
        part = draw()
        mask = mask_of(part, nodata)
        if mask is None:
            return part
    assert mask is not None
    return np.stack([filled(band, plane, 1) for band, plane in zip(part, mask, strict=True)])


def split_lines(scene: Scene) -> tuple[Scene, Scene]:
    """Cut a scene into a part to train on and, below it, a part to validate on: an eighth of the lines, at least 16.

    Returns
    -------
    tuple of Scene
        Training part and validation part, views that share no line.

    Raises
    ------
    SceneError
        If the scene has fewer than 32 lines.
    """
    if scene.lines < 2 * MULTIPLE:
        raise SceneError(
            f"scene {scene.name}: {scene.lines} lines are too few to hold some out for validation; expected "
            f"{2 * MULTIPLE} or more, or separate validation scenes"
        )
    held = max(MULTIPLE, scene.lines // 8 // MULTIPLE * MULTIPLE)
    return scene.crop(lines=slice(0, -held)), scene.crop(lines=slice(scene.lines - held, None))


def with_validation(scenes: Sequence[Scene], validation: Sequence[Scene]) -> tuple[list[Scene], list[Scene]]:
    """Return the scenes to train on and to validate on: those given, or the parts that `split_lines` makes."""
    if validation:
        return list(scenes), list(validation)
    parts = [split_lines(scene) for scene in scenes]
    return [part[0] for part in parts], [part[1] for part in parts]
