"""ENVI as archives and other programmes have it: names of the pair, encodings, fields."""

import numpy as np
import pytest

from bandpress import Scene, read_scene, write_scene
from bandpress.errors import SceneError, SceneWarning
from bandpress.formats import input_files, one_each, output_files, scene_name, scenes_in
from bandpress.formats.envi_header import read_header

CUBE = np.arange(24, dtype="<i2").reshape(2, 3, 4)
HEADER = "ENVI\nsamples = 4\nlines = 3\nbands = 2\ndata type = 2\ninterleave = bil\nbyte order = 0\n"


def pair(folder, data, header, more="", encoding="utf-8"):
    (folder / data).write_bytes(CUBE.transpose(1, 0, 2).tobytes())
    (folder / header).write_bytes((HEADER + more).encode(encoding))


@pytest.mark.parametrize(
    ("data", "header", "name"),
    [
        ("x.img", "x.hdr", "x"),
        ("x.bil", "x.bil.hdr", "x"),
        ("X.IMG", "X.HDR", "X"),
        ("X.IMG", "X.IMG.HDR", "X"),
        (
            "ang20150420t182050_rdn_v1k_img",
            "ang20150420t182050_rdn_v1k_img.hdr",
            "ang20150420t182050_rdn_v1k_img",
        ),
        ("f970619t01p02_r02_sc01.a.rfl", "f970619t01p02_r02_sc01.a.rfl.hdr", "f970619t01p02_r02_sc01.a.rfl"),
        ("x.sc01.rfl", "x.sc01.hdr", "x.sc01"),
    ],
)
def test_data_and_header_are_found_from_either_and_are_one_scene(tmp_path, data, header, name):
    pair(tmp_path, data, header)
    for given in (data, header):
        scene = read_scene(tmp_path / given)
        assert scene.name == scene_name(tmp_path / given) == name
        assert (scene.cube == CUBE).all()
        assert {tmp_path / data, tmp_path / header} <= set(input_files(tmp_path / given))
    assert scenes_in(tmp_path) == [tmp_path / header]
    assert one_each([tmp_path / data, tmp_path / header]) == [tmp_path / header]


def test_a_header_with_the_whole_name_of_the_data_goes_before_one_with_its_stem(tmp_path):
    pair(tmp_path, "x.dat", "x.dat.hdr", "sensor type = right\n")
    write_scene(Scene(CUBE + 1), tmp_path / "x.hdr")  # another scene: x.hdr with x.img
    assert (read_scene(tmp_path / "x.dat").sensor, read_scene(tmp_path / "x.hdr").sensor) == ("right", None)
    assert (read_scene(tmp_path / "x.hdr").cube == CUBE + 1).all()


def test_of_several_data_files_the_size_decides_else_the_file_must_be_named(tmp_path):
    pair(tmp_path, "x.img", "x.hdr")
    (tmp_path / "x.raw").write_bytes(b"1")
    assert (read_scene(tmp_path / "x.hdr").cube == CUBE).all()
    (tmp_path / "x.raw").write_bytes(bytes(CUBE.nbytes))
    with pytest.raises(SceneError, match=r"x\.img and x\.raw are beside it"):
        read_scene(tmp_path / "x.hdr")
    assert (read_scene(tmp_path / "x.img").cube == CUBE).all()


@pytest.mark.parametrize(
    ("there", "target"),
    [("x.raw", "x.hdr"), ("x.DAT", "x.hdr"), ("x", "x.img"), ("x.img.hdr", "x.img"), ("x.img.HDR", "x.hdr")],
)
def test_a_pair_that_could_not_be_read_back_beside_other_files_is_not_written(tmp_path, there, target):
    (tmp_path / there).write_bytes(bytes(CUBE.nbytes))
    with pytest.raises(SceneError, match=rf"with {there} beside it, x\.img could not be read back"):
        write_scene(Scene(CUBE), tmp_path / target)
    assert [path.name for path in tmp_path.iterdir()] == [there]
    (tmp_path / there).write_bytes(b"1")
    if not there.lower().endswith(".hdr"):
        assert (read_scene(write_scene(Scene(CUBE), tmp_path / target)).cube == CUBE).all()


def test_a_header_beside_a_geotiff_is_no_second_scene(tmp_path):
    (tmp_path / "x.hdr").write_text(HEADER)
    (tmp_path / "x.tif").write_bytes(b"")
    assert scenes_in(tmp_path) == [tmp_path / "x.tif"]
    (tmp_path / "x.tif").unlink()
    assert scenes_in(tmp_path) == [tmp_path / "x.hdr"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_headers_in_any_encoding_keep_their_text(tmp_path, encoding, newline):
    more = "description = {Station Zürich, 25 °C}\nwavelength = {0.4,\n ; in µm\n 0.5}\nwavelength units = \u00b5m\n"
    pair(tmp_path, "x.img", "x.hdr", more.replace("\n", newline), encoding)
    scene = read_scene(tmp_path / "x.hdr")
    assert scene.metadata["description"] == "Station Zürich, 25 °C"
    assert scene.wavelengths == (400.0, 500.0)
    back = read_scene(write_scene(scene, tmp_path / "back" / "x.hdr"))
    assert back.metadata == scene.metadata


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("wavelength = {400", "a brace that ends"),
        ("file type = ENVI Spectral Library", "library"),
        ("file compression = 1", "compression"),
        ("major frame offsets = {0, 8}", "frame offsets"),
        ("header offset = 99999999999999999999", "bytes"),
    ],
)
def test_headers_of_files_other_than_plain_cubes_are_refused_in_one_sentence(tmp_path, more, words):
    pair(tmp_path, "x.img", "x.hdr", more)
    with pytest.raises(SceneError, match=words) as caught:
        read_scene(tmp_path / "x.hdr")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "field", ["data ignore value = NaN", "data ignore value = -inf", "wavelength = {400, nan}"]
)
def test_numbers_that_are_not_finite_are_left_out_with_a_sentence(tmp_path, field):
    pair(tmp_path, "x.img", "x.hdr", field + "\n")
    with pytest.warns(SceneWarning, match="left out"):
        scene = read_scene(tmp_path / "x.hdr")
    assert scene.nodata is None
    assert scene.wavelengths is None
    back = read_header(write_scene(scene, tmp_path / "y.hdr"))
    assert back.get("wavelength", ["400", "nan"]) == ["400", "nan"]


def test_empty_lists_trailing_commas_and_a_list_of_one_are_read(tmp_path):
    pair(
        tmp_path,
        "x.img",
        "x.hdr",
        "fwhm = {}\nband names = { }\nwavelength = {400, 500,}\ndata ignore value = {-5}\n",
    )
    scene = read_scene(tmp_path / "x.hdr")
    assert (scene.wavelengths, scene.fwhm, scene.nodata, scene.metadata) == ((400, 500), None, -5, {})


def test_gains_and_offsets_are_the_scale_and_come_back(tmp_path):
    pair(tmp_path, "x.img", "x.hdr", "data gain values = {0.1, 0.2}\ndata offset values = {5, 5}\n")
    scene = read_scene(tmp_path / "x.hdr")
    assert (scene.metadata["scale_factor"], scene.metadata["add_offset"]) == ([0.1, 0.2], 5.0)
    fields = read_header(write_scene(scene, tmp_path / "y.hdr"))
    assert fields["data gain values"] == ["0.1", "0.2"]
    assert fields["data offset values"] == ["5.0", "5.0"]
    assert read_scene(tmp_path / "y.hdr").metadata == scene.metadata


@pytest.mark.parametrize(
    ("name", "files"),
    [("y.hdr", ("y.hdr", "y.img", "y.hdr.json")), ("y.bil", ("y.hdr", "y.bil", "y.hdr.json"))],
)
def test_output_files_are_those_that_are_written(tmp_path, name, files):
    scene = Scene(CUBE, metadata={"Mixed": 1})
    assert [path.name for path in output_files(scene, tmp_path / name)] == list(files)
    write_scene(scene, tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(files)


def test_spectral_and_gdal_read_what_is_written(tmp_path):
    spectral = pytest.importorskip("spectral")
    rasterio = pytest.importorskip("rasterio")
    scene = Scene(
        CUBE.astype(">i2"), wavelengths=(400.5, 500.25), nodata=-1.0, metadata={"band names": ["a b", "c"]}
    )
    write_scene(scene, tmp_path / "y.hdr", interleave="bip")
    theirs = spectral.envi.open(str(tmp_path / "y.hdr"), str(tmp_path / "y.img"))
    assert (np.asarray(theirs.load()).transpose(2, 0, 1) == CUBE).all()
    assert theirs.bands.centers == [400.5, 500.25]
    with rasterio.open(tmp_path / "y.img") as file:
        assert (file.read() == CUBE).all()
        assert file.nodata == -1
        assert file.descriptions[0].startswith("a b")
