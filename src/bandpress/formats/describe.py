"""Description of a scene: geometry, type, byte order, range of each band. Reads the scene once, in blocks."""

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bandpress.formats.raw import blocks
from bandpress.nodata.samples import mask_of
from bandpress.scene import Scene


def describe(scene: Scene, path: str | Path | None = None) -> dict[str, Any]:
    """Return the facts about a scene, as JSON.

    Parameters
    ----------
    scene
        The scene.
    path
        File of the scene.

    Returns
    -------
    dict
        ``band_min`` and ``band_max`` have one number per band, None for a band without valid samples; no-data samples
        do not count.
    """
    low, high = ranges(scene.cube, scene.nodata)
    known_low, known_high = ([v for v in values if v is not None] for values in (low, high))
    facts: dict[str, Any] = {} if path is None else {"file": str(path)}
    facts |= {
        "scene": scene.name,
        "sensor": scene.sensor,
        "bands": scene.bands,
        "lines": scene.lines,
        "samples": scene.samples,
        "type": scene.dtype.name,
        "byte_order": byte_order(scene.dtype),
        "dtype": scene.dtype.str,
        "bytes": scene.cube.size * scene.dtype.itemsize,
        "nodata": _number(scene.nodata),
        "nodata_samples": sum(int(found.sum()) for found in _hidden(scene)),
        "min": min(known_low, default=None),
        "max": max(known_high, default=None),
        "constant_bands": [
            b for b, (m, n) in enumerate(zip(low, high, strict=True), 1) if m == n and m is not None
        ],
        "wavelengths": None if scene.wavelengths is None else [_number(w) for w in scene.wavelengths],
        "fwhm": None if scene.fwhm is None else [_number(w) for w in scene.fwhm],
        "bad_bands": None
        if scene.bad_bands is None
        else [b for b, bad in enumerate(scene.bad_bands, 1) if bad],
        "band_min": low,
        "band_max": high,
        "metadata": dict(scene.metadata),
    }
    return facts


def _hidden(scene: Scene) -> Iterator[np.ndarray]:
    """Yield the no-data masks of the bands that have no-data samples."""
    if scene.nodata is not None or scene.dtype.kind == "f":
        planes = (mask_of(band, scene.nodata) for band in scene.cube)
        yield from (plane for plane in planes if plane is not None)


def byte_order(dtype: np.dtype) -> str | None:
    """Return ``"big"`` or ``"little"``, or None for samples of one byte."""
    if dtype.itemsize == 1:
        return None
    native = {"=": "<" if sys.byteorder == "little" else ">"}
    return "big" if native.get(dtype.byteorder, dtype.byteorder) == ">" else "little"


def ranges(cube: np.ndarray, nodata: float | None = None) -> tuple[list[Any], list[Any]]:
    """Return the smallest and the largest sample of each band.

    Parameters
    ----------
    cube
        Shape (bands, lines, samples). A memory map is read once, in stored order, in the memory of one block.
    nodata
        No-data value; such samples do not count.

    Returns
    -------
    tuple of list
        Minima and maxima, Python numbers; None for a band without valid samples.
    """
    axes = sorted(range(3), key=lambda axis: -abs(cube.strides[axis]))
    stored = cube.transpose(axes)
    band_axis = axes.index(0)
    others = tuple(axis for axis in range(3) if axis != band_axis)
    found_low: list[np.ndarray] = []
    found_high: list[np.ndarray] = []
    for block in blocks(stored):
        native = block.astype(block.dtype.newbyteorder("="), copy=False)
        low, high = _extremes(native, others, nodata)
        found_low.append(low)
        found_high.append(high)
    if band_axis == 0:
        lows, highs = np.ma.concatenate(found_low), np.ma.concatenate(found_high)
    else:
        lows, highs = np.ma.stack(found_low).min(axis=0), np.ma.stack(found_high).max(axis=0)
    return lows.tolist(), highs.tolist()


def _extremes(block: np.ndarray, axes: tuple[int, ...], nodata: float | None) -> tuple[Any, Any]:
    mask = mask_of(block, nodata)
    masked = np.ma.masked_array(block, np.ma.nomask if mask is None else mask)
    return np.ma.asarray(masked.min(axis=axes)), np.ma.asarray(masked.max(axis=axes))


def _number(value: float | None) -> float | str | None:
    return value if value is None or math.isfinite(value) else str(value)
