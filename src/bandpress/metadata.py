"""Metadata of a part of a scene: band entries are cut, georeference is shifted."""

from collections.abc import Mapping
from typing import Any

#: Entries with one item per band.
_OF_BAND = ("band names", "band tags", "scale_factor", "add_offset", "units", "wavelength", "fwhm", "bbl")
#: Entries that refer to bands by number.
_NUMBERS = ("default bands", "z plot range", "z plot average", "default stretch")
#: ENVI's counts of the first sample and line, from 1.
_STARTS = {"x start": 0, "y start": 1}


def of_part(
    metadata: Mapping[str, Any], shape: tuple[int, int, int], bands: slice, lines: slice, samples: slice
) -> dict[str, Any]:
    """Return the metadata of a part of a scene.

    Parameters
    ----------
    metadata
        Metadata of the whole scene, see `bandpress.scene.Scene`.
    shape
        Bands, lines, samples of the whole scene.
    bands, lines, samples
        Ranges of the part.

    Returns
    -------
    dict
        Metadata of the part; entries that do not apply to it are left out.
    """
    found = dict(metadata)
    if bands.indices(shape[0]) != (0, shape[0], 1):
        for key in _NUMBERS:
            found.pop(key, None)
        for key in _OF_BAND:
            value = found.get(key)
            if isinstance(value, list | tuple) and len(value) == shape[0]:
                found[key] = list(value[bands])
    (down, _, step), (across, _, stride) = lines.indices(shape[1]), samples.indices(shape[2])
    if (across, down, step, stride) == (0, 0, 1, 1):
        return found
    for key in ("map info", "transform", "gcps", "geo points", "rpc", *_STARTS):
        if key in found:
            value = _moved(key, found[key], across, down) if step == stride == 1 else None
            if value is None:
                del found[key]
            else:
                found[key] = value
    if "map info" not in found and "transform" not in found and "gcps" not in found:
        for key in ("crs", "coordinate system string", "projection info"):
            found.pop(key, None)
    return found


def _moved(key: str, value: Any, across: int, down: int) -> Any:
    """Return the georeference of a part that begins at sample `across` and line `down`; None if unknown."""
    try:
        if key == "transform":
            left, right, rotated, top, tilted, below = value
            return [
                *(left + across * right + down * rotated, right, rotated),
                *(top + across * tilted + down * below, tilted, below),
            ]
        if key == "gcps":
            points = [[row - down, column - across, *rest] for row, column, *rest in value["points"]]
            return {**value, "points": points}
        if key == "map info":
            return [value[0], _number(float(value[1]) - across), _number(float(value[2]) - down), *value[3:]]
        if key in _STARTS:
            return _number(float(value) + (across, down)[_STARTS[key]])
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        pass
    return None


def _number(value: float) -> str:
    return f"{value:.15g}"
