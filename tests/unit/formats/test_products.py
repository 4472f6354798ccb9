"""Products of PRISMA, EMIT and EnMAP, and MATLAB 7.3: small files laid out as public readers of them expect."""

import numpy as np
import pytest

from bandpress import read_scene
from bandpress.errors import SceneError, SceneWarning

h5py = pytest.importorskip("h5py")


def prisma(path, level="L1", flags=(1, 1, 0), wrong=0):
    rng = np.random.default_rng(0)
    vnir, swir = (rng.integers(0, 65535, (4, bands, 5)).astype("<u2") for bands in (3, 2))
    with h5py.File(path, "w") as file:
        fields = file.create_group(f"HDFEOS/SWATHS/PRS_{level}_HCO/Data Fields")
        fields.create_dataset("VNIR_Cube", data=vnir, chunks=True, compression="gzip")
        fields.create_dataset("SWIR_Cube", data=swir)
        file.create_group(f"HDFEOS/SWATHS/PRS_{level}_PCO/Data Fields").create_dataset(
            "Cube", data=swir[:, 0]
        )
        # Decreasing; a band that is not valid has the wavelength 0.
        file.attrs["List_Cw_Vnir"] = np.array([900.5, 700.25, 0][: 3 - wrong], "<f4")
        file.attrs["List_Fwhm_Vnir"] = np.array([11, 12, 0], "<f4")
        file.attrs["List_Cw_Vnir_Flags"] = np.array(flags)
        file.attrs["List_Cw_Swir"] = np.array([2400, 1000], "<f4")
        file.attrs["List_Fwhm_Swir"] = np.array([9, 8], "<f4")
        file.attrs["List_Cw_Swir_Flags"] = np.array([1, 1])
        file.attrs["ScaleFactor_Vnir"] = np.float32(100)
    return vnir, swir


@pytest.mark.parametrize("level", ["L1", "L2D"])
def test_prisma_has_vnir_then_swir_each_by_increasing_wavelength(tmp_path, level):
    vnir, swir = prisma(tmp_path / "PRS_L1_STD.he5", level)
    scene = read_scene(tmp_path / "PRS_L1_STD.he5")
    assert scene.sensor == "PRISMA"
    assert scene.cube.shape == (5, 4, 5)
    assert scene.dtype == np.dtype("<u2")
    assert scene.wavelengths == (0, 700.25, 900.5, 1000, 2400)
    assert scene.fwhm == (0, 12, 11, 8, 9)
    assert scene.bad_bands == (True, False, False, False, False)
    assert (scene.cube[2] == vnir[:, 0]).all()
    assert (scene.cube[4] == swir[:, 0]).all()
    assert scene.metadata == {"ScaleFactor_Vnir": 100.0}


def test_prisma_with_a_wavelength_missing_is_one_sentence(tmp_path):
    prisma(tmp_path / "p.he5", wrong=1)
    with pytest.raises(SceneError, match="2 Vnir wavelengths; expected 3"):
        read_scene(tmp_path / "p.he5")


@pytest.mark.parametrize(("variable", "good"), [("radiance", False), ("reflectance", True)])
def test_emit_products_of_level_1b_and_2a_are_read(tmp_path, variable, good):
    data = np.random.default_rng(0).normal(size=(4, 5, 3)).astype("<f4")
    with h5py.File(tmp_path / "EMIT.nc", "w") as file:
        cube = file.create_dataset(variable, data=data, chunks=(2, 2, 3), compression="gzip")
        cube.attrs["_FillValue"] = np.array([-9999], "<f4")
        cube.attrs["units"] = "uW/cm^2/SR/nm"
        file.create_dataset("flat_field_update", data=np.ones((2, 3, 4), "<f4"))
        bands = file.create_group("sensor_band_parameters")
        bands["wavelengths"] = np.array([381, 388.5, 396], "<f4")
        bands["fwhm"] = np.array([8.5, 8.5, 8.25], "<f4")
        if good:
            bands["good_wavelengths"] = np.array([1, 0, 1], "u1")
    scene = read_scene(tmp_path / "EMIT.nc")
    assert (scene.cube == data.transpose(2, 0, 1)).all()
    assert scene.wavelengths == (381, 388.5, 396)
    assert scene.bad_bands == ((False, True, False) if good else None)
    assert (scene.sensor, scene.nodata) == ("EMIT", -9999)
    assert scene.metadata == {"units": "uW/cm^2/SR/nm"}


def test_attributes_are_kept_whole_or_named_as_left_out(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["cube"] = np.zeros((2, 3, 4))
        file["cube"].attrs["long"] = np.arange(2000)
        file["cube"].attrs["complex"] = 1j
        file.attrs["title"] = "a field"
    with pytest.warns(SceneWarning) as found:
        scene = read_scene(tmp_path / "a.h5")
    assert scene.metadata == {"long": list(range(2000))}
    said = " ".join(str(warning.message) for warning in found)
    assert all(f"left out: {name}" in said for name in ("complex", "title"))


def test_any_array_of_an_hdf5_file_is_named_after_a_colon_and_mapped_where_it_is_in_one_piece(tmp_path):
    data = np.arange(24, dtype=">i2").reshape(2, 3, 4)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["group/one"] = data
        file["two"] = data
        file["text"] = "x"
    scene = read_scene(f"{tmp_path / 'a.h5'}:group/one", interleave="bsq")
    assert (scene.cube == data).all()
    assert scene.dtype == data.dtype
    assert isinstance(scene.cube.base, np.memmap)
    with pytest.raises(SceneError, match="2 arrays of three axes"):
        read_scene(tmp_path / "a.h5")
    with pytest.raises(SceneError, match="no array 'three'"):
        read_scene(f"{tmp_path / 'a.h5'}:three")


def test_matlab_7_3_counts_axes_from_the_other_end(tmp_path):
    lines_samples_bands = np.arange(24, dtype="<u2").reshape(2, 3, 4)
    with h5py.File(tmp_path / "s.mat", "w", userblock_size=512) as file:
        file["cube"] = lines_samples_bands.transpose()
    content = bytearray((tmp_path / "s.mat").read_bytes())
    content[:20] = b"MATLAB 7.3 MAT-file,"
    (tmp_path / "s.mat").write_bytes(content)
    scene = read_scene(tmp_path / "s.mat")
    assert (scene.cube == lines_samples_bands.transpose(2, 0, 1)).all()


XML = """<?xml version="1.0"?><level_X><specific><bandCharacterisation>
<bandID number="1"><wavelengthCenterOfBand>423.03</wavelengthCenterOfBand><FWHMOfBand>6.99</FWHMOfBand></bandID>
<bandID number="2"><wavelengthCenterOfBand>428.80</wavelengthCenterOfBand><FWHMOfBand>7.10</FWHMOfBand></bandID>
<bandID number="3"><wavelengthCenterOfBand>905.10</wavelengthCenterOfBand><FWHMOfBand>9.00</FWHMOfBand></bandID>
</bandCharacterisation></specific></level_X>"""


@pytest.mark.parametrize(
    ("part", "wavelengths"), [("", (423.03, 428.8, 905.1)), ("_VNIR", (423.03, 428.8)), ("_SWIR", (905.1,))]
)
def test_enmap_bands_are_described_in_the_xml_beside_the_image(tmp_path, part, wavelengths):
    rasterio = pytest.importorskip("rasterio")
    cube = np.arange(len(wavelengths) * 6, dtype="<i2").reshape(-1, 2, 3)
    name = "ENMAP01-____L1C-DT0000001867_20220724T104526Z_008_V010302_20230628T165614Z-"
    path = tmp_path / f"{name}SPECTRAL_IMAGE{part}.TIF"
    with rasterio.open(
        path, "w", driver="GTiff", count=len(cube), height=2, width=3, dtype="int16", nodata=-32768
    ) as file:
        file.write(cube)
    assert read_scene(path).wavelengths is None
    (tmp_path / f"{name}METADATA.XML").write_text(XML)
    scene = read_scene(path)
    assert scene.wavelengths == wavelengths
    assert (scene.sensor, scene.nodata) == ("EnMAP", -32768)
    (tmp_path / f"{name}METADATA.XML").write_text(XML[:200])
    with pytest.raises(SceneError, match="expected the metadata of an EnMAP product"):
        read_scene(path)


def test_a_geotiff_of_another_program_is_read(tmp_path):
    rasterio = pytest.importorskip("rasterio")
    with rasterio.open(
        tmp_path / "s.tif",
        "w",
        driver="GTiff",
        count=2,
        height=3,
        width=4,
        dtype="uint16",
        crs="EPSG:32610",
        transform=rasterio.Affine(20, 0, 5e5, 0, -20, 4e6),
        ENDIANNESS="BIG",
        compress="deflate",
    ) as file:
        file.write(np.arange(24, dtype="u2").reshape(2, 3, 4))
        for band, micrometres in ((1, "0.65"), (2, "0.86")):
            file.update_tags(band, wavelength=micrometres, wavelength_units="Micrometers")
    scene = read_scene(tmp_path / "s.tif")
    assert scene.dtype.str == ">u2"
    assert scene.wavelengths == (650, 860)
    assert scene.metadata["transform"] == [5e5, 20, 0, 4e6, 0, -20]
    assert "32610" in scene.metadata["crs"]
