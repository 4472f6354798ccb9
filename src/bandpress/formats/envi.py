"""ENVI: samples in one file, a text header (``.hdr``) beside it. Headers are read and written by `spectral`.

Band centres and widths are kept in nm. Header fields that a scene has no place for are in its `metadata`, as the text
or list of texts that they are, and are written back.
"""

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bandpress.errors import SceneError
from bandpress.files import atomic_path
from bandpress.formats import gici
from bandpress.formats.optional import require
from bandpress.formats.raw import Interleave, map_cube, write_cube
from bandpress.formats.sidecar import read_sidecar, sidecar, with_facts, write_sidecar
from bandpress.scene import Scene

#: ENVI's code of each type that it can hold.
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

#: Endings of data files, as they are looked for beside a header.
DATA = (".img", ".dat", ".raw", ".bin", ".bsq", ".bil", ".bip", ".hyspex", "")
_TO_NM = {
    "nanometers": 1.0,
    "nanometer": 1.0,
    "nm": 1.0,
    "micrometers": 1e3,
    "micrometer": 1e3,
    "microns": 1e3,
    "um": 1e3,
}
_SAID = {
    *("samples", "lines", "bands", "header offset", "file type", "data type", "interleave", "byte order"),
    *("wavelength", "wavelength units", "fwhm", "bbl", "data ignore value", "sensor type"),
}


def claims(path: Path) -> bool:
    """Say whether a file is a header, or has one beside it."""
    return path.suffix.lower() == ".hdr" or _header_of(path) is not None


def read(path: Path) -> Scene:
    """Read a scene as a memory map.

    Parameters
    ----------
    path
        The header or the data file.

    Raises
    ------
    SceneError
        If one of them is missing, the header cannot be understood, or the data file has another size than it says.
    """
    header = path if path.suffix.lower() == ".hdr" else _header_of(path)
    if header is None:
        raise SceneError(f"{path}: no ENVI header beside it; expected {path.with_suffix('.hdr').name}")
    data = _data_of(header) if header == path else path
    fields = _fields(header)
    try:
        shape = tuple(int(fields[key]) for key in ("bands", "lines", "samples"))
        big = {"0": False, "1": True}[fields.get("byte order", "0")]
        dtype = np.dtype(TYPES[int(fields["data type"])]).newbyteorder("big" if big else "little")
        interleave = fields.get("interleave", "bsq").lower()
        offset = int(fields.get("header offset", "0"))
        if interleave not in ("bsq", "bil", "bip") or min(shape) < 1 or offset < 0:
            raise ValueError(
                f"interleave {interleave}, bands, lines, samples {shape}, header offset {offset}"
            )
        if fields.get("file compression", "0") != "0":
            raise ValueError("file compression")
    except (KeyError, ValueError, IndexError, TypeError, AttributeError) as error:
        raise SceneError(
            f"{header}: {error} cannot be used; expected bands, lines, samples, data type (one of "
            f"{', '.join(map(str, TYPES))}), byte order (0 or 1) and interleave (bsq, bil or bip)"
        ) from None
    cube = map_cube(data, dtype, shape, interleave, offset)  # type: ignore[arg-type]
    return _described(Scene(cube, name=_name(header)), fields, header)


def write(scene: Scene, path: Path, interleave: Interleave = "bsq") -> Path:
    """Write header and data file.

    Parameters
    ----------
    scene
        What to write.
    path
        The header; the data file gets its name with ``.img``. Or a data file; the header gets its name with ``.hdr``.
    interleave
        Order of the axes.

    Returns
    -------
    pathlib.Path
        The header.

    Raises
    ------
    SceneError
        If ENVI has no code for the type of the samples.
    """
    codes = {name: code for code, name in TYPES.items()}
    if scene.dtype.name not in codes:
        raise SceneError(
            f"{path}: ENVI has no type for {scene.dtype.name}; expected one of {', '.join(codes)}"
        )
    envi = require("spectral.io.envi", path)
    header = path.with_suffix(".hdr")
    data = path.with_suffix(".img") if path.suffix.lower() == ".hdr" else path
    kept = {key: value for key, value in scene.metadata.items() if _is_field(key, value)}
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
    }
    if scene.sensor is not None:
        fields["sensor type"] = scene.sensor
    if scene.nodata is not None:
        fields["data ignore value"] = repr(float(scene.nodata))
    if scene.wavelengths is not None:
        fields |= {
            "wavelength units": "Nanometers",
            "wavelength": [repr(float(w)) for w in scene.wavelengths],
        }
    if scene.fwhm is not None:
        fields |= {"wavelength units": "Nanometers", "fwhm": [repr(float(w)) for w in scene.fwhm]}
    if scene.bad_bands is not None:
        fields["bbl"] = [0 if bad else 1 for bad in scene.bad_bands]
    rest = {key: value for key, value in scene.metadata.items() if key not in kept}
    with atomic_path(header) as header_part, atomic_path(data) as data_part:
        with open(data_part, "wb") as file:
            write_cube(scene.cube, file, interleave)
        envi.write_envi_header(str(header_part), fields)
        write_sidecar(Scene(scene.cube, metadata=rest), header)
    return header


def _is_field(key: str, value: Any) -> bool:
    """Say whether a header gives back this entry of a scene's metadata as it is."""
    texts = value if isinstance(value, list) and value else [value]
    plain = (
        key == key.strip().lower()
        and key.isprintable()
        and "=" not in key
        and key not in _SAID
        and key[:1] != ";"
    )
    return plain and all(
        isinstance(text, str)
        and text == text.strip() != ""
        and text.isprintable()
        and text.isascii()
        and not set("{},") & set(text)
        for text in texts
    )


def _fields(header: Path) -> dict[str, Any]:
    envi = require("spectral.io.envi", header)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return envi.read_envi_header(str(header))
    except (envi.EnviException, UnicodeDecodeError, IndexError):
        raise SceneError(
            f"{header}: not an ENVI header; expected ENVI in its first line, then key = value"
        ) from None


def _described(scene: Scene, fields: dict[str, Any], header: Path) -> Scene:
    """Return the scene with what the header says of it."""
    known: dict[str, Any] = {}
    metadata = {key: value for key, value in fields.items() if key not in _SAID}
    try:
        scale = _scale(fields)
        for key, field in (("wavelengths", "wavelength"), ("fwhm", "fwhm")):
            if field in fields and scale is None:
                metadata[field] = fields[field]
            elif field in fields and scale is not None:
                known[key] = tuple(float(value) * scale for value in fields[field])
        if scale is None:
            metadata["wavelength units"] = fields["wavelength units"]
        if "bbl" in fields:
            known["bad_bands"] = tuple(float(value) == 0 for value in fields["bbl"])
        if "data ignore value" in fields:
            known["nodata"] = float(fields["data ignore value"])
        if fields.get("sensor type", "Unknown").lower() != "unknown":
            known["sensor"] = fields["sensor type"]
        scene = replace(scene, **known)
    except (ValueError, TypeError, AttributeError) as error:
        raise SceneError(f"{header}: {error}; expected numbers, one a band") from None
    found = read_sidecar(header)
    metadata |= found.get("metadata", {}) if isinstance(found.get("metadata", {}), dict) else {}
    return with_facts(replace(scene, metadata=metadata), {**found, "metadata": metadata}, sidecar(header))


def _scale(fields: dict[str, Any]) -> float | None:
    """Return what turns the header's wavelengths into nm, or None if they are no wavelengths."""
    unit = str(fields.get("wavelength units", "")).lower()
    if unit in _TO_NM:
        return _TO_NM[unit]
    if unit not in ("", "unknown"):
        return None
    # Without a unit: no imaging spectrometer works below 100 nm or beyond 100 µm.
    return 1e3 if "wavelength" in fields and max(map(float, fields["wavelength"])) < 100 else 1.0


def _name(header: Path) -> str:
    stem = header.stem
    stem = stem[: -len(Path(stem).suffix)] if Path(stem).suffix.lower() in DATA[:-1] else stem
    # A header beside a GICI raw file has the geometry in its name, too; the scene has not.
    return gici.name_of(f"{stem}.raw") or stem


def _header_of(data: Path) -> Path | None:
    for candidate in (data.with_suffix(".hdr"), data.with_name(data.name + ".hdr"), data.with_suffix(".HDR")):
        if candidate.is_file() and candidate != data:
            return candidate
    return None


def _data_of(header: Path) -> Path:
    stem = header.with_suffix("")
    for ending in DATA:
        for candidate in (stem.with_name(stem.name + ending), stem.with_name(stem.name + ending.upper())):
            if candidate.is_file():
                return candidate
    raise SceneError(f"{header}: no data file beside it; expected {stem.name}.img or the like")
