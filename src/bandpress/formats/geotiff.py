"""GeoTIFF, through rasterio, and EnMAP products: GeoTIFF with an XML file that describes the bands.

Written band sequential and uncompressed. GeoTIFF's own fields hold coordinate system, transform, control points,
no-data value, scale and offset, units and names of bands, tags of file and bands (``wavelength``, ``fwhm``, ``bbl``
among these). The file's tag ``BANDPRESS`` holds all other metadata, as JSON.
"""

import json
import math
import re
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from bandpress.errors import SceneError, SceneWarning
from bandpress.facts import facts, with_facts
from bandpress.files import atomic_path
from bandpress.formats import georeference
from bandpress.formats.arrays import check_size, info_of
from bandpress.formats.units import in_nm
from bandpress.optional import require
from bandpress.scene import Scene, described

_TAG = "BANDPRESS"
#: Namespaces of tags that are read, and those in which GDAL repeats what it says elsewhere.
_DOMAINS = {"", "RPC", "IMAGERY", "IMAGE_STRUCTURE", "DERIVED_SUBDATASETS"}
_OF_BAND = ("wavelength", "wavelength_units", "fwhm", "bbl")
_ENMAP = re.compile(
    r"(?P<product>ENMAP.+-)SPECTRAL_IMAGE(?P<part>_VNIR|_SWIR)?(?P<ending>_COG)?\.TIFF?", re.IGNORECASE
)


def read(path: Path) -> Scene:
    """Read a scene into memory.

    Raises
    ------
    SceneError
        If the file is not a TIFF, or its samples are not real numbers.
    """
    rasterio = require("rasterio", path)
    try:
        with georeference.quiet(rasterio), rasterio.open(path, driver="GTiff") as file:
            if any(np.dtype(kind).kind not in "iuf" for kind in file.dtypes):
                raise SceneError(f"{path}: samples are {file.dtypes[0]}; expected integers or floats")
            itemsize = max(np.dtype(kind).itemsize for kind in file.dtypes)
            check_size(file.count * file.height * file.width * itemsize, path.stat().st_size)
            cube = file.read()
            cube = cube.astype(cube.dtype.newbyteorder(_order(path)), copy=False)
            scene = _described(Scene(cube, name=path.stem, origin=path.suffix.lower()), file, path)
    except (rasterio.errors.RasterioError, TypeError, ValueError, MemoryError) as error:
        raise SceneError(f"{path}: cannot be read ({error}); expected a GeoTIFF") from None
    match = _ENMAP.fullmatch(path.name)
    return scene if match is None else _enmap(scene, path, match)


def sources(path: Path) -> list[Path]:
    """Return the files that a scene is read from."""
    match = _ENMAP.fullmatch(path.name)
    return [path, *_beside(path), *([] if match is None else _xml(path, match))]


def outputs(scene: Scene, path: Path) -> list[Path]:
    """Return the files that are written, replaced or removed; GDAL would read leftovers as part of the new file."""
    return [path, *_beside(path)]


def write(scene: Scene, path: Path) -> Path:
    """Write a scene.

    Raises
    ------
    SceneError
        If TIFF has no such sample type.
    """
    rasterio = require("rasterio", path)
    if scene.dtype.kind not in "iuf":
        raise SceneError(f"{path}: GeoTIFF has no type for {scene.dtype.name}; expected integers or floats")
    options = georeference.for_dataset(scene.metadata, path)
    options["ENDIANNESS"] = "BIG" if scene.dtype.str.startswith(">") else "LITTLE"
    if scene.dtype.kind == "f":
        # Otherwise GDAL omits blocks of zeros, including -0.0, and reads them as +0.0.
        options["COMPRESS"] = "DEFLATE"
    if scene.nodata is not None and _fits(scene.nodata, scene.dtype):
        options["nodata"] = scene.nodata
    shape = {"count": scene.bands, "height": scene.lines, "width": scene.samples, "dtype": scene.dtype.name}
    try:
        with (
            georeference.quiet(rasterio),
            atomic_path(path) as part,
            rasterio.open(
                part, "w", driver="GTiff", interleave="band", BIGTIFF="IF_SAFER", **shape, **options
            ) as file,
        ):
            for index, band in enumerate(scene.cube, start=1):
                file.write(band.astype(band.dtype.newbyteorder("="), copy=False), index)
            _describe(file, scene, set(options))
        for other in _beside(path):
            other.unlink(missing_ok=True)
    except (rasterio.errors.RasterioError, TypeError, KeyError, ValueError) as error:
        raise SceneError(
            f"{path}: cannot be written as GeoTIFF ({error}); samples are {scene.dtype.name}"
        ) from None
    return path


def _describe(file: Any, scene: Scene, done: set[str]) -> None:
    """Write the metadata of a scene except `done`: in GeoTIFF's own tags where possible, the rest in ours."""
    metadata = dict(scene.metadata)
    for key in georeference.KEYS:
        if key in done:
            metadata.pop(key, None)
    for key, name in (("scale_factor", "scales"), ("add_offset", "offsets"), ("units", "units")):
        values = metadata.get(key)
        values = values if isinstance(values, list) else [values] * scene.bands
        kind = str if key == "units" else int | float
        if len(values) == scene.bands and all(isinstance(value, kind) for value in values):
            setattr(file, name, tuple(values))
            metadata.pop(key)
    names = metadata.get("band names")
    if _texts(names, scene.bands):
        file.descriptions = tuple(metadata.pop("band names"))
    if _tags(metadata.get("tags")):
        file.update_tags(**metadata.pop("tags"))
    if _tags(metadata.get("rpc")):
        file.update_tags(ns="RPC", **metadata.pop("rpc"))
    others = metadata.get("band tags")
    others = metadata.pop("band tags") if _tag_lists(others, scene.bands) else [{}] * scene.bands
    for band, tags in enumerate(others):
        file.update_tags(band + 1, **{**tags, **_band_tags(scene, band)})
    nodata = None if "nodata" in done else scene.nodata
    rest = replace(scene, wavelengths=None, fwhm=None, bad_bands=None, nodata=nodata, metadata=metadata)
    if facts(rest):
        file.update_tags(**{_TAG: json.dumps(facts(rest), sort_keys=True)})


def _band_tags(scene: Scene, band: int) -> dict[str, str]:
    tags: dict[str, str] = {}
    if scene.wavelengths is not None or scene.fwhm is not None:
        tags["wavelength_units"] = "Nanometers"
    if scene.wavelengths is not None:
        tags["wavelength"] = repr(float(scene.wavelengths[band]))
    if scene.fwhm is not None:
        tags["fwhm"] = repr(float(scene.fwhm[band]))
    if scene.bad_bands is not None:
        tags["bbl"] = "0" if scene.bad_bands[band] else "1"
    return tags


def _described(scene: Scene, file: Any, path: Path) -> Scene:
    """Return the scene with the file's metadata."""
    tags = dict(file.tags())
    own = info_of(tags.get(_TAG), path)  # None: a tag of another program
    if own is not None:
        del tags[_TAG]
    if tags.get("AREA_OR_POINT") == "Area":  # the default without this tag
        del tags["AREA_OR_POINT"]
    bands = [dict(file.tags(index)) for index in file.indexes]
    metadata = georeference.of_dataset(file)
    known: dict[str, Any] = {"nodata": file.nodata}
    try:
        known |= _centres(file, path, bands, tags)
    except ValueError:
        warnings.warn(
            f"{path}: wavelengths that are not numbers are kept as text", SceneWarning, stacklevel=3
        )
    if all(tag.get("bbl") in ("0", "1") for tag in bands):
        known["bad_bands"] = tuple(tag.pop("bbl") == "0" for tag in bands)
    for key, values, usual in (
        ("scale_factor", file.scales, (1.0,)),
        ("add_offset", file.offsets, (0.0,)),
        ("units", file.units, (None, "")),
    ):
        if any(value not in usual for value in values):
            said = ["" if value is None else value for value in values]
            metadata[key] = said[0] if len(set(said)) == 1 else said
    if any(file.descriptions):
        metadata["band names"] = [text or "" for text in file.descriptions]
    metadata |= {key: value for key, value in (("tags", tags), ("rpc", file.tags(ns="RPC"))) if value}
    if any(bands):
        metadata["band tags"] = bands
    flags = {flag.name for band in file.mask_flag_enums for flag in band}
    if "per_dataset" in flags and "alpha" not in flags:
        warnings.warn(f"{path}: its mask is left out; expected a no-data value", SceneWarning, stacklevel=3)
    if left := _left_out(file):
        warnings.warn(f"{path}: left out: {', '.join(left)}", SceneWarning, stacklevel=3)
    scene = replace(scene, metadata=metadata, **known)
    rest: dict[str, Any] = own or {}
    kept = rest.get("metadata") if isinstance(rest.get("metadata"), dict) else {}
    return with_facts(scene, {**rest, "metadata": {**(kept or {}), **metadata}}, path)


def _left_out(file: Any) -> list[str]:
    """Name what a file holds that a scene does not: tags of other programs' namespaces, colour tables."""
    domains = {name for index in (0, *file.indexes) for name in file.tag_namespaces(index)}
    palettes = [colour for colour in file.colorinterp if colour.name == "palette"]
    return [f"tags of {name}" for name in sorted(domains - _DOMAINS)] + ["a colour table"] * bool(palettes)


def _centres(file: Any, path: Path, bands: list[dict[str, str]], tags: dict[str, str]) -> dict[str, Any]:
    """Return wavelengths and widths, and remove their tags from the bands' tags."""
    imagery = [file.tags(index, ns="IMAGERY") for index in file.indexes]
    if all("CENTRAL_WAVELENGTH_UM" in tag for tag in imagery):
        widths = [tag["FWHM_UM"] for tag in imagery] if all("FWHM_UM" in tag for tag in imagery) else None
        return in_nm(path, "um", [tag["CENTRAL_WAVELENGTH_UM"] for tag in imagery], widths)
    given = {
        key: [tag[name] for tag in bands] if all(name in tag for tag in bands) else None
        for key, name in (("wavelengths", "wavelength"), ("fwhm", "fwhm"))
    }
    units = {tag.get("wavelength_units", tags.get("wavelength_units", "")) for tag in bands}
    known = in_nm(path, units.pop() if len(units) == 1 else "several units", **given)
    taken = [name for key, name in (("wavelengths", "wavelength"), ("fwhm", "fwhm")) if key in known]
    for tag in bands:
        for name in taken:
            tag.pop(name)
        if taken and not {"wavelength", "fwhm"} & set(tag):
            tag.pop("wavelength_units", None)
    return known


def _enmap(scene: Scene, path: Path, match: re.Match[str]) -> Scene:
    """Return the scene with the band metadata of the product's XML file, if there is one."""
    scene = replace(scene, sensor=scene.sensor or "EnMAP")
    beside = _xml(path, match)
    if not beside:
        return scene
    try:
        bands = ElementTree.parse(beside[0]).getroot().findall(".//bandCharacterisation/bandID")
        centres = [float(band.findtext("wavelengthCenterOfBand", "")) for band in bands]
        widths = [float(band.findtext("FWHMOfBand", "")) for band in bands]
    except (ElementTree.ParseError, ValueError) as error:
        raise SceneError(
            f"{beside[0]}: cannot be read ({error}); expected the metadata of an EnMAP product"
        ) from None
    if len(bands) != scene.bands and match["part"]:  # level 1B: one file a spectrometer, VNIR described first
        cut = (
            slice(0, scene.bands)
            if match["part"].upper() == "_VNIR"
            else slice(len(bands) - scene.bands, None)
        )
        centres, widths = centres[cut], widths[cut]
    return described(scene, beside[0], wavelengths=tuple(centres), fwhm=tuple(widths))


def _beside(path: Path) -> list[Path]:
    """Return the files beside a GeoTIFF that GDAL searches for metadata, a mask, overviews and the transform."""
    whole = [path.with_name(path.name + ending) for ending in (".aux.xml", ".msk", ".ovr")]
    return whole + [path.with_suffix(ending) for ending in (".tfw", ".tifw", ".tiffw", ".wld")]


def _xml(path: Path, match: re.Match[str]) -> list[Path]:
    wanted = f"{match['product']}METADATA.XML".upper()
    return [other for other in path.parent.iterdir() if other.name.upper() == wanted]


def _order(path: Path) -> str:
    with open(path, "rb") as file:
        return ">" if file.read(2) == b"MM" else "<"


def _fits(value: float, dtype: np.dtype) -> bool:
    if dtype.kind == "f":
        return True
    return (
        math.isfinite(value) and value == int(value) and np.iinfo(dtype).min <= value <= np.iinfo(dtype).max
    )


def _texts(values: Any, count: int) -> bool:
    return isinstance(values, list) and len(values) == count and all(isinstance(text, str) for text in values)


def _tags(values: Any) -> bool:
    return isinstance(values, Mapping) and all(isinstance(text, str) for text in values.values())


def _tag_lists(values: Any, count: int) -> bool:
    return isinstance(values, list) and len(values) == count and all(map(_tags, values))
