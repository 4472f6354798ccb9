"""Metadata of a scene as JSON, checked when read.

One object with any of `wavelengths` and `fwhm` (nm, one per band), `bad_bands` (true for a bad one, one per band),
`sensor`, `nodata` and `metadata`, in ``.bpk`` files also `origin`. Numbers are finite, except `nodata`, which may be
the text ``"nan"``, ``"inf"`` or ``"-inf"``.
"""

import json
import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from bandpress.errors import SceneError
from bandpress.scene import Scene, described

_DEEPEST = 32
_LARGEST = 1 << 64


def _text(text: str) -> str:
    text.encode()  # a lone surrogate cannot be written again: a UnicodeEncodeError, which is a ValueError
    return text


def _plain(value: Any, depth: int = 0) -> Any:
    """Return a value that JSON reproduces exactly; raise a ValueError for others."""
    if depth > _DEEPEST:
        raise ValueError(f"more than {_DEEPEST} levels of lists and objects")
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise ValueError("an integer of more than 64 bits")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number that is not finite")
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise ValueError("an object whose keys are not all text")
        return {_text(key): _plain(item, depth + 1) for key, item in value.items()}
    if value is None or isinstance(value, bool | int | float):
        return value
    raise ValueError(f"a value of type {type(value).__name__}, which JSON does not have")


Text = Annotated[str, AfterValidator(_text)]
Number = Annotated[FiniteFloat, Field(strict=True)]


class Facts(BaseModel):
    """Schema of the object; unknown keys are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore")

    wavelengths: Annotated[list[Number], Field(strict=False)] | None = None
    fwhm: Annotated[list[Number], Field(strict=False)] | None = None
    bad_bands: Annotated[list[bool], Field(strict=False)] | None = None
    sensor: Text | None = None
    nodata: Number | Literal["nan", "inf", "-inf"] | None = None
    metadata: Annotated[dict[str, Any], AfterValidator(_plain)] = {}
    origin: Text | None = None


def facts(scene: Scene) -> dict[str, Any]:
    """Return all metadata of a scene except its name, as JSON.

    Raises
    ------
    SceneError
        If it cannot be written as JSON.
    """
    found: dict[str, Any] = {}
    for key, kind in (("wavelengths", float), ("fwhm", float), ("bad_bands", bool)):
        if getattr(scene, key) is not None:
            found[key] = [kind(value) for value in getattr(scene, key)]
    if scene.sensor is not None:
        found["sensor"] = scene.sensor
    if scene.nodata is not None:
        found["nodata"] = float(scene.nodata) if math.isfinite(scene.nodata) else str(float(scene.nodata))
    if scene.metadata:
        found["metadata"] = dict(scene.metadata)
    _checked(found, f"scene {scene.name}")
    return found


def with_facts(scene: Scene, found: Any, where: object) -> Scene:
    """Return the scene with metadata from `facts`; `where` names their file in messages.

    Raises
    ------
    SceneError
        If it is not a valid result of `facts` for a scene of this number of bands.
    """
    said = _checked(found, where)
    known: dict[str, Any] = {key: getattr(said, key) for key in Facts.model_fields if key in found}
    known["origin"] = scene.origin if said.origin is None else said.origin
    for key in ("wavelengths", "fwhm", "bad_bands"):
        if known.get(key) is not None:
            known[key] = tuple(known[key])
    if known.get("nodata") is not None:
        known["nodata"] = float(known["nodata"])
    return described(scene, where, **known)


def check(found: Any, bands: int) -> None:
    """Check the metadata of a scene with this number of bands.

    Raises
    ------
    ValueError
        If it is not valid.
    """
    try:
        said = _checked(found, "metadata")
    except SceneError as error:
        raise ValueError(str(error)) from None
    for key in ("wavelengths", "fwhm", "bad_bands"):
        values = getattr(said, key)
        if values is not None and len(values) != bands:
            raise ValueError(f"{len(values)} {key} for {bands} bands")


def parse(text: str | bytes, where: object) -> dict[str, Any]:
    """Return the JSON object of an untrusted text.

    Raises
    ------
    SceneError
        If it is not a JSON object, or holds NaN, infinities or huge integers.
    """

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not a JSON number")

    try:
        found = json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise SceneError(f"{where}: not JSON ({error}); expected the metadata of a scene") from None
    if not isinstance(found, dict):
        raise SceneError(f"{where}: {type(found).__name__}; expected an object")
    return found


def _checked(found: Any, where: object) -> Facts:
    try:
        return Facts.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        message = first["msg"].removeprefix("Value error, ")
        raise SceneError(
            f"{where}: {place}: {message}; expected an object with any of {', '.join(Facts.model_fields)}"
        ) from None
