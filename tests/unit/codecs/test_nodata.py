"""No-data samples come back exactly, cost next to nothing and are never made, with every codec."""

import numpy as np
import pytest

from bandpress import Scene, make_codec, prepared
from bandpress.clusters import Cluster
from bandpress.coding import compress, decompress
from bandpress.container.bitstream import Header, Reader
from bandpress.errors import BitstreamError, CodecError, MissingDependencyError
from bandpress.evaluation.metrics import measure
from bandpress.nodata.samples import filled
from bandpress.scaling import Scaling
from baseline_scenes import smooth_scene
from every_codec import cases

LINE, SAMPLE = np.mgrid[:33, :42]
BORDER = (SAMPLE - LINE > 25) | (LINE - SAMPLE > 20)


def masked(dtype="<i2", nodata=-9999, bands=7):
    """A scene with a border, no-data in one band, a band of nothing else, and values next to the no-data value."""
    cube = smooth_scene(bands=bands, lines=33, samples=42).cube.astype(float)
    info = np.iinfo(dtype)
    low, high = max(nodata + 1, info.min), min(nodata + 3000, info.max)
    cube = (low + (cube - cube.min()) * (min(high - low, 3000) / np.ptp(cube))).astype(dtype)
    cube[:, BORDER] = nodata
    cube[2, 10:14, 3:9] = nodata
    cube[4] = nodata
    return Scene(cube, name="masked", nodata=float(nodata))


def encoded(scene, path, name, options, **more):
    try:
        return compress(scene, path, make_codec(name, **options), **more)
    except MissingDependencyError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(("dtype", "nodata"), [("<i2", -9999), (">u2", 0), ("|u1", 0)])
@pytest.mark.parametrize(("name", "options"), cases())
def test_no_data_comes_back_and_is_never_made(tmp_path, name, options, dtype, nodata):
    scene = masked(dtype, nodata)
    path, model = tmp_path / "a.bpk", options.get("model")
    encoded(scene, path, name, options)
    whole = decompress(path, model=model).scene
    assert whole.nodata == nodata
    assert whole.cube.dtype == scene.cube.dtype
    assert np.array_equal(whole.cube == nodata, scene.cube == nodata)
    if "lossless" in options:
        assert np.array_equal(whole.cube, scene.cube)
    for first, last in ((3, 3), (5, 6), (7, 7)):
        part = decompress(path, model=model, bands=(first, last)).scene
        assert np.array_equal(part.cube, whole.cube[first - 1 : last])


@pytest.mark.parametrize(("name", "options"), cases())
def test_a_scene_of_nothing_but_no_data_comes_back(tmp_path, name, options):
    scene = Scene(np.full((5, 20, 24), -9999, "<i2"), nodata=-9999.0)
    encoded(scene, tmp_path / "a.bpk", name, options)
    found = decompress(tmp_path / "a.bpk", model=options.get("model")).scene
    assert np.array_equal(found.cube, scene.cube)


@pytest.mark.parametrize(("name", "options"), cases())
def test_a_scene_without_no_data_is_coded_as_if_no_value_meant_it(tmp_path, name, options):
    cube = smooth_scene(bands=4, lines=20, samples=24).cube
    for file, nodata in (("a.bpk", None), ("b.bpk", 40000.5)):  # no sample can hold the latter
        encoded(Scene(cube, nodata=nodata), tmp_path / file, name, options)
    with Reader(tmp_path / "a.bpk") as a, Reader(tmp_path / "b.bpk") as b:
        assert a.header.holes is b.header.holes is None
        assert a.nodata_mask() is None
        assert set(a.path.read_bytes()[10:12]) == {0}


def test_no_data_costs_next_to_nothing_and_valid_samples_gain(tmp_path):
    """At one rate the measurements of a scene with a border are as good as those of the same scene without one."""
    cube = smooth_scene(bands=6, lines=96, samples=96).cube.astype("<i2")
    line, sample = np.mgrid[:96, :96]
    border = np.abs(line - sample) > 50
    gone = cube.copy()
    gone[:, border] = -9999
    codec = make_codec("rklt-jpeg2000", rate=1.0, allocation="shared")
    errors = {}
    for name, scene in (
        ("whole", Scene(cube)),
        ("masked", Scene(gone, nodata=-9999.0)),
        ("unsaid", Scene(gone)),
    ):
        compress(scene, tmp_path / "a.bpk", codec)
        decoded = decompress(tmp_path / "a.bpk").scene.cube
        errors[name] = np.square(decoded[:, ~border].astype(float) - cube[:, ~border]).mean()
        if name == "masked":
            with Reader(tmp_path / "a.bpk") as reader:
                assert reader.header.mask_bytes < 150
    assert errors["masked"] < 1.1 * errors["whole"]
    assert errors["masked"] < 0.8 * errors["unsaid"]


@pytest.mark.parametrize(
    ("dtype", "nodata", "beside"),
    [("<i2", -9999, 1), ("<u2", 0, 1), ("<u2", 65535, -1), ("<i2", 32767, -1), ("<u2", 40000, -1)],
)
def test_valid_samples_that_decode_to_the_no_data_value_move_towards_the_others(
    tmp_path, dtype, nodata, beside
):
    rng = np.random.default_rng(0)
    away = rng.integers(1, 40, (3, 24, 24))
    cube = (nodata + beside * away).astype(dtype)
    cube[:, 5, 5] = nodata
    compress(Scene(cube, nodata=float(nodata)), tmp_path / "a.bpk", make_codec("jpeg2000", rate=1.0))
    decoded = decompress(tmp_path / "a.bpk").scene.cube
    assert np.array_equal(decoded == nodata, cube == nodata)
    with Reader(tmp_path / "a.bpk") as reader:
        assert reader.header.holes["beside"] == beside
        assert reader.header.holes["samples"] == [3]


@pytest.mark.parametrize("most", [1, 2, 3, 20])
@pytest.mark.parametrize("name", ["bounded", "ccsds123"])
def test_a_bound_holds_where_valid_samples_are_on_both_sides_of_the_no_data_value(tmp_path, name, most):
    rng = np.random.default_rng(0)
    cube = rng.integers(-30, 30, (3, 40, 40)).astype("<i2")
    cube[:, :3] = 0
    cube[:, 3:][cube[:, 3:] == 0] = 1
    compress(Scene(cube, nodata=0.0), tmp_path / "a.bpk", make_codec(name, max_error=most))
    found = decompress(tmp_path / "a.bpk").scene.cube
    assert np.array_equal(found == 0, cube == 0)
    assert np.abs(found.astype(int) - cube).max() <= most


def test_no_data_is_never_made_where_there_was_none(tmp_path):
    rng = np.random.default_rng(0)
    cube = rng.integers(1, 30, (3, 24, 24)).astype("<u2")
    compress(Scene(cube, nodata=0.0), tmp_path / "a.bpk", make_codec("jpeg2000", rate=2.0))
    assert decompress(tmp_path / "a.bpk").scene.cube.min() > 0


@pytest.mark.tensorflow
def test_a_target_of_quality_counts_valid_samples_only(tmp_path):
    import golden_contexts

    scene = masked(bands=5)
    compress(scene, tmp_path / "a.bpk", make_codec("wavelet-learned", model=golden_contexts.MODEL, psnr=75.0))
    decoded = decompress(tmp_path / "a.bpk", model=golden_contexts.MODEL).scene
    found = measure(scene, decoded)["psnr"]
    with Reader(tmp_path / "a.bpk") as reader:
        assert reader.header.parameters["psnr"] == pytest.approx(found, abs=0.02)
    assert found == pytest.approx(75, abs=0.3)


def damaged(path, place):
    data = bytearray(path.read_bytes())
    data[place] ^= 0x10
    path.write_bytes(data)


def test_salvage_restores_no_data_and_says_when_the_mask_is_lost(tmp_path):
    scene, path = masked(), tmp_path / "a.bpk"
    compress(scene, path, make_codec("rklt-jpeg2000", lossless=True))
    with Reader(path) as reader:
        start, in_chunk = reader._mask_start, reader._offsets[1] + 3
    whole = path.read_bytes()
    damaged(path, in_chunk)
    found = decompress(path, salvage=True)
    assert found.damaged == (Cluster(3, 3),)
    assert not found.mask_lost
    assert np.array_equal(found.scene.cube[[0, 1, 2, 6]], scene.cube[[0, 1, 2, 6]])

    path.write_bytes(whole)
    damaged(path, start + 20)
    for bands in (None, (1, 1)):
        with pytest.raises(BitstreamError, match="the no-data mask is damaged"):
            decompress(path, bands=bands)
    found = decompress(path, salvage=True)
    assert found.mask_lost
    assert found.damaged == ()
    measured = scene.cube != -9999
    assert np.array_equal(found.scene.cube[measured], scene.cube[measured])


def test_fill_values_lie_between_the_valid_samples():
    rng = np.random.default_rng(0)
    band = rng.integers(100, 200, (37, 41)).astype("<u2")
    for share in (0.01, 0.3, 0.9, 0.999):
        mask = rng.random(band.shape) < share
        for halvings in (1, 2, 5):
            found = filled(np.where(mask, 0, band), mask, halvings)
            assert np.array_equal(found[~mask], band[~mask])
            assert found.min() >= 100
            assert found.max() < 200


def test_fill_goes_on_smoothly_from_its_neighbours():
    line, sample = np.mgrid[:40, :48]
    band = 1000 + 20 * line + 10 * sample
    hole = (abs(line - 20) < 8) & (abs(sample - 24) < 8)
    found = filled(np.where(hole, 0, band), hole, 2)
    assert max(abs(np.diff(found, axis=axis)).max() for axis in (0, 1)) < 100
    spots = np.random.default_rng(0).random(band.shape) < 0.1
    assert abs(filled(np.where(spots, 0, band), spots, 1) - band)[spots].mean() < 5


def test_no_data_is_filled_alike_as_a_whole_and_part_by_part(tmp_path, monkeypatch):
    scene, files = masked(), set()
    for whole in (prepared._WHOLE, 0):
        monkeypatch.setattr(prepared, "_WHOLE", whole)
        ready = prepared.prepare(scene)
        assert isinstance(ready.cube, np.ndarray) is bool(whole)
        for key in (
            3,
            slice(1, 4),
            [0, 5],
            (slice(2, 6), slice(None, None, 2), slice(3, 9)),
            (slice(None), 4),
        ):
            assert np.array_equal(ready.cube[key], prepared.prepare(scene).cube[:][key])
        compress(scene, tmp_path / "a.bpk", make_codec("rklt-jpeg2000", rate=2.0))
        files.add((tmp_path / "a.bpk").read_bytes())
    assert len(files) == 1


def test_integers_of_more_digits_than_a_scale_keeps_are_refused(tmp_path):
    cube = (np.arange(300).reshape(3, 10, 10) + (1 << 60) + 5).astype("<i8")
    with pytest.raises(CodecError, match="lose digits"):
        compress(
            Scene(cube),
            tmp_path / "a.bpk",
            make_codec("jpeg2000", lossless=True),
            scaling=Scaling("<i8", 1.0, 2.0**60),
        )


@pytest.mark.parametrize(
    "change",
    [
        {"values": [-9999.0, 70000.0]},
        {"values": ["nan"]},
        {"values": ["much"]},
        {"values": [32767.0]},
        {"bytes": [1 << 62]},
        {"bytes": [-1]},
        {"bytes": [1, 2]},
        {"samples": [1.5]},
        {"crc": "0"},
        {"beside": 0},
        {"more": 1},
    ],
)
def test_masks_that_no_scene_has_are_refused(tmp_path, change):
    facts = {"beside": 1, "bytes": [3], "crc": 0, "samples": [1], "values": [-9999.0]}
    Header(1, 2, 3, "<i2", "jpeg2000", 1, holes=facts).pack()
    with pytest.raises(CodecError, match=r"holes|float"):
        Header(1, 2, 3, "<i2", "jpeg2000", 1, holes=facts | change).pack()


@pytest.mark.parametrize(
    "change",
    [{"scale": 0}, {"scale": -1}, {"scale": True}, {"offset": "1"}, {"dtype": "O"}, {"dtype": "x"}, {"a": 1}],
)
def test_scales_that_no_scene_has_are_refused(change):
    facts = {"dtype": "<f4", "scale": 0.5, "offset": 0}
    Header(1, 2, 3, "<i2", "jpeg2000", 1, scaled=facts).pack()
    with pytest.raises(CodecError):
        Header(1, 2, 3, "<i2", "jpeg2000", 1, scaled=facts | change).pack()


FLOATS = [np.nan, np.inf, -np.inf, -9999.0, -3.4028235e38]


@pytest.mark.parametrize("dtype", ["<f4", ">f8"])
@pytest.mark.parametrize("nodata", [-9999.0, None, np.nan, -3.4028235e38])
def test_float_scenes_come_back_within_half_a_scale_and_their_holes_exactly(tmp_path, dtype, nodata):
    cube = (smooth_scene(bands=5, lines=33, samples=42).cube / 1e4).astype(dtype)
    special = FLOATS[:3] + ([nodata] if nodata is not None else [])
    for number, value in enumerate(special):
        cube[number % 5, number, :7] = value
    cube[:, BORDER] = special[-1]
    scene = Scene(cube, nodata=nodata)
    path = tmp_path / "a.bpk"
    with pytest.raises(CodecError, match=r"--scale"):
        compress(scene, path, make_codec("jpeg2000", lossless=True))
    compress(scene, path, make_codec("rklt-jpeg2000", lossless=True), scaling=Scaling(dtype, 1e-4))
    found = decompress(path).scene
    assert found.cube.dtype == cube.dtype
    np.testing.assert_allclose(found.cube, cube, rtol=0, atol=0.5001e-4, equal_nan=True)
    for value in special:
        assert np.array_equal(found.cube == value, cube == np.dtype(dtype).type(value))
    assert np.array_equal(np.isnan(found.cube), np.isnan(cube))
    compress(scene, path, make_codec("jpeg2000", rate=1.0), scaling=Scaling(dtype, 1e-4))
    lossy = decompress(path, bands=(2, 4)).scene
    assert np.array_equal(np.isnan(lossy.cube), np.isnan(cube[1:4]))
    assert np.isfinite(measure(scene, decompress(path).scene)["mse"])


def test_valid_samples_that_round_to_the_no_data_value_do_not_become_it(tmp_path):
    cube = np.linspace(-1, 1, 300).reshape(3, 10, 10).astype("<f4")
    scene = Scene(cube, nodata=0.0)
    compress(scene, tmp_path / "a.bpk", make_codec("jpeg2000", lossless=True), scaling=Scaling("<f4", 0.1))
    found = decompress(tmp_path / "a.bpk").scene.cube
    assert (found != 0).all()
    assert np.abs(found - cube).max() < 0.0501


@pytest.mark.parametrize("dtype", ["<i4", ">i8", "<u4"])
def test_wider_integers_that_fit_16_bits_come_back_exactly(tmp_path, dtype):
    cube = smooth_scene(bands=4, lines=20, samples=24).cube.astype(int) + 100_000
    cube = cube.astype(dtype)
    cube[:, 3, 4] = 0
    compress(
        Scene(cube, nodata=0.0),
        tmp_path / "a.bpk",
        make_codec("jpeg2000", lossless=True),
        scaling=Scaling(dtype, 1.0, 100_000.0),
    )
    found = decompress(tmp_path / "a.bpk").scene
    assert found.cube.dtype == cube.dtype
    assert np.array_equal(found.cube, cube)


def test_a_scale_that_makes_too_large_integers_is_refused_with_one_that_does_not(tmp_path):
    cube = np.linspace(0, 1, 300).reshape(3, 10, 10).astype("<f4")
    with pytest.raises(CodecError, match=r"a scale of 1.5e-05 or more"):
        compress(
            Scene(cube), tmp_path / "a.bpk", make_codec("jpeg2000", rate=1.0), scaling=Scaling("<f4", 1e-6)
        )
    assert list(tmp_path.iterdir()) == []


def test_every_flipped_byte_of_a_file_with_a_mask_is_noticed_and_salvaged(tmp_path):
    scene, path = masked(bands=5), tmp_path / "a.bpk"
    compress(scene, path, make_codec("jpeg2000", lossless=True))
    whole = path.read_bytes()
    with Reader(path) as reader:
        places = [*range(reader._mask_start - 8, reader._offsets[0] + 4), len(whole) - 1]
        salvageable = reader._mask_start
    for place in places:
        path.write_bytes(whole)
        damaged(path, place)
        with pytest.raises(BitstreamError):
            decompress(path)
        if place >= salvageable:
            found = decompress(path, salvage=True)
            assert found.mask_lost or found.damaged or np.array_equal(found.scene.cube, scene.cube)
    for length in range(salvageable, len(whole), 29):
        path.write_bytes(whole[:length])
        found = decompress(path, salvage=True)
        assert found.mask_lost is (length < reader._offsets[0])
