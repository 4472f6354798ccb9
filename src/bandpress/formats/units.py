"""Conversion of band centres and widths to nm."""

import math
import warnings
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

from bandpress.errors import SceneWarning

#: nm per unit of length, by the beginning of its name in lower case; the first match counts.
_NM = (
    (("nm", "nanom"), 1.0),
    (("um", "µm", "μm", "microm", "micron"), 1e3),
    (("mm", "millim"), 1e6),
    (("cm-", "cm^", "cm**"), None),
    (("cm", "centim"), 1e7),
    (("angstrom", "ångstr", "å"), 0.1),
)
_METRE = ("m", "meter", "meters", "metre", "metres")
_UNSAID = ("", "unknown", "none", "index")


def in_nm(
    path: Path, unit: Any, wavelengths: Iterable[Any] | None = None, fwhm: Iterable[Any] | None = None
) -> dict[str, tuple[float, ...]]:
    """Return the known band centres and widths in nm, under their names in a scene.

    Parameters
    ----------
    path
        File named in warnings. Values in other units than lengths, and values that are not finite, are left out with a
        warning.
    unit
        Unit of both in the file. Without a unit, centres below 100 are read as µm, since no imaging spectrometer works
        below 100 nm or beyond 100 µm; 0, 1, 2 … and 1, 2, 3 … number the bands and are left out too; widths without
        centres are read as µm below 1.
    wavelengths, fwhm
        One number per band, or its text.

    Raises
    ------
    ValueError, TypeError
        If a value is not a number.
    """
    given = {"wavelengths": wavelengths, "fwhm": fwhm}
    numbers = {key: [float(value) for value in values] for key, values in given.items() if values is not None}
    numbers = {key: values for key, values in numbers.items() if values}
    for key in [key for key, values in numbers.items() if not all(map(math.isfinite, values))]:
        _warn(f"{path}: {key} that are not finite are left out; expected one number per band")
        del numbers[key]
    if not numbers:
        return {}
    unit_name = str(unit or "").strip().lower()
    if unit_name in _UNSAID and _counts(numbers.get("wavelengths", [])):
        _warn(
            f"{path}: wavelengths that only number the bands are left as they are; expected a unit of length"
        )
        return {}
    scale = _scale(unit_name, numbers)
    if scale is None:
        _warn(f"{path}: {' and '.join(numbers)} in {unit!r} are left as they are; expected a unit of length")
        return {}
    return {
        # 12 digits: 0.41 µm are 410 nm.
        key: tuple(value if scale == 1 else float(f"{value * scale:.12g}") for value in values)
        for key, values in numbers.items()
    }


def _scale(unit: str, numbers: dict[str, list[float]]) -> float | None:
    if unit not in _UNSAID:
        return 1e9 if unit in _METRE else next((s for begins, s in _NM if unit.startswith(begins)), None)
    if "wavelengths" in numbers:
        return 1e3 if max(numbers["wavelengths"]) < 100 else 1.0
    return 1e3 if max(numbers["fwhm"]) < 1 else 1.0


def _counts(values: list[float]) -> bool:
    """Say whether values are the numbers of two or more bands, counted from 0 or 1."""
    return len(values) > 1 and values[0] in (0, 1) and all(b - a == 1 for a, b in pairwise(values))


def _warn(sentence: str) -> None:
    warnings.warn(sentence, SceneWarning, stacklevel=3)
