"""``xarray.open_dataset("scene.bpk", engine="bandpress")``: decodes bands on access."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import xarray
from xarray.backends import BackendArray, BackendEntrypoint
from xarray.core import indexing

from bandpress.coding import decompress
from bandpress.container.bitstream import SUFFIX, Header, Reader

#: Name of the variable with the samples.
VARIABLE = "image"


class _Bands(BackendArray):
    """The samples of a file, shape (bands, lines, samples); indexing decodes the clusters that hold the bands."""

    def __init__(self, path: Path, header: Header):
        self.path = path
        self.shape = header.shape
        self.dtype = header.sample_type

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER, self._read)

    def _read(self, key: tuple) -> np.ndarray:
        band, *rest = key
        wanted = np.atleast_1d(np.arange(self.shape[0])[band])
        taken = np.empty((len(wanted), *self.shape[1:]), self.dtype)
        for run in _runs(np.unique(wanted)):
            decoded = decompress(self.path, bands=(run[0] + 1, run[-1] + 1)).scene.cube
            for i in np.flatnonzero((wanted >= run[0]) & (wanted <= run[-1])):
                taken[i] = decoded[wanted[i] - run[0]]
        picked = taken if np.ndim(np.arange(self.shape[0])[band]) else taken[0]
        axes = iter(range(picked.ndim - len(rest), picked.ndim))
        for axis, one in reversed(list(zip(axes, rest, strict=True))):
            picked = picked[(slice(None),) * axis + (one,)]
        return picked


def _runs(bands: np.ndarray) -> list[np.ndarray]:
    """Split increasing indexes where they jump."""
    return np.split(bands, np.flatnonzero(np.diff(bands) != 1) + 1) if len(bands) else []


class BandpressBackend(BackendEntrypoint):
    """xarray backend for ``.bpk`` files: data sets of one variable, ``image`` (band, line, sample)."""

    description = "Open compressed hyperspectral scenes (.bpk), decoding only the requested bands"
    open_dataset_parameters = ("filename_or_obj", "drop_variables")

    def open_dataset(
        self, filename_or_obj: Any, *, drop_variables: str | Iterable[str] | None = None
    ) -> xarray.Dataset:
        """Return the data set of a file.

        Parameters
        ----------
        filename_or_obj
            The ``.bpk`` file.
        drop_variables
            Variables and coordinates to leave out.

        Returns
        -------
        xarray.Dataset
            ``image`` (band, line, sample), coordinates ``band`` (counted from 1) and, where they are known,
            ``wavelength`` and ``fwhm`` in nm and ``bad_band``; attributes ``sensor``, ``nodata``,
            ``codec``, ``scale_factor``, ``add_offset`` and ``units``. Samples are as stored, not scaled.
        """
        path = Path(filename_or_obj)
        with Reader(path) as reader:
            header = reader.header
            size = reader.clusters[0].stop
        scene = header.to_scene(np.empty((header.bands, 1, 1), header.dtype))
        known = {"sensor": scene.sensor, "nodata": scene.nodata, "codec": header.codec}
        known |= {key: scene.metadata.get(key) for key in ("scale_factor", "add_offset", "units")}
        image = xarray.Variable(
            ("band", "line", "sample"),
            indexing.LazilyIndexedArray(_Bands(path, header)),
            {key: value for key, value in known.items() if value is not None},
            {"preferred_chunks": {"band": size, "line": header.lines, "sample": header.samples}},
        )
        coordinates: dict[str, Any] = {"band": np.arange(1, header.bands + 1)}
        for name, values, attributes in (
            ("wavelength", scene.wavelengths, {"units": "nm"}),
            ("fwhm", scene.fwhm, {"units": "nm"}),
            ("bad_band", scene.bad_bands, {}),
        ):
            if values is not None:
                coordinates[name] = ("band", np.asarray(values), attributes)
        dataset = xarray.Dataset({VARIABLE: image}, coordinates, {"title": scene.name})
        return dataset.drop_vars(
            [drop_variables] if isinstance(drop_variables, str) else drop_variables or []
        )

    def guess_can_open(self, filename_or_obj: Any) -> bool:
        """Say whether the name of a file ends in ``.bpk``."""
        return isinstance(filename_or_obj, str | Path) and Path(filename_or_obj).suffix.lower() == SUFFIX
