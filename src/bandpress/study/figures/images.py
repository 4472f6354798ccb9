"""Scenes as pictures: which bands, which stretch, which part."""

from collections.abc import Sequence

import numpy as np

from bandpress.scene import Scene

#: Red, green and blue in nm.
RGB_NM = (650.0, 550.0, 450.0)
#: The same as a share of the bands of a sensor that covers 400 to 2,500 nm evenly.
RGB_SHARE = (0.13, 0.08, 0.03)


def default_bands(scene: Scene) -> list[int]:
    """Return the indexes, from 0, of the bands nearest to red, green and blue, or likely ones without wavelengths."""
    if scene.wavelengths is None:
        return [int(share * scene.bands) for share in RGB_SHARE]
    return [int(np.argmin(np.abs(np.asarray(scene.wavelengths) - nm))) for nm in RGB_NM]


def stretch(scene: Scene, bands: Sequence[int]) -> list[tuple[float, float]]:
    """Return the values shown as dark and bright in each band: its 2nd and 98th percentile."""
    limits = []
    for band in bands:
        low, high = np.percentile(scene.cube[band], (2, 98))
        limits.append((float(low), float(high if high > low else low + 1)))
    return limits


def false_colour(scene: Scene, bands: Sequence[int], limits: Sequence[tuple[float, float]]) -> np.ndarray:
    """Return bands as an image, uint8, shape (lines, samples, bands), linear between the limits."""
    image = np.empty((scene.lines, scene.samples, len(bands)), np.uint8)
    for i, (band, (low, high)) in enumerate(zip(bands, limits, strict=True)):
        scaled = (scene.cube[band].astype(np.float64) - low) * (255 / (high - low))
        image[..., i] = np.clip(np.rint(scaled), 0, 255)
    return image


def window(scene: Scene, most: float = 1.5) -> tuple[slice, slice]:
    """Return the middle of a long scene: all samples and at most `most` times as many lines."""
    lines = min(scene.lines, int(most * scene.samples))
    first = (scene.lines - lines) // 2
    return slice(first, first + lines), slice(0, scene.samples)
