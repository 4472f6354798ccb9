"""Pictures of scenes: choice of bands, contrast stretch, no-data samples in black."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bandpress.errors import SceneError
from bandpress.files import atomic_path
from bandpress.nodata.samples import mask_of
from bandpress.optional import require
from bandpress.scene import Scene

#: Wavelengths shown as red, green and blue, in nm.
RGB = (650.0, 550.0, 460.0)
_SAMPLES_FOR_PERCENTILES = 1 << 20

#: Black and white level of each channel.
Stretch = tuple[tuple[float, float], ...]


def colour_bands(scene: Scene) -> tuple[int, int, int]:
    """Return the bands, counted from 0, to show as red, green and blue.

    These are the bands nearest to 650, 550 and 460 nm. If wavelengths are unknown or do not reach these, they are the
    bands at three quarters, a half and a quarter of the scene (false colour).
    """
    good = [b for b in range(scene.bands) if scene.bad_bands is None or not scene.bad_bands[b]] or [0]
    centres = scene.wavelengths
    if centres is not None and min(centres) <= RGB[1] <= max(centres):
        red, green, blue = (min(good, key=lambda b: abs(centres[b] - wanted)) for wanted in RGB)
    else:
        red, green, blue = (good[min(len(good) - 1, len(good) * part // 4)] for part in (3, 2, 1))
    return red, green, blue


def stretch_of(scene: Scene, bands: Sequence[int], percent: float = 2.0) -> Stretch:
    """Return the `percent` and 100 - `percent` percentiles of each band's samples.

    No-data samples do not count.
    """
    levels = []
    for band in bands:
        samples = np.asarray(scene.cube[band]).ravel()
        samples = samples[:: max(1, samples.size // _SAMPLES_FOR_PERCENTILES)].astype(np.float64)
        if (missing := mask_of(samples, scene.nodata)) is not None:
            samples = samples[~missing]
        if not samples.size:
            levels.append((0.0, 1.0))
            continue
        low, high = np.percentile(samples, (percent, 100 - percent))
        levels.append((float(low), float(high) if high > low else float(low) + 1.0))
    return tuple(levels)


def to_rgb(scene: Scene, bands: Sequence[int], stretch: Stretch) -> np.ndarray:
    """Return an image of some bands.

    Parameters
    ----------
    scene
        The scene.
    bands
        One band (grey) or three (red, green, blue), counted from 0.
    stretch
        Black and white level of each band. For a comparison, use those of the first image.

    Returns
    -------
    numpy.ndarray
        uint8, shape (lines, samples) or (lines, samples, 3). No-data samples are black.
    """
    channels = []
    for band, (low, high) in zip(bands, stretch, strict=True):
        samples = np.asarray(scene.cube[band]).astype(np.float32)
        shown = np.clip((samples - low) / (high - low), 0, 1)
        if (missing := mask_of(samples, scene.nodata)) is not None:
            shown[missing] = 0
        channels.append(np.rint(shown * 255).astype(np.uint8))
    return channels[0] if len(channels) == 1 else np.stack(channels, axis=-1)


def quicklook(
    scene: Scene, path: Path, bands: tuple[int, ...] | None = None, percent: float = 2.0
) -> tuple[int, ...]:
    """Write a PNG of a scene.

    Parameters
    ----------
    scene
        The scene.
    path
        The ``.png`` file.
    bands
        One or three bands, counted from 0. Default: `colour_bands`.
    percent
        Percentage of samples, at each end, shown as black or white.

    Returns
    -------
    tuple of int
        The bands shown, counted from 0.

    Raises
    ------
    SceneError
        If the scene has no such band, or `path` does not end in ``.png``.
    """
    bands = colour_bands(scene) if bands is None else bands
    if not all(0 <= band < scene.bands for band in bands) or len(bands) not in (1, 3):
        asked = ", ".join(str(band + 1) for band in bands)
        raise SceneError(
            f"scene {scene.name}: bands {asked} were asked for; expected one or three of 1-{scene.bands}"
        )
    write_png(to_rgb(scene, bands, stretch_of(scene, bands, percent)), path)
    return bands


def check_png(path: Path) -> None:
    """Check that a picture's file name ends in ``.png``.

    Raises
    ------
    SceneError
        If it does not.
    """
    if path.suffix.lower() != ".png":
        raise SceneError(f"{path}: the suffix is {path.suffix!r}; expected .png")


def write_png(image: np.ndarray, path: Path) -> None:
    """Write an image of `to_rgb` to a PNG file, atomically.

    Raises
    ------
    SceneError
        If `path` does not end in ``.png``.
    """
    check_png(path)
    pillow = require("PIL.Image", path, "pictures")
    with atomic_path(path) as part:
        pillow.fromarray(image).save(part, format="PNG")


def window(scene: Scene) -> tuple[slice, slice]:
    """Return the middle of a long scene: all samples and at most 1.5 times as many lines."""
    lines = min(scene.lines, int(1.5 * scene.samples))
    first = (scene.lines - lines) // 2
    return slice(first, first + lines), slice(0, scene.samples)
