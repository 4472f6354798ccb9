"""Where a scene lies, and what else GeoTIFF says, comes back from GeoTIFF and goes to ENVI and back."""

import numpy as np
import pytest

from bandpress import Scene, read_scene, write_scene
from bandpress.errors import ExistsError, SceneWarning
from bandpress.files import refuse_to_replace
from bandpress.formats import output_files

rasterio = pytest.importorskip("rasterio")
from rasterio.control import GroundControlPoint  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
CUBE = np.arange(24, dtype="<u2").reshape(2, 3, 4)
PLACE = rasterio.Affine(5.3, 0, 332499.6, 0, -5.3, 5419368.7)
TURNED = (
    rasterio.Affine.translation(332499.6, 5419368.7)
    * rasterio.Affine.rotation(-12)
    * rasterio.Affine.scale(5.3, -5.3)
)


def geotiff(path, setter=lambda file: None, **options):
    shape = {"count": 2, "height": 3, "width": 4, "dtype": "uint16"}
    with rasterio.open(path, "w", driver="GTiff", **shape, **options) as file:
        file.write(CUBE)
        setter(file)
    return path


def seen(path):
    with rasterio.open(path) as file:
        points = [(p.row, p.col, p.x, p.y) for p in file.gcps[0]]
        crs = None if file.crs is None else file.crs.to_epsg()
        return {
            "transform": tuple(round(v, 6) for v in file.transform),
            **{
                "crs": crs,
                "gcps": points,
                "scales": file.scales,
                "offsets": file.offsets,
                "units": file.units,
            },
            **{"names": file.descriptions, "tag": file.tags().get("when"), "rpc": file.tags(ns="RPC")},
            **{"bands": [file.tags(b).get("gain") for b in (1, 2)], "nodata": file.nodata},
        }


def everything(file):
    file.scales, file.offsets, file.units = (1e-4, 1e-4), (0.5, 0.25), ("W", "W")
    file.descriptions = ("one (400 nm)", "two, {three}")
    file.update_tags(when="2022-07-24T10:45:26", ENVI="{a, b}")
    file.update_tags(1, gain="3")


def control(file):
    points = [
        GroundControlPoint(0, 0, 10, 50, 0),
        GroundControlPoint(0, 4, 11, 50, 0),
        GroundControlPoint(3, 0, 10, 49, 0),
    ]
    file.gcps = (points, rasterio.crs.CRS.from_epsg(4326))


@pytest.mark.parametrize(
    ("setter", "options"),
    [
        (everything, {"crs": "EPSG:32633", "transform": PLACE, "nodata": 7}),
        (lambda file: None, {"transform": PLACE}),
        (lambda file: None, {"crs": "EPSG:32633"}),
        (lambda file: None, {"crs": "EPSG:32633", "transform": TURNED}),
        (control, {}),
        (lambda file: None, {}),
    ],
    ids=["everything", "no CRS", "no transform", "turned", "control points", "nothing"],
)
@pytest.mark.parametrize("through", ["x.tif", "x.hdr", "x.npy", "x.mat", "x.raw", "x.nc"])
@pytest.mark.filterwarnings("ignore::bandpress.errors.SceneWarning")
def test_geotiff_through_every_format_and_back_says_the_same(tmp_path, setter, options, through):
    before = geotiff(tmp_path / "a.tif", setter, **options)
    between = write_scene(read_scene(before), tmp_path / "between" / through)
    assert seen(write_scene(read_scene(between), tmp_path / "b.tif")) == seen(before)


@pytest.mark.parametrize("place", [PLACE, TURNED])
def test_envi_from_geotiff_lies_where_gdal_reads_it(tmp_path, place):
    before = geotiff(tmp_path / "a.tif", crs="EPSG:32633", transform=place)
    write_scene(read_scene(before), tmp_path / "b.hdr")
    with rasterio.open(tmp_path / "b.img") as file:
        assert file.transform.almost_equals(place, 1e-4)
        assert (
            file.crs.to_epsg() == 32633
            or "33N" in file.crs.to_wkt()
            or 'central_meridian",15' in file.crs.to_wkt()
        )


@pytest.mark.parametrize("turned", ["", ", units=Meters, rotation=-12.00000000"])
def test_geotiff_from_envi_lies_where_gdal_reads_it(tmp_path, turned):
    header = write_scene(Scene(CUBE), tmp_path / "a.hdr")
    text = f"map info = {{UTM, 1.5, 1, 332499.6, 5419368.7, 5.3, 5.3, 33, North, WGS-84{turned}}}\n"
    header.write_text(header.read_text() + text)
    scene = read_scene(header)
    assert seen(write_scene(scene, tmp_path / "b.tif"))["transform"] == seen(tmp_path / "a.img")["transform"]
    assert seen(write_scene(scene, tmp_path / "c.hdr").with_suffix(".img")) == seen(tmp_path / "a.img")


def test_a_place_that_envi_cannot_hold_is_one_sentence(tmp_path):
    scene = read_scene(geotiff(tmp_path / "a.tif", control))
    with pytest.warns(SceneWarning, match="the georeference is left out"):
        write_scene(scene, tmp_path / "b.hdr")


def test_changes_by_another_program_to_our_geotiff_count(tmp_path):
    scene = Scene(CUBE, wavelengths=(400.0, 500.0), bad_bands=(True, False), sensor="X", metadata={"n": 1})
    path = write_scene(scene, tmp_path / "a.tif")
    with rasterio.open(path, "r+") as file:
        file.crs, file.transform, file.nodata = "EPSG:32633", PLACE, 9
    back = read_scene(path)
    assert (back.nodata, back.sensor, back.metadata["n"]) == (9, "X", 1)
    assert back.metadata["transform"] == list(PLACE.to_gdal())
    with (
        rasterio.open(path) as file,
        rasterio.open(tmp_path / "b.tif", "w", **file.profile | {"count": 1}) as cut,
    ):
        cut.write(file.read(2), 1)
        cut.update_tags(**file.tags())
        cut.update_tags(1, **file.tags(2))
    cut = read_scene(tmp_path / "b.tif")
    assert (cut.wavelengths, cut.bad_bands, cut.sensor) == ((500.0,), (False,), "X")


@pytest.mark.parametrize("unit", ["\u00b5m", "Micrometers", None])
@pytest.mark.parametrize("whole", [False, True])
def test_wavelengths_of_geotiff_are_nm(tmp_path, unit, whole):
    def tags(file):
        if whole and unit:
            file.update_tags(wavelength_units=unit)
        for band, value in ((1, "0.41"), (2, "0.42")):
            file.update_tags(
                band, wavelength=value, **({} if whole or unit is None else {"wavelength_units": unit})
            )

    assert read_scene(geotiff(tmp_path / "a.tif", tags)).wavelengths == (410, 420)


def test_a_mask_is_said_to_be_left_out(tmp_path):
    geotiff(tmp_path / "a.tif", lambda file: file.write_mask(np.eye(3, 4, dtype=bool)))
    with pytest.warns(SceneWarning, match="mask is left out"):
        read_scene(tmp_path / "a.tif")


@pytest.mark.parametrize("text", ["not ours", "[1]", "{"])
def test_a_tag_of_somebody_else_with_our_name_is_left_alone(tmp_path, text):
    geotiff(tmp_path / "a.tif", lambda file: file.update_tags(BANDPRESS=text))
    assert read_scene(tmp_path / "a.tif").metadata["tags"] == {"BANDPRESS": text}


@pytest.mark.parametrize("there", ["x.tif.aux.xml", "x.tfw", "x.wld"])
def test_files_beside_an_old_geotiff_are_not_metadata_of_a_new_one(tmp_path, there):
    target, other = tmp_path / "x.tif", tmp_path / there
    other.write_text(
        "<PAMDataset><GeoTransform>100,1,0,200,0,-1</GeoTransform></PAMDataset>"
        if there.endswith("xml")
        else "1\n0\n0\n-1\n9\n9\n"
    )
    scene = Scene(np.zeros((1, 3, 4), "u1"))
    with pytest.raises(ExistsError, match=there):
        refuse_to_replace(output_files(scene, target))
    write_scene(scene, target)
    assert read_scene(target).metadata == {}
    assert not other.exists()


def test_tags_of_other_programs_and_colour_tables_are_named_when_they_are_left_out(tmp_path):
    path = tmp_path / "a.tif"
    with rasterio.open(path, "w", driver="GTiff", count=1, height=4, width=5, dtype="uint8") as file:
        file.write(np.ones((1, 4, 5), "u1"))
        file.update_tags(ns="MINE", answer="42")
        file.write_colormap(1, {0: (1, 2, 3, 255)})
    with pytest.warns(SceneWarning, match=f"{path}: left out: tags of MINE, a colour table"):
        read_scene(path)


@pytest.mark.parametrize("source", ["geotiff", "envi"])
def test_gdal_finds_the_place_of_a_scene_in_netcdf(tmp_path, source):
    scene = read_scene(geotiff(tmp_path / "a.tif", crs="EPSG:32632", transform=PLACE))
    if source == "envi":
        scene = read_scene(write_scene(scene, tmp_path / "a.hdr"))
    written = write_scene(scene, tmp_path / "a.nc")
    with rasterio.open(f"netcdf:{written}:cube") as file:
        assert file.crs.to_epsg() == 32632
        assert file.transform.almost_equals(PLACE, 1e-6)
        assert np.array_equal(file.read(), CUBE)
    back = read_scene(written)
    assert back.metadata == scene.metadata
    assert np.array_equal(back.cube, CUBE)


def test_a_turned_scene_keeps_its_place_in_the_metadata_of_netcdf(tmp_path):
    scene = read_scene(geotiff(tmp_path / "a.tif", crs="EPSG:32632", transform=TURNED))
    assert read_scene(write_scene(scene, tmp_path / "a.nc")).metadata == scene.metadata
