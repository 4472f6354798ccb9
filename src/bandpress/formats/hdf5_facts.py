"""Metadata of an array in an HDF5 or NetCDF 4 file: axis names, attributes, coordinates, georeference."""

import math
import warnings
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bandpress.errors import SceneWarning
from bandpress.formats import georeference
from bandpress.formats.arrays import ORDERS, check_size
from bandpress.formats.units import in_nm
from bandpress.scene import Scene

#: Names of attributes, in lower case, that hold the no-data value.
_NODATA = ("_fillvalue", "missing_value", "data_ignore_value", "nodata", "no_data_value")
#: Attributes of the library, and those stored elsewhere in a scene.
_OWN = (
    "dimension_list",
    "reference_list",
    "class",
    "name",
    "dimension_labels",
    "_netcdf4dimid",
    "_netcdf4coordinates",
    "_unsigned",
)
#: Most values of a list in the metadata.
_MOST_VALUES = 1 << 14
_CENTRES = ("wavelength", "wavelengths", "wl", "band", "bands", "lambda")
_PLACES = ("x", "y", "lon", "lat", "longitude", "latitude", "easting", "northing")
_WIDTHS = ("fwhm", "fwhms", "bandwidth", "bandwidths")


def values(dataset: Any) -> Any:
    """Return the content of an array.

    Raises
    ------
    ValueError
        If it is too large for the file, or stored in another file.
    """
    if dataset.external or dataset.is_virtual:
        raise ValueError(f"{dataset.name} is stored in another file")
    check_size(dataset.nbytes, Path(dataset.file.filename).stat().st_size)
    return dataset[()]


def axes(dataset: Any) -> list[str]:
    """Return the names of an array's axes, ``""`` for unnamed ones."""
    said = _plain(dataset.attrs.get("DIMENSION_LABELS"))
    said = said if isinstance(said, list) and len(said) == dataset.ndim else [""] * dataset.ndim
    names = []
    for scale, label in zip(_scales(dataset), said, strict=True):
        name = str(label) if scale is None else scale.name.rpartition("/")[2]
        names.append("" if name.startswith("phony_dim") else name)
    labels = _plain(dataset.attrs.get("Dimension_Labels", ""))  # NEON: "Line,Sample,Wavelength"
    if not any(names) and isinstance(labels, str) and labels.count(",") == len(names) - 1:
        return [label.strip() for label in labels.split(",")]
    if not any(names) and len(names) == 3:
        names = _by_length(dataset, names)
    return names


def described(scene: Scene, dataset: Any, names: list[str], path: Path) -> Scene:
    """Return the scene with the metadata of its array."""
    attributes = {key: _plain(value) for key, value in dataset.attrs.items()}
    metadata = {k: v for k, v in attributes.items() if v is not None and k.lower() not in (*_OWN, *_NODATA)}
    say_what_is_left(
        path, [k for k, v in attributes.items() if v is None and k.lower() not in (*_OWN, *_NODATA)]
    )
    lower = {key.lower(): value for key, value in attributes.items()}
    nodata = _nodata(lower, scene.dtype, path)
    scene, nodata = _meant(scene, nodata, str(lower.get("_unsigned")).lower())
    centres, widths = (_of_bands(dataset, kind, scene.bands) for kind in (_CENTRES, _WIDTHS))
    known: dict[str, Any] = {}
    if centres is not None or widths is not None:
        unit = next((item.unit for item in (centres, widths) if item is not None and item.unit), "")
        known = in_nm(path, unit, *(None if item is None else item.values for item in (centres, widths)))
    metadata |= _georeference(dataset, names, metadata.get("grid_mapping"))
    return replace(scene, nodata=nodata, metadata=metadata, **known)


def say_what_is_left(path: Path, names: Iterable[str]) -> None:
    """Warn of attributes that are not read."""
    left = [name for name in names if name.lower() not in _OWN and not name.startswith("_NC")]
    if left:
        listed = ", ".join(left[:3]) + (", …" if len(left) > 3 else "")
        warnings.warn(f"{path}: attributes left out: {listed}", SceneWarning, stacklevel=3)


def describe(file: Any, cube: Any, scene: Scene, interleave: str) -> None:
    """Write names of axes, coordinates, attributes and, on a grid, the georeference of an array in NetCDF 4 form."""
    names = [{"bands": "wavelength", "lines": "y", "samples": "x"}[axis] for axis in ORDERS[interleave]]
    coordinates = {
        "wavelength": np.arange(scene.bands) if scene.wavelengths is None else np.array(scene.wavelengths),
        "y": np.arange(scene.lines),
        "x": np.arange(scene.samples),
    }
    grid = georeference.on_grid(scene.metadata, Path(file.filename))
    if grid is not None:
        left, across, _, top, _, down = grid[1]
        coordinates["x"] = left + across * (coordinates["x"] + 0.5)
        coordinates["y"] = top + down * (coordinates["y"] + 0.5)
    for place, name in enumerate(names):
        axis = "band" if name == "wavelength" and scene.wavelengths is None else name
        file[axis] = coordinates[name]
        file[axis].make_scale(axis)
        cube.dims[place].attach_scale(file[axis])
    if grid is not None:
        file["spatial_ref"] = 0
        file["spatial_ref"].attrs["crs_wkt"] = grid[0]
        file["spatial_ref"].attrs["GeoTransform"] = " ".join(map(repr, grid[1]))  # read by GDAL
        cube.attrs["grid_mapping"] = "spatial_ref"
    if scene.wavelengths is not None:
        file["wavelength"].attrs["units"] = "nm"
    if scene.fwhm is not None:
        file["fwhm"] = np.array(scene.fwhm)
        file["fwhm"].attrs["units"] = "nm"
    for key in ("scale_factor", "add_offset", "units"):
        if isinstance(scene.metadata.get(key), float | str):
            cube.attrs[key] = scene.metadata[key]
    if scene.nodata is not None and scene.dtype.kind in "iuf":
        with np.errstate(invalid="ignore"):
            value = np.array(scene.nodata).astype(scene.dtype)
        if value == scene.nodata or np.isnan(scene.nodata):
            cube.attrs["_FillValue"] = value


def _scales(dataset: Any) -> list[Any]:
    """Return the array that describes each axis, or None.

    HDF5's own functions for this crash the process if the attribute has another type than they expect.
    """
    lists = dataset.attrs.get("DIMENSION_LIST")
    found: list[Any] = [None] * dataset.ndim
    if isinstance(lists, np.ndarray) and lists.shape == (dataset.ndim,):
        for axis, references in enumerate(lists):
            first = references[0] if isinstance(references, np.ndarray) and references.size else None
            item = dataset.file[first] if type(first).__name__ == "Reference" and first else None
            found[axis] = item if hasattr(item, "shape") else None
    return found


class _List(NamedTuple):
    """A list of numbers in a file."""

    name: str
    values: np.ndarray
    unit: str


def _by_length(dataset: Any, names: list[str]) -> list[str]:
    """Name the axis with the length of the file's only list of wavelengths; the others keep their order."""
    lengths = {len(item.values) for item in _near(dataset, _CENTRES)}
    fitting = [i for i, side in enumerate(dataset.shape) if side in lengths]
    if len(fitting) != 1:
        return names
    rest = iter(("lines", "samples"))
    return ["bands" if i == fitting[0] else next(rest) for i in range(3)]


def _of_bands(dataset: Any, names: tuple[str, ...], bands: int) -> _List | None:
    """Return the list of numbers under one of the names, one per band, nearest to an array, or None.

    Numbers of bands, which have no unit, do not count as wavelengths.
    """
    found = [item for item in _near(dataset, names) if len(item.values) == bands]
    return next((item for item in found if item.unit or item.name not in ("band", "bands")), None)


def _near(dataset: Any, names: tuple[str, ...]) -> list[_List]:
    """Return lists of numbers with these names: from attributes and axes of the array, its group, then the file."""
    attributes = {key.lower(): value for key, value in dataset.attrs.items()}
    unit = next(
        (str(_plain(v)) for k, v in attributes.items() if k.startswith("wavelength") and "unit" in k), ""
    )
    found = [_List(key, np.ravel(value), unit) for key, value in attributes.items() if key in names]
    items = [scale for scale in _scales(dataset) if scale is not None]
    items += [dataset.parent[key] for key in dataset.parent if _is_here(dataset.parent, key)]
    dataset.file.visititems(lambda name, item: items.append(item))
    for item in items:
        name = item.name.rpartition("/")[2].lower()
        if name not in names or not hasattr(item, "dtype") or item.size != max(item.shape, default=0):
            continue
        if not str(_plain(item.attrs.get("NAME", ""))).startswith("This is a netCDF dimension but not"):
            found.append(_List(name, np.ravel(values(item)), _unit(item)))
    return [item for item in found if item.values.dtype.kind in "iuf" and len(item.values)]


def _is_here(group: Any, key: str) -> bool:
    """Say whether an item is in the group itself, not behind a link."""
    return type(group.get(key, getlink=True)).__name__ == "HardLink"


def _unit(item: Any) -> str:
    lower = {key.lower(): _plain(value) for key, value in item.attrs.items()}
    return str(lower.get("units") or lower.get("unit") or "")


def _georeference(dataset: Any, names: list[str], mapping: Any) -> dict[str, Any]:
    """Return `crs` and `transform` of a CF grid mapping, and of evenly spaced coordinates of samples and lines."""
    found: dict[str, Any] = {}
    place = dataset.parent.get(mapping) if isinstance(mapping, str) else None
    if place is not None:
        said = {key: _plain(value) for key, value in place.attrs.items()}
        wkt = said.get("crs_wkt") or said.get("spatial_ref")
        if isinstance(wkt, str):
            found["crs"] = wkt
    steps = {}
    for scale, name in zip(_scales(dataset), names, strict=False):
        if scale is not None and name.lower() in _PLACES:
            places = np.ravel(values(scale)).astype(float)
            gaps = np.diff(places)
            if (
                len(gaps)
                and np.isfinite(places).all()
                and np.ptp(gaps) <= 1e-6 * abs(gaps[0])
                and gaps[0] != 0
            ):
                step = float(places[-1] - places[0]) / len(gaps)
                steps["x" if name.lower()[:2] in ("x", "lo", "ea") else "y"] = (
                    float(places[0]) - step / 2,
                    step,
                )
    if found and len(steps) == 2:
        (left, across), (top, down) = steps["x"], steps["y"]
        found["transform"] = [left, across, 0.0, top, 0.0, down]
    return found


def _meant(scene: Scene, nodata: float | None, unsigned: str) -> tuple[Scene, float | None]:
    """Return a scene and its no-data value, reinterpreted as NetCDF's attribute ``_Unsigned`` says.

    It is "true" for unsigned integers that were stored as signed ones, "false" for the opposite.
    """
    kind = {"true": "u", "false": "i"}.get(unsigned, scene.dtype.kind)
    if scene.dtype.kind not in "iu" or kind == scene.dtype.kind:
        return scene, nodata
    size = scene.dtype.itemsize
    if nodata is not None and nodata.is_integer():
        nodata = float(np.array(int(nodata) % (1 << 8 * size), f"u{size}").view(f"{kind}{size}"))
    return replace(scene, cube=scene.cube.view(scene.dtype.str.replace(scene.dtype.kind, kind))), nodata


def _nodata(attributes: dict[str, Any], dtype: np.dtype, path: Path) -> float | None:
    """Return the first no-data value of an array; warn of others."""
    given = [attributes[key] for key in _NODATA if key in attributes]
    found = [_number(value) for item in given for value in (item if isinstance(item, list) else [item])]
    values = [value for value in found if value is not None]
    kind = dtype if dtype.kind == "f" else np.dtype(float)
    others = {str(kind.type(value)) for value in values[1:]} - {str(kind.type(value)) for value in values[:1]}
    if others:
        listed = ", ".join(sorted(others)[:3]) + (", …" if len(others) > 3 else "")
        warnings.warn(
            f"{path}: no-data values {listed} are read as samples; expected one such value",
            SceneWarning,
            stacklevel=3,
        )
    return values[0] if values else None


def _number(value: Any) -> float | None:
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _plain(value: Any) -> Any:
    """Return an attribute as a JSON value, or None if JSON cannot hold it."""
    if isinstance(value, bytes | np.bytes_):
        return value.decode("utf-8", "replace")
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if not isinstance(value, np.generic | np.ndarray) or value.dtype.kind not in "biufSUO":
        return None
    if isinstance(value, np.ndarray):
        if value.size > _MOST_VALUES:
            return None
        items = [_plain(item) for item in value.ravel()]
        return items[0] if len(items) == 1 else None if None in items else items
    number = value.item()
    return str(number) if isinstance(number, float) and not math.isfinite(number) else number
