"""Names of dimensions decide which axis is which; attributes and coordinates come along."""

import itertools

import numpy as np
import pytest

from bandpress import Scene, read_scene, write_scene
from bandpress.errors import SceneError, SceneWarning
from bandpress.formats.arrays import scene_of

h5py = pytest.importorskip("h5py")

CUBE = np.arange(4 * 6 * 9, dtype="<u2").reshape(4, 6, 9)
NAMES = {
    "CF": ("wavelength", "y", "x"),
    "AVIRIS-3": ("wavelength", "lines", "samples"),
    "EMIT": ("bands", "downtrack", "crosstrack"),
    "geographic": ("band", "lat", "lon"),
    "capitals": ("Bands", "Rows", "Columns"),
}


def netcdf(path, names, order, group="/", labels=False, attributes=None):
    with h5py.File(path, "w") as file:
        data = file.require_group(group).create_dataset("radiance", data=CUBE.transpose(order))
        for place, axis in enumerate(order):
            name = names[axis]
            if labels:
                data.dims[place].label = name
                continue
            values = (
                np.array([0.45, 0.55, 0.65, 0.75]) if name == "wavelength" else np.arange(CUBE.shape[axis])
            )
            scale = file[group].create_dataset(name, data=values.astype(float))
            if name == "wavelength":
                scale.attrs["units"] = "um"
            scale.make_scale(name)
            data.dims[place].attach_scale(scale)
        data.attrs.update(attributes or {})


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("labels", [False, True])
def test_named_dimensions_in_any_order_give_the_same_scene(tmp_path, names, order, labels):
    netcdf(tmp_path / "a.nc", names, order, "group", labels)
    scene = read_scene(tmp_path / "a.nc")
    assert (scene.cube == CUBE).all()
    assert scene.wavelengths == ((450, 550, 650, 750) if names[0] == "wavelength" and not labels else None)


def test_names_that_are_not_understood_are_refused_with_the_option(tmp_path):
    netcdf(tmp_path / "a.nc", ("p", "q", "x"), (0, 1, 2))
    with pytest.raises(SceneError, match=r"axes named p, q, x, of a cube of 4 x 6 x 9.*--input-interleave"):
        read_scene(tmp_path / "a.nc")
    assert (read_scene(tmp_path / "a.nc", interleave="bsq").cube == CUBE).all()
    netcdf(tmp_path / "b.nc", ("p", "y", "x"), (1, 0, 2))  # one of three can only be the bands
    assert (read_scene(tmp_path / "b.nc").cube == CUBE).all()


def test_scale_fill_value_and_other_attributes_are_kept(tmp_path):
    attributes = {"scale_factor": 1e-4, "add_offset": 0.5, "missing_value": np.uint16(65535), "units": "W"}
    netcdf(tmp_path / "a.nc", NAMES["CF"], (1, 0, 2), attributes=attributes)
    scene = read_scene(tmp_path / "a.nc")
    assert scene.nodata == 65535
    assert scene.metadata == {"scale_factor": 1e-4, "add_offset": 0.5, "units": "W"}
    back = read_scene(write_scene(scene, tmp_path / "b.nc", interleave="bil"))
    assert (back.cube == CUBE).all()
    assert (back.metadata, back.nodata, back.wavelengths) == (scene.metadata, 65535, scene.wavelengths)


def test_dimensions_and_wavelengths_are_written_under_the_names_of_netcdf(tmp_path):
    scene = Scene(CUBE, wavelengths=(1.0, 2.0, 3.0, 4.0), metadata={"scale_factor": 0.5})
    with h5py.File(write_scene(scene, tmp_path / "b.nc", interleave="bsq")) as file:
        assert [axis[0].name for axis in file["cube"].dims] == ["/wavelength", "/y", "/x"]
        assert file["cube"].attrs["scale_factor"] == 0.5
        assert file["wavelength"][()].tolist() == [1, 2, 3, 4]
        assert file["wavelength"].attrs["units"] == "nm"


def test_a_grid_mapping_and_even_coordinates_are_the_place_of_the_scene(tmp_path):
    netcdf(tmp_path / "a.nc", NAMES["CF"], (0, 1, 2), attributes={"grid_mapping": "crs"})
    with h5py.File(tmp_path / "a.nc", "a") as file:
        file["crs"] = 0
        file["crs"].attrs["crs_wkt"] = "LOCAL_CS[]"
        file["x"][:] = 100 + 5.0 * np.arange(9)
        file["y"][:] = 900 - 5.0 * np.arange(6)
    metadata = read_scene(tmp_path / "a.nc").metadata
    assert metadata["crs"] == "LOCAL_CS[]"
    assert metadata["transform"] == [97.5, 5, 0, 902.5, 0, -5]


def test_other_arrays_as_large_as_the_image_are_said_to_be_left_out(tmp_path):
    netcdf(tmp_path / "a.nc", NAMES["CF"], (0, 1, 2))
    with h5py.File(tmp_path / "a.nc", "a") as file:
        file["geolocation/latitude"] = np.zeros((6, 9))
    with pytest.warns(SceneWarning, match="left out: geolocation/latitude"):
        assert (read_scene(tmp_path / "a.nc").cube == CUBE).all()


def test_unnamed_axes_follow_the_list_of_wavelengths(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["cube"] = CUBE.transpose(1, 0, 2)
        file["meta/wavelength"] = np.array([400.0, 500, 600, 700])
    scene = read_scene(tmp_path / "a.h5")
    assert (scene.cube == CUBE).all()
    assert scene.wavelengths == (400, 500, 600, 700)


def test_wavelengths_may_be_an_attribute_of_the_array(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["cube"] = CUBE
        file["cube"].attrs.update({"wavelength": [0.4, 0.5, 0.6, 0.7], "wavelength_units": "micrometers"})
    scene = read_scene(tmp_path / "a.h5")
    assert (scene.cube == CUBE).all()
    assert scene.wavelengths == (400, 500, 600, 700)


def test_a_dimension_without_a_variable_is_no_list_of_wavelengths(tmp_path):
    with h5py.File(tmp_path / "a.nc", "w") as file:
        file["rad"] = CUBE
        for place, name in enumerate(("wavelength", "y", "x")):
            scale = file.create_dataset(name, (CUBE.shape[place],), "f4")
            scale.make_scale("This is a netCDF dimension but not a netCDF variable.         4")
            file["rad"].dims[place].attach_scale(scale)
    scene = read_scene(tmp_path / "a.nc")
    assert (scene.cube == CUBE).all()
    assert scene.wavelengths is None


@pytest.mark.parametrize("shape", [(1, 4, 6, 9), (4, 1, 6, 9), (1, 1, 4, 6, 9)])
def test_further_axes_of_length_one_are_left_out(tmp_path, shape):
    assert (scene_of(tmp_path / "a.npy", CUBE.reshape(shape), "bsq").cube == CUBE).all()
    named = scene_of(tmp_path / "a.nc", CUBE[:1, None], None, ("band", "time", "y", "x"))
    assert (named.cube == CUBE[:1]).all()


def test_a_matrix_is_one_band(tmp_path):
    np.save(tmp_path / "a.npy", CUBE[0])
    assert (read_scene(tmp_path / "a.npy").cube == CUBE[:1]).all()


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    ("stored", "said", "meant", "nodata"),
    [("i2", "true", "u2", 65535.0), ("u2", "false", "i2", -1.0), ("i2", "false", "i2", -1.0)],
)
def test_unsigned_samples_that_a_file_stores_as_signed_ones_are_read_as_meant(
    tmp_path, order, stored, said, meant, nodata
):
    samples = np.array([[[0, 1, 32767]], [[32768, 40000, 65535]]], order + "u2")
    with h5py.File(tmp_path / "a.nc", "w") as file:
        cube = file.create_dataset("cube", data=samples.view(order + stored))
        cube.attrs["_Unsigned"] = said
        cube.attrs["_FillValue"] = np.array(65535, "u2").view(stored)
    scene = read_scene(tmp_path / "a.nc", interleave="bsq")
    assert scene.dtype == np.dtype(order + meant)
    assert scene.nodata == nodata
    assert np.array_equal(scene.cube, samples.view(order + meant))
    assert "_Unsigned" not in scene.metadata


def test_an_attribute_that_crashes_hdf5_is_not_left_to_it(tmp_path):
    """HDF5's own function for the scales of an axis ends the process on this one."""
    for key, value in (("DIMENSION_LIST", [0.5, 1.5, 2.5]), ("DIMENSION_LABELS", [1, 2, 3])):
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["cube"] = CUBE
            file["cube"].attrs[key] = value
        scene = read_scene(tmp_path / "a.h5", interleave="bsq")
        assert np.array_equal(scene.cube, CUBE)


@pytest.mark.parametrize("name", ["a.h5", "a.mat"])
def test_few_bytes_that_stand_for_many_samples_are_refused_before_memory_is_taken(tmp_path, name):
    with h5py.File(tmp_path / name, "w") as file:
        file.create_dataset("cube", (1 << 14,) * 3, "u2", chunks=True, compression="gzip")
    with pytest.raises(SceneError, match=rf"{name}.* bytes that stand for 8796093022208 bytes of samples"):
        read_scene(tmp_path / name)


def test_coordinates_that_stand_for_many_numbers_are_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["cube"] = CUBE
        file.create_dataset("wavelength", (1 << 40,), "f8", chunks=True, compression="gzip")
    with pytest.raises(SceneError, match="bytes of samples"):
        read_scene(tmp_path / "a.h5")


def test_samples_that_are_in_other_files_are_refused(tmp_path):
    """A scene of somebody else does not read files of ours."""
    (tmp_path / "secret").write_bytes(CUBE.tobytes())
    with h5py.File(tmp_path / "source.h5", "w") as file:
        file["cube"] = CUBE
    for way in ("external", "virtual"):
        with h5py.File(tmp_path / "a.h5", "w") as file:
            if way == "external":
                place = [(str(tmp_path / "secret"), 0, CUBE.nbytes)]
                file.create_dataset("cube", CUBE.shape, "<u2", external=place)
            else:
                layout = h5py.VirtualLayout(CUBE.shape, "<u2")
                layout[:] = h5py.VirtualSource(tmp_path / "source.h5", "cube", CUBE.shape)
                file.create_virtual_dataset("cube", layout)
        with pytest.raises(SceneError, match=r"a\.h5: .*stored in another file"):
            read_scene(tmp_path / "a.h5")


def test_no_data_values_beyond_the_first_are_named(tmp_path):
    for more, value in (("missing_value", np.array([65535, 3], "<u2")), ("nodata", np.uint16(3))):
        said = {"_FillValue": np.uint16(65535), more: value}
        netcdf(tmp_path / "s.nc", NAMES["CF"], (0, 1, 2), attributes=said)
        with pytest.warns(SceneWarning, match="no-data values 3.0 are read as samples"):
            scene = read_scene(tmp_path / "s.nc")
        assert scene.nodata == 65535
