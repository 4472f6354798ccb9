"""HDF5 and NetCDF 4: PRISMA (``.he5``), EMIT L1B and L2A (``.nc``), and any other file by the name of its array.

PRISMA: the bands of the VNIR cube and then those of the SWIR cube, each by increasing wavelength (the product has them
decreasing); bands that it flags as not valid are marked as bad. EMIT: radiance or reflectance as float32, in the
geometry of the sensor. Counts are kept as they are: scale factors stay in `metadata`.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bandpress.errors import SceneError
from bandpress.formats.npy import pick
from bandpress.formats.optional import require
from bandpress.formats.raw import Interleave, as_cube
from bandpress.scene import Scene

_SWATHS = "HDFEOS/SWATHS"
_EMIT_CUBES = ("radiance", "reflectance")
_EMIT_BANDS = "sensor_band_parameters"


def read(path: Path, variable: str | None = None, interleave: Interleave = "bip") -> Scene:
    """Read a scene; an array that is stored in one piece is mapped into memory.

    Parameters
    ----------
    path
        The file.
    variable
        Path of an array within the file; without it, the product's cube, or the only array with three axes.
    interleave
        Order of its axes, where the product does not say it.

    Raises
    ------
    SceneError
        If the file is no HDF5 file, or has no such array.
    """
    h5py = require("h5py", path)
    try:
        with h5py.File(path, "r") as file:
            if variable is None and _prisma_swath(file) is not None:
                return _prisma(file, path)
            if variable is None and _EMIT_BANDS in file and any(key in file for key in _EMIT_CUBES):
                return _emit(file, path)
            shapes: dict[str, tuple[int, ...]] = {}
            file.visititems(
                lambda key, item: shapes.update({key: item.shape}) if isinstance(item, h5py.Dataset) else None
            )
            return _plain(file[pick(path, variable, shapes)], path, interleave)
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise SceneError(f"{path}: cannot be read ({error}); expected an HDF5 or NetCDF 4 file") from None


def _plain(dataset: Any, path: Path, interleave: str) -> Scene:
    if dataset.dtype.kind not in "biuf":
        raise SceneError(f"{path}: the array {dataset.name} holds {dataset.dtype}; expected numbers")
    return Scene(as_cube(_samples(dataset, path), interleave), name=path.stem, nodata=_fill(dataset))


def _samples(dataset: Any, path: Path) -> np.ndarray:
    offset = dataset.id.get_offset()
    if offset is None or dataset.chunks is not None or dataset.external or dataset.compression:
        return dataset[()]
    return np.memmap(path, dtype=dataset.dtype, mode="r", offset=offset, shape=dataset.shape)


def _fill(dataset: Any) -> float | None:
    value = dataset.attrs.get("_FillValue")
    return None if value is None else float(np.ravel(value)[0])


def _emit(file: Any, path: Path) -> Scene:
    dataset = next(file[key] for key in _EMIT_CUBES if key in file)
    scene = _plain(dataset, path, "bip")
    bands = file[_EMIT_BANDS]
    known: dict[str, Any] = {"sensor": "EMIT"}
    for key, name in (("wavelengths", "wavelengths"), ("fwhm", "fwhm")):
        if name in bands:
            known[key] = tuple(map(float, bands[name][()]))
    if "good_wavelengths" in bands:
        known["bad_bands"] = tuple(bool(good != 1) for good in bands["good_wavelengths"][()])
    units = dataset.attrs.get("units")
    if units is not None:
        known["metadata"] = {"units": units.decode() if isinstance(units, bytes) else str(units)}
    return replace(scene, **known)


def _prisma_swath(file: Any) -> Any:
    """Return the data fields of the hyperspectral cube of a PRISMA product, or None."""
    for name, swath in file.get(_SWATHS, {}).items():
        fields = swath.get("Data Fields", {})
        if (
            name.startswith("PRS_")
            and name.endswith(("_HCO", "_HRC"))
            and {"VNIR_Cube", "SWIR_Cube"} & set(fields)
        ):
            return fields
    return None


def _prisma(file: Any, path: Path) -> Scene:
    fields = _prisma_swath(file)
    cubes: list[np.ndarray] = []
    known: dict[str, list] = {"wavelengths": [], "fwhm": [], "bad_bands": []}
    metadata: dict[str, Any] = {}
    for part in ("Vnir", "Swir"):
        if f"{part.upper()}_Cube" not in fields:
            continue
        cube = as_cube(fields[f"{part.upper()}_Cube"][()], "bil")
        centres = np.ravel(file.attrs[f"List_Cw_{part}"]).astype(float)
        widths = np.ravel(file.attrs[f"List_Fwhm_{part}"]).astype(float)
        flags = np.ravel(file.attrs.get(f"List_Cw_{part}_Flags", np.ones(len(centres))))
        if not len(cube) == len(centres) == len(widths) == len(flags):
            raise SceneError(f"{path}: {len(centres)} {part} wavelengths; expected {len(cube)}, one a band")
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
    )


def _decreasing(values: np.ndarray) -> bool:
    return len(values) > 1 and bool(values[0] > values[-1])
