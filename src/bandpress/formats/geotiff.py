"""GeoTIFF, through rasterio, and EnMAP products, which are GeoTIFF with their bands described in XML beside.

Written band sequential and uncompressed. Band centres and widths are tags of each band (``wavelength``, ``fwhm``,
``bbl``), as other programmes read them; the tag ``BANDPRESS`` of the file holds all that is known, as JSON. Coordinate
system and transform are in `metadata` as ``crs`` (WKT) and ``transform`` (six numbers, GDAL's order).
"""

import json
import math
import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from bandpress.errors import SceneError
from bandpress.files import atomic_path
from bandpress.formats.optional import require
from bandpress.formats.sidecar import facts, with_facts
from bandpress.scene import Scene

_TAG = "BANDPRESS"
_ENMAP = re.compile(
    r"(?P<product>ENMAP.+-)SPECTRAL_IMAGE(?P<part>_VNIR|_SWIR)?(?P<ending>_COG)?\.TIFF?", re.IGNORECASE
)


def read(path: Path) -> Scene:
    """Read a scene into memory.

    Raises
    ------
    SceneError
        If the file is no TIFF, or its samples are no numbers.
    """
    rasterio = require("rasterio", path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            with rasterio.open(path, driver="GTiff") as file:
                cube = file.read()
                if cube.dtype.kind not in "iuf":
                    raise SceneError(f"{path}: samples are {cube.dtype}; expected integers or floats")
                scene = Scene(cube.astype(cube.dtype.newbyteorder(_order(path)), copy=False), name=path.stem)
                scene = _described(scene, file, path)
    except rasterio.errors.RasterioError as error:
        raise SceneError(f"{path}: cannot be read ({error}); expected a GeoTIFF") from None
    match = _ENMAP.fullmatch(path.name)
    return scene if match is None else _enmap(scene, path, match)


def write(scene: Scene, path: Path) -> Path:
    """Write a scene.

    Raises
    ------
    SceneError
        If TIFF has no type for its samples.
    """
    rasterio = require("rasterio", path)
    if scene.dtype.kind not in "iuf":
        raise SceneError(f"{path}: GeoTIFF has no type for {scene.dtype.name}; expected integers or floats")
    metadata = scene.metadata
    options: dict[str, Any] = {"ENDIANNESS": "BIG" if scene.dtype.str.startswith(">") else "LITTLE"}
    if scene.dtype.kind == "f":
        # Else GDAL leaves out blocks of zeros, blocks of -0.0 among them, and reads them as +0.0.
        options["COMPRESS"] = "DEFLATE"
    if scene.nodata is not None and _fits(scene.nodata, scene.dtype):
        options["nodata"] = scene.nodata
    if isinstance(metadata.get("crs"), str) and len(metadata.get("transform", ())) == 6:
        options["crs"] = metadata["crs"]
        options["transform"] = rasterio.Affine.from_gdal(*metadata["transform"])
    try:
        with warnings.catch_warnings(), atomic_path(path) as part:
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            with rasterio.open(
                part,
                "w",
                driver="GTiff",
                count=scene.bands,
                height=scene.lines,
                width=scene.samples,
                dtype=scene.dtype.name,
                interleave="band",
                BIGTIFF="IF_SAFER",
                **options,
            ) as file:
                for index, band in enumerate(scene.cube, start=1):
                    file.write(band.astype(band.dtype.newbyteorder("="), copy=False), index)
                    file.update_tags(index, **_band_tags(scene, index - 1))
                if facts(scene):
                    file.update_tags(**{_TAG: json.dumps(facts(scene), sort_keys=True)})
    except (rasterio.errors.RasterioError, TypeError, KeyError, ValueError) as error:
        raise SceneError(
            f"{path}: cannot be written as GeoTIFF ({error}); samples are {scene.dtype.name}"
        ) from None
    return path


def _band_tags(scene: Scene, band: int) -> dict[str, str]:
    tags: dict[str, str] = {}
    if scene.wavelengths is not None:
        tags |= {"wavelength": repr(float(scene.wavelengths[band])), "wavelength_units": "Nanometers"}
    if scene.fwhm is not None:
        tags["fwhm"] = repr(float(scene.fwhm[band]))
    if scene.bad_bands is not None:
        tags["bbl"] = "0" if scene.bad_bands[band] else "1"
    return tags


def _described(scene: Scene, file: Any, path: Path) -> Scene:
    """Return the scene with what the file's tags say of it."""
    own = file.tags().get(_TAG)
    if own is not None:
        try:
            return with_facts(scene, json.loads(own), path)
        except ValueError:
            raise SceneError(
                f"{path}: the tag {_TAG} is not JSON; expected what is known of the scene"
            ) from None
    known: dict[str, Any] = {"nodata": file.nodata}
    bands = [file.tags(index) for index in file.indexes]
    imagery = [file.tags(index, ns="IMAGERY") for index in file.indexes]
    for key, tag, other in (
        ("wavelengths", "wavelength", "CENTRAL_WAVELENGTH_UM"),
        ("fwhm", "fwhm", "FWHM_UM"),
    ):
        try:
            if all(other in tags for tags in imagery):
                known[key] = tuple(1e3 * float(tags[other]) for tags in imagery)
            elif all(tag in tags for tags in bands):
                micro = [
                    tags.get("wavelength_units", "nm").lower().startswith(("mic", "um", "μm"))
                    for tags in bands
                ]
                known[key] = tuple(
                    float(tags[tag]) * (1e3 if m else 1.0) for tags, m in zip(bands, micro, strict=True)
                )
        except ValueError:
            continue
    metadata: dict[str, Any] = {}
    if file.crs is not None:
        metadata = {"crs": file.crs.to_wkt(), "transform": list(file.transform.to_gdal())}
    return replace(scene, metadata=metadata, **known)


def _enmap(scene: Scene, path: Path, match: re.Match[str]) -> Scene:
    """Return the scene with what the product's XML says of its bands; without that file, as it is."""
    scene = replace(scene, sensor=scene.sensor or "EnMAP")
    beside = [p for p in path.parent.iterdir() if p.name.upper() == f"{match['product']}METADATA.XML".upper()]
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
    return replace(scene, wavelengths=tuple(centres), fwhm=tuple(widths))


def _order(path: Path) -> str:
    with open(path, "rb") as file:
        return ">" if file.read(2) == b"MM" else "<"


def _fits(value: float, dtype: np.dtype) -> bool:
    if dtype.kind == "f":
        return True
    return (
        math.isfinite(value) and value == int(value) and np.iinfo(dtype).min <= value <= np.iinfo(dtype).max
    )
