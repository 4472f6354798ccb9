"""The scene: a hyperspectral cube and its metadata. Knows no file format."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bandpress.errors import SceneError
from bandpress.metadata import of_part
from bandpress.nodata.mask import NoDataMask
from bandpress.scaling import Scaling

#: Sample types that codecs code unchanged. Other types can be read, converted and described.
CODABLE = ("uint8", "uint16", "int16")


@dataclass(frozen=True, eq=False)
class Scene:
    """A hyperspectral image.

    Parameters
    ----------
    cube
        Samples, shape (bands, lines, samples). Any memory layout, memory maps included; the byte order is that of
        the dtype and is kept through every conversion and codec. A masked array must have no masked samples.
    name
        Name of the scene, without folder, geometry or suffix.
    wavelengths
        Centre of each band in nm, or None.
    fwhm
        Width at half maximum of each band in nm, or None.
    bad_bands
        True for each band that its producer marks as bad, or None.
    sensor
        Name of the sensor, or None.
    nodata
        No-data value, or None.
    metadata
        Other metadata of the file that JSON can hold, such as map information.
    origin
        Suffix of the scene's file, with the order of axes if the format allows several, such as ``".hdr bil"``.
        None for a scene that does not come from a file.
    nodata_mask
        Positions and values of no-data samples that hold fill values in the cube, as in a scene prepared for codecs.
    scaling
        Scaling of the cube's integers, in a scene prepared for codecs; None if they are the samples themselves.
    """

    cube: np.ndarray
    name: str = "scene"
    wavelengths: tuple[float, ...] | None = None
    fwhm: tuple[float, ...] | None = None
    bad_bands: tuple[bool, ...] | None = None
    sensor: str | None = None
    nodata: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    origin: str | None = None
    nodata_mask: NoDataMask | None = None
    scaling: Scaling | None = None

    def __post_init__(self) -> None:
        if isinstance(self.cube, np.ma.MaskedArray):
            if np.ma.is_masked(self.cube):
                raise SceneError(
                    f"scene {self.name}: a masked array with {np.ma.count_masked(self.cube)} masked samples was given; "
                    "expected one whose no-data samples hold a value, array.filled(value), and Scene(…, nodata=value)"
                )
            object.__setattr__(self, "cube", self.cube.data)
        if self.cube.ndim != 3 or 0 in self.cube.shape:
            raise SceneError(
                f"scene {self.name}: a cube of shape {self.cube.shape} was given; expected (bands, lines, samples), "
                "none of them zero"
            )
        for key in ("wavelengths", "fwhm", "bad_bands"):
            values = getattr(self, key)
            if values is not None and len(values) != self.bands:
                raise SceneError(
                    f"scene {self.name}: {len(values)} {key} for {self.bands} bands; expected one per band"
                )

    @property
    def bands(self) -> int:
        """Number of bands."""
        return int(self.cube.shape[0])

    @property
    def lines(self) -> int:
        """Number of lines."""
        return int(self.cube.shape[1])

    @property
    def samples(self) -> int:
        """Number of samples a line."""
        return int(self.cube.shape[2])

    @property
    def dtype(self) -> np.dtype:
        """Type of the samples, byte order included."""
        return self.cube.dtype

    def measured(self, bands: slice = slice(None)) -> int:
        """Return the number of valid samples in some bands; the others are in `nodata_mask`."""
        numbers = range(self.bands)[bands]
        count = len(numbers) * self.lines * self.samples
        if self.nodata_mask is None:
            return count
        planes = (self.nodata_mask.plane(number) for number in numbers)
        return count - sum(int(plane.sum()) for plane in planes if plane is not None)

    def only_measured(self, bands: slice, errors: np.ndarray) -> np.ndarray:
        """Return errors of some bands, shape (bands, lines, samples); zero those of no-data samples in place."""
        if self.nodata_mask is not None:
            for place, number in enumerate(range(self.bands)[bands]):
                plane = self.nodata_mask.plane(number)
                if plane is not None:
                    errors[place][plane] = 0
        return errors

    def crop(
        self,
        bands: slice = slice(None),
        lines: slice = slice(None),
        samples: slice = slice(None),
    ) -> "Scene":
        """Return the part of the scene within the given ranges, as a view.

        Parameters
        ----------
        bands, lines, samples
            Ranges to keep.

        Returns
        -------
        Scene
            Same name; with the metadata of the kept bands and a shifted georeference.

        Raises
        ------
        SceneError
            If no samples are left.
        """

        def of_band(values: tuple | None) -> tuple | None:
            return None if values is None else tuple(values[bands])

        return replace(
            self,
            cube=self.cube[bands, lines, samples],
            wavelengths=of_band(self.wavelengths),
            fwhm=of_band(self.fwhm),
            bad_bands=of_band(self.bad_bands),
            metadata=of_part(self.metadata, self.cube.shape, bands, lines, samples),
            nodata_mask=None,
        )


def described(scene: Scene, where: object, **known: Any) -> Scene:
    """Return the scene with other metadata; `where` names their file in the error if they do not fit."""
    try:
        return replace(scene, **known)
    except SceneError as error:
        raise SceneError(f"{where}: {error}") from None


def clipped(samples: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Clip decoded integers to the range of an integer type, in place; return them in that type."""
    limits = np.iinfo(dtype)
    return np.clip(samples, limits.min, limits.max, out=samples).astype(dtype)
