"""Georeference of a scene: ``crs`` (WKT), ``transform`` (GDAL's six numbers), ``gcps``, and ENVI's fields.

GDAL converts, through an ENVI file of two samples, so ``map info`` has GDAL's meaning.
"""

import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bandpress.errors import BandpressError, SceneWarning
from bandpress.formats.envi_header import read_header, write_header
from bandpress.optional import require

#: Metadata keys of a georeference, in GeoTIFF's terms and in ENVI's.
KEYS = ("crs", "transform", "gcps")
ENVI_KEYS = ("map info", "coordinate system string", "projection info", "geo points")
_HEADER = {
    "samples": 2,
    "lines": 1,
    "bands": 1,
    "header offset": 0,
    "file type": "ENVI Standard",
    "data type": 1,
    "interleave": "bsq",
    "byte order": 0,
}


def of_dataset(file: Any) -> dict[str, Any]:
    """Return the georeference of an open rasterio data set, as metadata."""
    found: dict[str, Any] = {}
    if file.crs is not None:
        found["crs"] = file.crs.to_wkt()
    if not file.transform.is_identity:
        found["transform"] = list(file.transform.to_gdal())
    points, crs = file.gcps
    if points:
        found["gcps"] = {
            "crs": None if crs is None else crs.to_wkt(),
            "points": [[p.row, p.col, p.x, p.y, p.z or 0.0] for p in points],
        }
    return found


def for_dataset(metadata: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return rasterio's options for writing a scene's georeference.

    Warns if the georeference cannot be written.
    """
    rasterio = require("rasterio", path)
    said = {key: metadata[key] for key in KEYS if key in metadata}
    if not said and any(key in metadata for key in ENVI_KEYS):
        said = of_envi(metadata, path)
    try:
        options: dict[str, Any] = {}
        if "crs" in said:
            options["crs"] = rasterio.crs.CRS.from_user_input(said["crs"])
        if "transform" in said:
            options["transform"] = rasterio.Affine.from_gdal(*map(float, said["transform"]))
        if "gcps" in said and "transform" not in said:
            points = [rasterio.control.GroundControlPoint(*map(float, p)) for p in said["gcps"]["points"]]
            options["gcps"] = points
            if said["gcps"].get("crs") is not None:
                options["crs"] = rasterio.crs.CRS.from_user_input(said["gcps"]["crs"])
        return options
    except (rasterio.errors.RasterioError, ValueError, TypeError, KeyError, AttributeError) as error:
        _left_out(path, error)
        return {}


def on_grid(metadata: Mapping[str, Any], path: Path) -> tuple[str, list[float]] | None:
    """Return WKT and GDAL's transform if a scene's lines and samples run along the axes of its system, or None.

    None also without rasterio, or if it cannot read them.
    """
    if not any(key in metadata for key in (*KEYS, *ENVI_KEYS)):
        return None
    try:
        with warnings.catch_warnings(action="ignore", category=SceneWarning):
            options = for_dataset(metadata, path)
    except BandpressError:
        return None
    if "crs" not in options or "transform" not in options:
        return None
    transform = list(options["transform"].to_gdal())
    return None if transform[2] or transform[4] else (options["crs"].to_wkt(), transform)


def of_envi(fields: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return `crs`, `transform` and `gcps` from ENVI's fields; nothing, with a warning, if GDAL cannot read them."""
    rasterio = require("rasterio", path)
    given = {key: fields[key] for key in ENVI_KEYS if key in fields}
    try:
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder) / "one.img"
            data.write_bytes(bytes(2))
            # GDAL splits a list at its commas.
            write_header(
                _HEADER | {k: v if isinstance(v, list) else [v] for k, v in given.items()},
                data.with_suffix(".hdr"),
            )
            with quiet(rasterio), rasterio.open(data) as file:
                found = of_dataset(file)
    except (rasterio.errors.RasterioError, OSError, ValueError) as error:
        _left_out(path, error)
        return {}
    if not found:
        _left_out(path, "map info that GDAL cannot read")
    return found


def to_envi(metadata: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return ENVI's fields for `crs` and `transform`; nothing, with a warning, if ENVI cannot express them."""
    if not any(key in metadata for key in KEYS) or any(key in metadata for key in ENVI_KEYS):
        return {}  # no georeference, or already in ENVI's fields
    try:
        rasterio = require("rasterio", path)
    except BandpressError as error:
        _left_out(path, error)
        return {}
    options = for_dataset(metadata, path)
    try:
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder) / "one.img"
            shape = {"count": 1, "height": 1, "width": 2, "dtype": "uint8"}
            with quiet(rasterio), rasterio.open(data, "w", driver="ENVI", **shape, **options):
                pass
            with quiet(rasterio), rasterio.open(data) as file:
                kept = of_dataset(file)
            written = read_header(data.with_suffix(".hdr"))
    except (rasterio.errors.RasterioError, OSError, BandpressError) as error:
        _left_out(path, error)
        return {}
    wanted = options.get("transform")
    if "gcps" in options or (wanted is not None and not _close(kept.get("transform"), wanted.to_gdal())):
        _left_out(path, "a transform or control points that ENVI headers cannot hold")
        return {}
    return {key: written[key] for key in ENVI_KEYS if key in written}


def _close(one: Any, two: Any) -> bool:
    return one is not None and all(
        abs(a - b) <= 1e-9 * max(1.0, abs(b)) for a, b in zip(one, two, strict=True)
    )


@contextmanager
def quiet(rasterio: Any) -> Iterator[None]:
    """Ignore warnings about files without a georeference, and tracebacks about GDAL's messages that are not UTF-8."""
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        with warnings.catch_warnings(action="ignore", category=rasterio.errors.NotGeoreferencedWarning):
            yield
    finally:
        sys.unraisablehook = hook


def _left_out(path: Path, why: object) -> None:
    warnings.warn(f"{path}: the georeference is left out ({why})", SceneWarning, stacklevel=3)
