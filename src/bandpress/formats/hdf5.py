"""HDF5 and NetCDF 4: PRISMA (``.he5``), EMIT L1B and L2A (``.nc``), NEON, and any other file by the name of its array.

Names of dimensions identify the axes; without names, axes are (lines, samples, bands). PRISMA: the bands of the VNIR
cube, then those of the SWIR cube, each by increasing wavelength (the product stores them decreasing); bands flagged as
not valid are marked as bad. EMIT: radiance or reflectance as float32, in the geometry of the sensor. Counts are kept as
they are: scale factors and other attributes of the array stay in `metadata`.

Written as one array ``cube`` with named dimensions, attributes and the coordinates ``wavelength`` and ``fwhm`` in
NetCDF 4 form, and all metadata as JSON in ``bandpress``; products are written in this form, not in their own.
"""

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bandpress.errors import SceneError, SceneWarning
from bandpress.facts import facts, with_facts
from bandpress.files import atomic_path
from bandpress.formats import hdf5_facts
from bandpress.formats.arrays import CUBE, INFO, UNREADABLE, info_of, pick, scene_of
from bandpress.formats.raw import Interleave, as_cube, as_stored, blocks
from bandpress.formats.trial import try_out
from bandpress.optional import require
from bandpress.scene import Scene, described

_SWATHS = "HDFEOS/SWATHS"
_PRISMA_CUBES = ("VNIR_Cube", "SWIR_Cube")
_EMIT_CUBES = ("radiance", "reflectance")
_EMIT_BANDS = "sensor_band_parameters"


def read(path: Path, variable: str | None = None, interleave: Interleave | None = None) -> Scene:
    """Read a scene; a contiguous array is memory-mapped.

    Parameters
    ----------
    path
        The file.
    variable
        Path of an array within the file. Default: the product's cube, or the only array with three axes.
    interleave
        Order of its axes, for files that do not state it.

    Raises
    ------
    SceneError
        If it is not an HDF5 file, has no such array, or has unknown names of axes.
    """
    h5py = require("h5py", path)
    try:
        try_out(path, lambda: _read(h5py, path, variable, interleave), h5py._objects.phil)
        return _read(h5py, path, variable, interleave)
    except UNREADABLE as error:
        raise SceneError(f"{path}: cannot be read ({error}); expected an HDF5 or NetCDF 4 file") from None


def write(scene: Scene, path: Path, interleave: Interleave = "bsq") -> Path:
    """Write a scene, axes in the given order."""
    h5py = require("h5py", path)
    stored = as_stored(scene.cube, interleave)
    with atomic_path(path) as part, h5py.File(part, "w") as file:
        cube = file.create_dataset(CUBE, stored.shape, scene.dtype)
        first = 0
        for block in blocks(stored):
            cube[first : first + len(block)] = block
            first += len(block)
        hdf5_facts.describe(file, cube, scene, interleave)
        file[INFO] = json.dumps(facts(scene))
    return path


def _read(h5py: Any, path: Path, variable: str | None, interleave: Interleave | None) -> Scene:
    with h5py.File(path, "r") as file:
        shapes: dict[str, tuple[int, ...]] = {}

        def see(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset) and item.dtype.kind in "biuf":
                shapes[name] = item.shape

        file.visititems(see)
        if INFO not in file:
            known = ("List_", "ScaleFactor_", "Offset_", "L2Scale")
            hdf5_facts.say_what_is_left(path, [key for key in file.attrs if not key.startswith(known)])
        swath = _prisma_swath(file) if variable is None else None
        if swath is not None:
            _say_what_is_left(
                path, [f"{swath.name}/{key}".strip("/") for key in _PRISMA_CUBES if key in swath], shapes
            )
            return _prisma(file, swath, path)
        info = info_of(file[INFO].asstr()[()], path) if _is_text(file.get(INFO)) else None
        emit = variable is None and _EMIT_BANDS in file and next((k for k in _EMIT_CUBES if k in file), None)
        name = emit or pick(path, variable, shapes)
        scene = _emit(file, file[name], path) if emit else _plain(file[name], path, interleave)
        if info is not None and name == CUBE:
            return with_facts(scene, info, path)
        if variable is None:
            _say_what_is_left(path, [name], shapes)
        return scene


def _is_text(item: Any) -> bool:
    return getattr(item, "shape", None) == () and item.dtype.kind == "O"


def _plain(dataset: Any, path: Path, interleave: Interleave | None) -> Scene:
    names = hdf5_facts.axes(dataset)
    scene = scene_of(path, _samples(dataset, path), interleave, names)
    return hdf5_facts.described(scene, dataset, names, path)


def _samples(dataset: Any, path: Path) -> np.ndarray:
    offset = dataset.id.get_offset()
    if offset is None or dataset.chunks is not None or dataset.external or dataset.compression:
        return hdf5_facts.values(dataset)
    return np.memmap(path, dtype=dataset.dtype, mode="r", offset=offset, shape=dataset.shape)


def _say_what_is_left(path: Path, read: list[str], shapes: dict[str, tuple[int, ...]]) -> None:
    """Warn of other arrays with at least one value per pixel (latitudes, masks, uncertainties)."""
    pixels = sorted(shapes[read[0]])[-2:]
    others = [key for key, shape in shapes.items() if key not in read and sorted(shape)[-2:] == pixels]
    if others:
        listed = ", ".join(others[:3]) + (", …" if len(others) > 3 else "")
        warnings.warn(f"{path}: {' and '.join(read)} read; left out: {listed}", SceneWarning, stacklevel=3)


def _emit(file: Any, dataset: Any, path: Path) -> Scene:
    scene = replace(_plain(dataset, path, "bip"), sensor="EMIT")
    bands = file[_EMIT_BANDS]
    known: dict[str, Any] = {}
    for key, name in (("wavelengths", "wavelengths"), ("fwhm", "fwhm")):
        if name in bands:
            known[key] = tuple(map(float, hdf5_facts.values(bands[name])))
    if "good_wavelengths" in bands:
        known["bad_bands"] = tuple(bool(good != 1) for good in hdf5_facts.values(bands["good_wavelengths"]))
    return described(scene, path, **known)


def _prisma_swath(file: Any) -> Any:
    """Return the data fields of the hyperspectral cube of a PRISMA product, or None."""
    for name, swath in file.get(_SWATHS, {}).items():
        fields = swath.get("Data Fields", {})
        if name.startswith("PRS_") and name.endswith(("_HCO", "_HRC")) and set(_PRISMA_CUBES) & set(fields):
            return fields
    return None


def _prisma(file: Any, fields: Any, path: Path) -> Scene:
    cubes: list[np.ndarray] = []
    known: dict[str, list] = {"wavelengths": [], "fwhm": [], "bad_bands": []}
    metadata: dict[str, Any] = {}
    for part in ("Vnir", "Swir"):
        if f"{part.upper()}_Cube" not in fields:
            continue
        cube = as_cube(hdf5_facts.values(fields[f"{part.upper()}_Cube"]), "bil")
        centres = np.ravel(file.attrs[f"List_Cw_{part}"]).astype(float)
        widths = np.ravel(file.attrs[f"List_Fwhm_{part}"]).astype(float)
        flags = np.ravel(file.attrs.get(f"List_Cw_{part}_Flags", np.ones(len(centres))))
        if not len(cube) == len(centres) == len(widths) == len(flags):
            raise SceneError(f"{path}: {len(centres)} {part} wavelengths; expected {len(cube)}, one per band")
        order = slice(None, None, -1) if _decreasing(centres[flags == 1]) else slice(None)
        cubes.append(cube[order])
        known["wavelengths"] += centres[order].tolist()
        known["fwhm"] += widths[order].tolist()
        known["bad_bands"] += (flags[order] != 1).tolist()
        for key in (f"ScaleFactor_{part}", f"Offset_{part}", f"L2Scale{part}Min", f"L2Scale{part}Max"):
            if key in file.attrs:
                metadata[key] = float(np.ravel(file.attrs[key])[0])
    return Scene(
        np.concatenate(cubes),
        name=path.stem,
        sensor="PRISMA",
        wavelengths=tuple(known["wavelengths"]),
        fwhm=tuple(known["fwhm"]),
        bad_bands=tuple(known["bad_bands"]),
        metadata=metadata,
        origin=path.suffix.lower(),
    )


def _decreasing(values: np.ndarray) -> bool:
    return len(values) > 1 and bool(values[0] > values[-1])
