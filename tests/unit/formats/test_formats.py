"""Every writer gives back what it was given."""

import subprocess
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bandpress import Scene, read_scene, write_scene
from bandpress.errors import MissingDependencyError, SceneError

SIXTEEN = ["|u1", "<u2", ">u2", "<i2", ">i2"]
OTHERS = ["<i4", ">i4", "<f4", ">f4", "<f8", ">f8", "<i8", ">i8"]
WRITERS = {
    "gici": ("s.raw", ["|b1", *SIXTEEN, *OTHERS], ""),
    "ccsds": ("s-{kind}{bits}{order}-{b}x{l}x{s}.raw", [*SIXTEEN, "<i4", ">u4", ">i8"], ""),
    "envi-bsq": ("s.hdr", [*SIXTEEN, *OTHERS, ">u4", "<u8"], ""),
    "envi-bil": ("s.bil", [*SIXTEEN, *OTHERS], ""),
    "envi-bip": ("s.bip", [*SIXTEEN, *OTHERS], ""),
    "npy": ("s.npy", ["|b1", *SIXTEEN, *OTHERS], ""),
    "npy-bsq": ("s.npy", SIXTEEN, ""),
    "npz": ("s.npz", ["|b1", *SIXTEEN, *OTHERS], ""),
    "matlab": ("s.mat", ["|b1", *SIXTEEN, *OTHERS], ""),
    "hdf5": ("s.h5", ["|b1", *SIXTEEN, *OTHERS], "h5py"),
    "hdf5-bil": ("s.nc", [*SIXTEEN, *OTHERS], "h5py"),
    "geotiff": ("s.tif", [*SIXTEEN, *OTHERS], "rasterio"),
}
#: Library's text formats hold finite numbers; any of them must come back bit by bit.
NUMBERS = st.floats(0.01, 1e6, allow_nan=False)
TEXTS = st.text("abcXYZ019 _-+.:/", min_size=1, max_size=12).filter(lambda t: t == t.strip())


def same(one: Scene, two: Scene) -> None:
    """Refuse two scenes that differ in anything but the order of their samples in memory."""
    assert one.dtype.str == two.dtype.str
    assert one.cube.shape == two.cube.shape
    assert np.ascontiguousarray(one.cube).tobytes() == np.ascontiguousarray(two.cube).tobytes()
    ignored = {"cube": None, "origin": None}
    assert one.__dict__ | ignored == two.__dict__ | ignored


@st.composite
def scenes(draw, dtypes, most_bands=12):
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    bands, lines, samples = draw(st.tuples(st.integers(1, most_bands), st.integers(1, 5), st.integers(1, 5)))
    cube = draw(hnp.arrays(dtype, (bands, lines, samples), fill=st.nothing() if bands < 4 else None))
    per_band = {"min_size": bands, "max_size": bands}
    return Scene(
        cube,
        name="s",
        wavelengths=draw(st.none() | st.lists(NUMBERS, **per_band).map(tuple)),
        fwhm=draw(st.none() | st.lists(NUMBERS, **per_band).map(tuple)),
        bad_bands=draw(st.none() | st.lists(st.booleans(), **per_band).map(tuple)),
        sensor=draw(st.none() | st.just("AVIRIS")),
        nodata=draw(st.none() | st.sampled_from([0.0, -9999.0, 0.5, 65535.0])),
        metadata=draw(
            st.dictionaries(
                st.sampled_from(["map info", "note", "Mixed Case", "x"]),
                TEXTS
                | st.lists(TEXTS, min_size=1, max_size=3)
                | st.integers(-(1 << 63), 1 << 64)
                | st.just("{a, b}"),
            )
        ),
    )


def target(pattern: str, scene: Scene) -> str:
    kind = "s" if scene.dtype.kind == "i" else "u"
    order = "be" if scene.dtype.str[0] == ">" else "le"
    b, lines, s = scene.cube.shape
    return pattern.format(kind=kind, bits=8 * scene.dtype.itemsize, order=order, b=b, l=lines, s=s)


@pytest.mark.parametrize(
    "writer", [pytest.param(name, marks=pytest.mark.slow) if name == "hdf5-bil" else name for name in WRITERS]
)
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_scene_is_written_and_read_back(tmp_path_factory, writer, data):
    pattern, dtypes, package = WRITERS[writer]
    if package:
        pytest.importorskip(package)
    scene = data.draw(scenes(dtypes))
    interleave = writer.partition("-")[2] or None
    path = write_scene(scene, tmp_path_factory.mktemp("w") / target(pattern, scene), interleave=interleave)
    back = read_scene(path, interleave="bsq" if writer == "npy-bsq" else None)
    same(scene, back)
    assert not [p for p in path.parent.iterdir() if ".part" in p.name]


@pytest.mark.parametrize("dtype", ["<f4", ">f8"])
def test_negative_zeros_come_back_from_geotiff_negative(tmp_path, dtype):
    pytest.importorskip("rasterio")
    cube = np.full((3, 4, 5), -0.0, dtype)
    cube[1] = 1.5
    scene = Scene(cube, name="s", wavelengths=(400.0, 500.0, 600.0), nodata=0.0)
    same(scene, read_scene(write_scene(scene, tmp_path / "s.tif")))


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("bands", [1, 2, 7, 224, 300])
@pytest.mark.parametrize("dtype", [">u2", "<i2"])
def test_round_trip_of_many_bands(tmp_path, writer, bands, dtype):
    pattern, _, package = WRITERS[writer]
    if package:
        pytest.importorskip(package)
    cube = np.random.default_rng(bands).integers(-32768, 32767, (bands, 5, 3)).astype(dtype)
    scene = Scene(cube, name="s", wavelengths=tuple(np.linspace(400, 2500, bands).tolist()))
    interleave = writer.partition("-")[2] or None
    path = write_scene(scene, tmp_path / target(pattern, scene), interleave=interleave)
    same(scene, read_scene(path, interleave="bsq" if writer == "npy-bsq" else None))


@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_a_gici_file_and_its_envi_twin_are_the_same_scene(tmp_path_factory, data):
    scene = data.draw(scenes([*SIXTEEN, ">i4", "<f4", ">f8"]))
    folder = tmp_path_factory.mktemp("twins")
    interleave = data.draw(st.sampled_from(["bsq", "bil", "bip"]))
    gici = read_scene(write_scene(scene, folder / "s.raw"))
    envi = read_scene(write_scene(gici, folder / "s.hdr", interleave=interleave))
    same(gici, envi)
    same(gici, read_scene(folder / "s.img"))
    same(envi, read_scene(write_scene(envi, folder / "back" / "s.raw")))


def test_a_header_beside_a_gici_file_describes_the_same_scene(tmp_path):
    gici = write_scene(Scene(np.arange(24, dtype=">i2").reshape(2, 3, 4), name="a.b"), tmp_path / "a.b.raw")
    write_scene(read_scene(gici), tmp_path / "a.b.hdr")
    (tmp_path / "a.b.hdr").rename(gici.with_suffix(".hdr"))
    (tmp_path / "a.b.img").unlink()
    same(read_scene(gici), read_scene(gici.with_suffix(".hdr")))


@pytest.mark.parametrize("name", ["s.raw", "s-u16be-3x5x4.raw", "s.hdr", "s.npy"])
def test_opening_costs_no_memory(tmp_path, name):
    path = write_scene(Scene(np.ones((3, 5, 4), ">u2"), name="s"), tmp_path / name)
    cube = read_scene(path).cube
    while isinstance(cube, np.ndarray) and not isinstance(cube, np.memmap):
        cube = cube.base
    assert isinstance(cube, np.memmap)


def test_a_ccsds_name_gives_bands_lines_samples(tmp_path):
    cube = np.arange(2 * 3 * 4, dtype=">u2").reshape(2, 3, 4)
    path = tmp_path / "aviris_yellowstone.sc00-uncal-u16be-2x3x4.raw"
    path.write_bytes(cube.tobytes())
    scene = read_scene(path)
    assert scene.name == "aviris_yellowstone.sc00-uncal"
    assert scene.dtype.str == ">u2"
    assert (scene.cube == cube).all()
    (tmp_path / "s-u12le-1x1x1.raw").write_bytes(b"\x01\x02")
    assert read_scene(tmp_path / "s-u12le-1x1x1.raw").cube.item() == 0x201
    (tmp_path / "s-s8-1x1x1.raw").write_bytes(b"\xff")
    assert read_scene(tmp_path / "s-s8-1x1x1.raw").cube.item() == -1


ENVI = """ENVI
description = {Made by
  some other programme}
samples = 2
lines = 3
bands = 2
header offset = 7
file type = ENVI Standard
data type = 2
interleave = BIL
byte order = 1
sensor type = AVIRIS
map info = {UTM, 1, 1, 500000.0, 4000000.0, 20, 20, 10, North}
Wavelength Units = Micrometers
wavelength = {
 0.41,
 0.42}
fwhm = {0.01, 0.011}
bbl = {1, 0}
data ignore value = -50
"""


def test_an_envi_file_of_another_program_is_read(tmp_path):
    cube = np.arange(-6, 6, dtype=">i2").reshape(3, 2, 2)
    (tmp_path / "scene.dat").write_bytes(b"preface" + cube.tobytes())
    (tmp_path / "scene.hdr").write_text(ENVI)
    scene = read_scene(tmp_path / "scene.hdr")
    assert (scene.cube == cube.transpose(1, 0, 2)).all()
    assert scene.dtype.str == ">i2"
    assert scene.wavelengths == pytest.approx((410, 420))
    assert scene.fwhm == pytest.approx((10, 11))
    assert scene.bad_bands == (False, True)
    assert (scene.nodata, scene.sensor, scene.name) == (-50, "AVIRIS", "scene")
    assert scene.metadata["map info"][:2] == ["UTM", "1"]
    same(scene, read_scene(tmp_path / "scene.dat"))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("ENVI\n", "ENV\n", "not an ENVI header"),
        ("lines = 3", "lines = three", "three"),
        ("data type = 2", "data type = 6", "data type"),
        ("interleave = BIL", "interleave = tiled", "tiled"),
        ("byte order = 1", "byte order = 2", "byte order"),
        ("bands = 2", "bands = 3", "43; expected|; expected 43"),
        ("{0.01, 0.011}", "{0.01}", "1 fwhm for 2 bands"),
        ("bbl = {1, 0}", "bbl = {1, x}", "expected numbers"),
    ],
)
def test_an_envi_header_that_cannot_be_used_is_one_sentence(tmp_path, old, new, words):
    (tmp_path / "s.dat").write_bytes(bytes(7 + 24))
    (tmp_path / "s.hdr").write_text(ENVI.replace(old, new))
    with pytest.raises(SceneError, match=words) as caught:
        read_scene(tmp_path / "s.hdr")
    assert "\n" not in str(caught.value)


def test_half_of_an_envi_pair_is_one_sentence(tmp_path):
    (tmp_path / "s.hdr").write_text(ENVI)
    with pytest.raises(SceneError, match="no data file beside it"):
        read_scene(tmp_path / "s.hdr")
    (tmp_path / "t.img").write_bytes(b"")
    with pytest.raises(SceneError, match="no ENVI header beside it"):
        read_scene(tmp_path / "t.img")


@pytest.mark.parametrize("suffix", [".npz", ".mat"])
def test_one_array_of_several_is_named_after_a_colon(tmp_path, suffix):
    from scipy.io import savemat

    arrays = {
        "indian_pines": np.ones((2, 3, 4), "<u2"),
        "other": np.zeros((2, 3, 5), "u1"),
        "truth": np.ones((2, 3)),
    }
    path = tmp_path / f"scenes{suffix}"
    savemat(path, arrays) if suffix == ".mat" else np.savez(path, **arrays)
    scene = read_scene(f"{path}:indian_pines")
    assert scene.cube.shape == (4, 2, 3)
    assert read_scene(f"{path}:indian_pines", interleave="bsq").cube.shape == (2, 3, 4)
    with pytest.raises(
        SceneError, match=rf"2 arrays of three axes; expected one of scenes{suffix}:indian_pines"
    ):
        read_scene(path)
    assert read_scene(f"{path}:truth").cube.shape == (1, 2, 3)
    with pytest.raises(SceneError, match="no array"):
        read_scene(f"{path}:nothing")


def test_pickled_objects_are_never_loaded(tmp_path):
    np.save(tmp_path / "s.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "s.npz", cube=np.array([[[{"a": 1}]]], dtype=object))
    for name in ("s.npy", "s.npz"):
        with pytest.raises(SceneError):
            read_scene(tmp_path / name)


@pytest.mark.parametrize(
    "name",
    [
        "s.2_3_4_2_1_0.raw",
        "s-u16be-2x3x4.raw",
        "s.hdr",
        "s.mat",
        "s.npy",
        "s.npz",
        "s.tif",
        "s.h5",
        "s.he5",
        "s.nc",
    ],
)
@pytest.mark.parametrize(
    "content",
    [b"", b"garbage" * 9, b"\x93NUMPY\x01\x00", b"PK\x03\x04", b"MATLAB 7.3", b"II*\0"],
    ids=["empty", "garbage", "npy", "zip", "matlab", "tiff"],
)
def test_a_file_that_is_not_what_its_name_says_is_one_sentence(tmp_path, name, content):
    for package in ("rasterio", "h5py"):
        pytest.importorskip(package)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SceneError) as caught:
        read_scene(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert name.partition(".")[0] in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"[1]", b"{", b'{"wavelengths": [1]}', b'{"fwhm": 3}', b'{"metadata": []}']
)
def test_a_sidecar_that_does_not_fit_is_one_sentence(tmp_path, content):
    path = write_scene(Scene(np.ones((2, 3, 4), "<u2"), name="s"), tmp_path / "s.raw")
    (tmp_path / (path.name + ".json")).write_bytes(content)
    with pytest.raises(SceneError, match=r"\.json: .*expected") as caught:
        read_scene(path)
    assert "\n" not in str(caught.value)


def test_metadata_of_an_earlier_scene_are_not_left_beside_a_new_one(tmp_path):
    cube = np.ones((2, 3, 4), "<u2")
    path = write_scene(Scene(cube, name="s", sensor="AVIRIS"), tmp_path / "s.raw")
    assert read_scene(path).sensor == "AVIRIS"
    write_scene(Scene(cube, name="s"), tmp_path / "s.raw")
    assert read_scene(path).sensor is None


@pytest.mark.parametrize(("name", "module"), [("s.tif", "rasterio"), ("s.h5", "h5py"), ("s.nc", "h5py")])
def test_an_optional_package_that_is_missing_is_one_sentence(tmp_path, monkeypatch, name, module):
    import sys

    for known in [m for m in sys.modules if m.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, known)
    monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / name).write_bytes(b"")
    (tmp_path / "s.img").write_bytes(b"")
    with pytest.raises(MissingDependencyError, match=rf"{module}.* pip install 'bandpress\[formats\]'"):
        read_scene(tmp_path / name)


def test_unknown_suffixes_and_missing_files_are_one_sentence(tmp_path):
    with pytest.raises(SceneError, match="expected one of"):
        read_scene(tmp_path / "s.jpg")
    with pytest.raises(SceneError, match="no such file"):
        read_scene(tmp_path / "s.npy")
    (tmp_path / "d.npy").mkdir()
    with pytest.raises(SceneError, match="not a file"):
        read_scene(tmp_path / "d.npy")


def test_types_that_a_format_cannot_hold_are_refused_and_leave_nothing(tmp_path):
    pytest.importorskip("rasterio")
    for name, kind in (("s.raw", "u4"), ("s.hdr", "bool"), ("s.tif", "complex64"), ("s.raw", "float16")):
        with pytest.raises(SceneError):
            write_scene(Scene(np.ones((1, 2, 3), kind)), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["s.raw", "s.hdr", "s.npy", "s.npz", "s.mat", "s.tif"])
def test_a_full_device_leaves_nothing_and_is_one_sentence(tmp_path, name):
    if name.endswith(".tif"):
        pytest.importorskip("rasterio")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small tmpfs cannot be mounted here")
    try:
        cube = np.random.default_rng(0).integers(0, 65535, (20, 50, 60)).astype("<u2")
        with pytest.raises((SceneError, OSError)) as caught:
            write_scene(Scene(cube, name="s"), tmp_path / name)
        assert str(tmp_path / "s") in str(caught.value)
        assert list(tmp_path.iterdir()) == []
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_few_bytes_of_a_geotiff_that_stand_for_many_samples_are_refused(tmp_path):
    rasterio = pytest.importorskip("rasterio")
    shape = {"count": 4, "height": 1 << 15, "width": 1 << 15, "dtype": "uint16"}
    with rasterio.open(tmp_path / "a.tif", "w", driver="GTiff", tiled=True, SPARSE_OK=True, **shape):
        pass
    with pytest.raises(SceneError, match=r"a\.tif.* bytes that stand for 8589934592 bytes of samples"):
        read_scene(tmp_path / "a.tif")


def test_few_bytes_of_an_archive_of_arrays_that_stand_for_many_samples_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("bandpress.files._FREE_BYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_BZIP2) as packed:
        packed.writestr("cube.npy", bytes(1 << 24))
    with pytest.raises(SceneError, match=r"a\.npz.* bytes that stand for 16777216 bytes of samples"):
        read_scene(tmp_path / "a.npz")


@pytest.mark.parametrize("field", ["wavelength", "fwhm", "bbl"])
def test_a_list_of_another_length_is_refused_with_the_name_of_the_header(tmp_path, field):
    path = write_scene(Scene(np.ones((2, 3, 4), "u1")), tmp_path / "a.hdr")
    path.write_text(path.read_text() + f"{field} = {{1, 2, 3}}\n")
    with pytest.raises(SceneError, match=r"a\.hdr: .*3 .* for 2 bands"):
        read_scene(path)


def test_a_message_of_gdal_in_an_unknown_encoding_gives_no_traceback(tmp_path, monkeypatch):
    pytest.importorskip("rasterio")
    path = write_scene(Scene(np.ones((2, 3, 4), "u1"), metadata={"x": "y"}), tmp_path / "a.tif")
    path.write_bytes(path.read_bytes().replace(b"<GDALM", b"<GDAL\xff", 1))
    said = []
    monkeypatch.setattr(sys, "unraisablehook", said.append)
    assert np.array_equal(read_scene(path).cube, np.ones((2, 3, 4), "u1"))
    assert said == []


@pytest.mark.parametrize(
    "metadata", [{"wavelength": "unknown"}, {"wavelength": ["a", "b"]}, {"fwhm": ["1", "2", "3"]}]
)
def test_fields_of_bands_that_are_no_numbers_stay_metadata(tmp_path, metadata):
    path = write_scene(Scene(np.ones((2, 3, 4), "<u2"), "a", metadata=metadata), tmp_path / "a.hdr")
    back = read_scene(path)
    assert back.metadata == metadata
    assert back.wavelengths is back.fwhm is None
