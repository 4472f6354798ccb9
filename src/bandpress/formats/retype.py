"""Conversion of sample types: counts to quantities, quantities to counts, integers to other integers."""

from dataclasses import replace
from typing import Any

import numpy as np

from bandpress.errors import SceneError
from bandpress.nodata.samples import mask_of, sample_of
from bandpress.scaling import Scaling
from bandpress.scene import Scene

#: Sample types to convert to.
TYPES = ("uint8", "uint16", "int16", "int32", "float32", "float64")
_SCALE, _OFFSET = "scale_factor", "add_offset"


def retyped(scene: Scene, kind: str, scale: float | None = None, offset: float | None = None) -> Scene:
    """Return a scene with samples of another type.

    Parameters
    ----------
    scene
        Scene as read; quantity = count · `scale_factor` + `add_offset` of its metadata, if present.
    kind
        One of `TYPES`.
    scale, offset
        Quantities become round((quantity - offset) / scale), and the metadata record both. Without them, floats are
        made from the quantities, integers from the samples.

    Returns
    -------
    Scene
        In the same byte order. No-data samples have the original no-data value if the type can hold it, else the type's
        largest (unsigned) or smallest number, or NaN (floats).

    Raises
    ------
    SceneError
        If a sample is out of the type's range, or would change.
    """
    dtype = np.dtype(kind).newbyteorder(scene.dtype.byteorder if scene.dtype.itemsize > 1 else "=")
    nodata = _nodata(scene, dtype)
    metadata = dict(scene.metadata)
    scales, offsets = (
        _of_bands(metadata, key, scene.bands, usual) for key, usual in ((_SCALE, 1.0), (_OFFSET, 0.0))
    )
    applied = dtype.kind == "f" or scale is not None or offset is not None
    target = None
    if applied and dtype.kind != "f":
        target = Scaling(dtype.str, 1.0 if scale is None else scale, 0.0 if offset is None else offset)
        metadata |= {_SCALE: target.scale, _OFFSET: target.offset}
    elif applied:
        if scale is not None or offset is not None:
            raise SceneError(
                f"scene {scene.name}: a scale was given for {kind} samples; expected one for integers only"
            )
        metadata = {key: value for key, value in metadata.items() if key not in (_SCALE, _OFFSET)}
    cube = np.empty(scene.cube.shape, dtype)
    for band in range(scene.bands):
        samples = np.asarray(scene.cube[band])
        mask = mask_of(samples, scene.nodata)
        values = samples.astype(np.float64) if applied or samples.dtype.kind == "f" else samples
        if applied and (scales[band], offsets[band]) != (1.0, 0.0):
            values = values * scales[band] + offsets[band]
        made = values if target is None else target.integers(values)
        cube[band] = _fitting(scene, made, mask, nodata, dtype)
    return replace(scene, cube=cube, nodata=nodata, metadata=metadata)


def _fitting(
    scene: Scene, values: np.ndarray, mask: np.ndarray | None, nodata: float | None, dtype: np.dtype
) -> np.ndarray:
    """Return values in a type, with the no-data value at no-data samples."""
    shown = values if mask is None else values[~mask]
    if dtype.kind != "f" and shown.size:
        limits = np.iinfo(dtype)
        low, high = shown.min(), shown.max()
        if low < limits.min or high > limits.max:
            raise SceneError(
                f"scene {scene.name}: samples from {low:g} to {high:g}; expected {dtype.name} ones, {limits.min} to "
                f"{limits.max}: another --dtype, --scale or --offset"
            )
        if values.dtype.kind == "f" and (shown != np.rint(shown)).any():
            raise SceneError(
                f"scene {scene.name}: samples are not integers; expected --scale, the value of a {dtype.name} count"
            )
        if nodata is not None and (shown == nodata).any():
            raise SceneError(
                f"scene {scene.name}: valid samples would become {nodata:g}, the no-data value; expected "
                "another --dtype, --scale or --offset"
            )
    filled = values if mask is None else np.where(mask, 0, values)
    with np.errstate(over="ignore"):
        made = filled.astype(dtype)
    if dtype.kind == "f":
        if not np.isfinite(made).all():
            raise SceneError(
                f"scene {scene.name}: samples from {shown.min():g} to {shown.max():g}; expected {dtype.name} ones, up "
                f"to {np.finfo(dtype).max:g}: another --dtype"
            )
        value = sample_of(nodata, dtype)
        if value is not None:  # valid samples that equal it stay valid
            made[made == value] = np.nextafter(value, dtype.type(np.inf))
    if mask is not None:
        made[mask] = nodata
    return made


def _nodata(scene: Scene, dtype: np.dtype) -> float | None:
    """Return the no-data value for a type: the scene's own, else a value that valid samples are unlikely to have."""
    if scene.nodata is None and all(mask_of(np.asarray(band), None) is None for band in scene.cube):
        return None
    if dtype.kind == "f":
        return float("nan") if scene.nodata is None else scene.nodata
    limits = np.iinfo(dtype)
    own = scene.nodata
    if own is not None and np.isfinite(own) and own == int(own) and limits.min <= own <= limits.max:
        return own
    return float(limits.max if dtype.kind == "u" else limits.min)


def _of_bands(metadata: dict[str, Any], key: str, bands: int, usual: float) -> list[float]:
    """Return a number from the metadata, repeated for each band."""
    value = metadata.get(key, usual)
    values = value if isinstance(value, list | tuple) else [value] * bands
    if len(values) != bands or not all(isinstance(v, int | float) for v in values):
        raise SceneError(f"{key} {value!r} in the metadata; expected a number, or one per band")
    return [float(v) for v in values]
