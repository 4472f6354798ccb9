"""ENVI: samples in one file, a text header (``.hdr``) beside it.

Band centres and widths are kept in nm, gains and offsets as `scale_factor` and `add_offset` of the metadata. Other
header fields are kept in `metadata`, as a text or list of texts, and written back; metadata that a header cannot hold
go to a JSON file beside it.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bandpress.errors import SceneError
from bandpress.files import atomic_path
from bandpress.formats import envi_pair, georeference, gici
from bandpress.formats.envi_header import is_field, read_header, write_header
from bandpress.formats.raw import Interleave, map_cube, write_cube
from bandpress.formats.sidecar import read_sidecar, sidecar, with_facts, write_sidecar
from bandpress.formats.units import in_nm
from bandpress.scene import Scene, described

#: ENVI's code of each sample type.
TYPES = {
    1: "uint8",
    2: "int16",
    3: "int32",
    4: "float32",
    5: "float64",
    12: "uint16",
    13: "uint32",
    14: "int64",
    15: "uint64",
}

_GAINS = {"scale_factor": "data gain values", "add_offset": "data offset values"}
_SAID = {
    *("samples", "lines", "bands", "header offset", "file type", "data type", "interleave", "byte order"),
    *("wavelength", "wavelength units", "fwhm", "bbl", "data ignore value", "sensor type", *_GAINS.values()),
}


def claims(path: Path) -> bool:
    """Say whether a file is a header, or has one beside it."""
    return envi_pair.is_header(path) or envi_pair.header_of(path) is not None


def name_of(path: Path) -> str:
    """Return the name of the scene in a pair, given either file."""
    stem = envi_pair.scene_of(_header(path))
    # A header beside a GICI raw file has the geometry in its name too; the scene's name lacks it.
    return gici.name_in(f"{stem}.raw") or stem


def sources(path: Path) -> list[Path]:
    """Return the files that a scene is read from."""
    header = _header(path)
    data = envi_pair.data_files(header) if path == header else [path]
    return [header, *data, sidecar(header)]


def outputs(scene: Scene, path: Path) -> list[Path]:
    """Return the files that a scene is written to: header, data, sidecar.

    Raises
    ------
    SceneError
        If a reader would take other files beside them for the header of the data, or the data of the header.
    """
    header = path if envi_pair.is_header(path) else path.with_suffix(".hdr")
    data = path.with_suffix(".img") if path == header else path
    rivals = envi_pair.rivals(header, data, scene.dtype.itemsize * math.prod(scene.cube.shape))
    if rivals:
        raise SceneError(
            f"{header}: with {rivals[0].name} beside it, {data.name} could not be read back; expected another name"
        )
    return [header, data, sidecar(header)]


def read(path: Path) -> Scene:
    """Read a scene as a memory map.

    Parameters
    ----------
    path
        The header or the data file.

    Raises
    ------
    SceneError
        If one of them is missing, the header is not valid, or the data file has another size than it states.
    """
    header = _header(path)
    fields = read_header(header)
    dtype, shape, interleave, offset = _layout(fields, header)
    size = offset + dtype.itemsize * int(np.prod(shape, dtype=object))
    data = envi_pair.data_of(header, size) if header == path else path
    cube = map_cube(data, dtype, shape, interleave, offset)
    suffix = ".hdr" if data.suffix.lower() in ("", ".img", ".raw") else data.suffix.lower()
    origin = f"{suffix if suffix in envi_pair.DATA else '.hdr'} {interleave}"
    return _described(Scene(cube, name=name_of(header), origin=origin), fields, header)


def write(scene: Scene, path: Path, interleave: Interleave = "bsq") -> Path:
    """Write header and data file.

    Parameters
    ----------
    scene
        The scene.
    path
        The header, or the data file; the other file gets the same name with ``.img`` or ``.hdr``.
    interleave
        Order of the axes.

    Returns
    -------
    pathlib.Path
        The header.

    Raises
    ------
    SceneError
        If ENVI has no code for the sample type.
    """
    codes = {name: code for code, name in TYPES.items()}
    if scene.dtype.name not in codes:
        raise SceneError(
            f"{path}: ENVI has no type for {scene.dtype.name}; expected one of {', '.join(codes)}"
        )
    header, data, _ = outputs(scene, path)
    # Fields of bands that a header cannot hold go to the sidecar with the rest.
    of_bands = [k for k in ("wavelength", "fwhm") if _are_numbers(scene.metadata.get(k), scene.bands)]
    said = _SAID if scene.wavelengths or scene.fwhm else _SAID - {"wavelength units", *of_bands}
    kept = {
        k: v
        for k, v in scene.metadata.items()
        if k not in said and k not in georeference.KEYS and is_field(k, v)
    }
    gains = _gains(scene)
    held = {
        *kept,
        *(
            key
            for key, field in _GAINS.items()
            if field in gains and scene.metadata[key] == float(gains[field][0])
        ),
    }
    rest = {key: value for key, value in scene.metadata.items() if key not in held}
    fields: dict[str, Any] = {
        "samples": scene.samples,
        "lines": scene.lines,
        "bands": scene.bands,
        "header offset": 0,
        "file type": "ENVI Standard",
        "data type": codes[scene.dtype.name],
        "interleave": interleave,
        "byte order": 1 if scene.dtype.str.startswith(">") else 0,
        **kept,
        **georeference.to_envi(scene.metadata, header),
        **gains,
    }
    if scene.sensor is not None and is_field("sensor type", scene.sensor):
        fields["sensor type"] = scene.sensor
    if scene.nodata is not None:
        fields["data ignore value"] = repr(float(scene.nodata))
    for key, values in (("wavelength", scene.wavelengths), ("fwhm", scene.fwhm)):
        if values is not None:
            fields |= {"wavelength units": "Nanometers", key: [repr(float(value)) for value in values]}
    if scene.bad_bands is not None:
        fields["bbl"] = [0 if bad else 1 for bad in scene.bad_bands]
    unsaid = replace(scene, wavelengths=None, fwhm=None, bad_bands=None, nodata=None, metadata=rest)
    with atomic_path(header) as header_part, atomic_path(data) as data_part:
        with open(data_part, "wb") as file:
            write_cube(scene.cube, file, interleave)
        write_header(fields, header_part)
        write_sidecar(replace(unsaid, sensor=None if "sensor type" in fields else scene.sensor), header)
    return header


def _are_numbers(values: Any, count: int) -> bool:
    """Say whether values are a list of numbers, or of their texts, of this length."""
    try:
        return isinstance(values, list) and len([float(value) for value in values]) == count
    except (TypeError, ValueError):
        return False


def _header(path: Path) -> Path:
    header = path if envi_pair.is_header(path) else envi_pair.header_of(path)
    if header is None:
        raise SceneError(f"{path}: no ENVI header beside it; expected {path.with_suffix('.hdr').name}")
    return header


def _layout(fields: Mapping[str, Any], header: Path) -> tuple[np.dtype, tuple[int, int, int], str, int]:
    """Return sample type, (bands, lines, samples), order of axes, and bytes before the first sample."""
    try:
        bands, lines, samples = (int(fields[key]) for key in ("bands", "lines", "samples"))
        big = {"0": False, "1": True}[fields.get("byte order", "0")]
        dtype = np.dtype(TYPES[int(fields["data type"])]).newbyteorder("big" if big else "little")
        interleave = fields.get("interleave", "bsq").lower()
        offset = int(fields.get("header offset", "0"))
        if interleave not in ("bsq", "bil", "bip") or min(bands, lines, samples) < 1 or offset < 0:
            raise ValueError(
                f"interleave {interleave}, bands, lines, samples {(bands, lines, samples)}, header offset {offset}"
            )
        kind = fields.get("file type", "").lower()
        frames = [float(text) for text in fields.get("major frame offsets", ()) if text]
        if fields.get("file compression", "0") != "0" or any(frames) or "library" in kind or "tiff" in kind:
            raise ValueError(f"file type {kind!r}, file compression or frame offsets")
    except (KeyError, ValueError, IndexError, TypeError, AttributeError, OverflowError) as error:
        raise SceneError(
            f"{header}: {error} cannot be used; expected bands, lines, samples, data type (one of "
            f"{', '.join(map(str, TYPES))}), byte order (0 or 1) and interleave (bsq, bil or bip)"
        ) from None
    return dtype, (bands, lines, samples), interleave, offset


def _described(scene: Scene, fields: Mapping[str, Any], header: Path) -> Scene:
    """Return the scene with the metadata of the header."""
    known: dict[str, Any] = {}
    metadata = {key: value for key, value in fields.items() if key not in _SAID}
    try:
        known |= in_nm(header, fields.get("wavelength units"), fields.get("wavelength"), fields.get("fwhm"))
        for key, field in (("wavelengths", "wavelength"), ("fwhm", "fwhm")):
            if field in fields and key not in known:
                if len(fields[field]) != scene.bands:
                    raise ValueError(f"{len(fields[field])} {key} for {scene.bands} bands")
                metadata |= {k: fields[k] for k in (field, "wavelength units") if k in fields}
        if "bbl" in fields:
            known["bad_bands"] = tuple(float(value) == 0 for value in fields["bbl"])
        if "data ignore value" in fields:
            value = fields["data ignore value"]
            known["nodata"] = float(value[0] if isinstance(value, list) else value)
        if fields.get("sensor type", "Unknown").lower() != "unknown":
            known["sensor"] = fields["sensor type"]
        for key, field in _GAINS.items():
            if field in fields:
                values = [float(value) for value in fields[field]]
                if all(map(math.isfinite, values)):
                    metadata[key] = values[0] if len(set(values)) == 1 else values
                else:
                    metadata[field] = fields[field]
        scene = described(scene, header, **known)
    except (ValueError, TypeError, AttributeError) as error:
        raise SceneError(f"{header}: {error}; expected numbers, one per band") from None
    found = read_sidecar(header)
    return with_facts(
        scene, {**found, "metadata": {**metadata, **found.get("metadata", {})}}, sidecar(header)
    )


def _gains(scene: Scene) -> dict[str, list[str]]:
    """Return scale and offset as ENVI's gains and offsets, one per band."""
    found: dict[str, list[str]] = {}
    for key, field in _GAINS.items():
        value = scene.metadata.get(key)
        values = value if isinstance(value, list | tuple) else [value] * scene.bands
        numbers = [float(v) for v in values if isinstance(v, int | float)]
        if len(numbers) == scene.bands == len(values):
            found[field] = list(map(repr, numbers))
    return found
