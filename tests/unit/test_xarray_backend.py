"""Files opened by xarray."""

import numpy as np
import pytest

import bandpress
from bandpress import Scene, xarray_backend

xr = pytest.importorskip("xarray")


@pytest.fixture
def cube():
    return np.random.default_rng(5).integers(0, 4000, (9, 12, 14)).astype(">i2")


@pytest.fixture
def opened(cube, tmp_path):
    scene = Scene(
        cube, "field", wavelengths=tuple(400.0 + b for b in range(9)), sensor="AVIRIS", nodata=-9999
    )
    file = bandpress.compress(
        scene, tmp_path / "s.bpk", codec="rklt-jpeg2000", bands_per_cluster=2, lossless=True
    )
    return xr.open_dataset(file, engine="bandpress")


@pytest.mark.parametrize(
    "key",
    [
        (),
        (3,),
        (-1, 4),
        (slice(2, 7), slice(None), 5),
        (slice(8, 1, -3), slice(3, 9, 2), slice(None, None, -1)),
        ([7, 0, 7], [1, 2], slice(0, 0)),
        (slice(0, 0),),
        (4, 5, 6),
    ],
)
def test_every_way_to_index_gives_what_the_array_gives(opened, cube, key):
    expected = xr.DataArray(cube, dims=("band", "line", "sample"))[key]
    found = opened["image"][key]
    assert found.shape == expected.shape
    assert np.array_equal(found.values, expected.values)


def test_scaled_files_give_quantities(cube, tmp_path):
    scene = Scene((cube * 1e-4).astype(">f4"))
    file = bandpress.compress(scene, tmp_path / "f.bpk", codec="jpeg2000", lossless=True, scale=1e-4)
    found = xr.open_dataset(file, engine="bandpress")["image"]
    assert found.dtype == scene.dtype
    assert np.allclose(found.values, scene.cube, atol=1e-6)


def test_only_the_bands_asked_for_are_decoded(opened, monkeypatch):
    asked = []
    decode = xarray_backend.decompress
    monkeypatch.setattr(
        xarray_backend, "decompress", lambda path, bands: asked.append(bands) or decode(path, bands=bands)
    )
    opened["image"].sel(band=[2, 3, 8]).load()
    assert asked == [(2, 3), (8, 8)]


def test_bands_are_named_by_number_and_wavelength(opened):
    assert opened.band.values.tolist() == list(range(1, 10))
    assert opened["wavelength"].attrs == {"units": "nm"}
    assert (
        float(opened["image"].swap_dims(band="wavelength").sel(wavelength=404.2, method="nearest").band) == 5
    )
    assert (opened["image"].attrs["sensor"], opened["image"].attrs["nodata"]) == ("AVIRIS", -9999)
    assert opened["image"].dtype == np.dtype(">i2")


def test_the_engine_is_found_by_the_ending(cube, tmp_path):
    file = bandpress.compress(cube, tmp_path / "s.bpk", interleave="bsq")
    assert np.array_equal(xr.open_dataset(file)["image"].values, cube)


def test_the_scale_of_the_samples_is_an_attribute(cube, tmp_path):
    scene = Scene(cube, metadata={"scale_factor": 1e-4, "add_offset": -0.1, "units": "1"})
    file = bandpress.compress(scene, tmp_path / "s.bpk", codec="jpeg2000", lossless=True)
    found = xr.open_dataset(file, engine="bandpress")["image"]
    assert {key: found.attrs[key] for key in scene.metadata} == scene.metadata
    assert np.array_equal(found.values, cube)
