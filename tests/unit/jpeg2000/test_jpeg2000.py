"""JPEG 2000 and RKLT + JPEG 2000: rates met, lossless exact, sharing better than equal parts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from baseline_scenes import names, psnr, shared_scene, smooth_scene

pytest.importorskip("glymur", reason="JPEG 2000 needs glymur")

from bandpress import Scene
from bandpress.codecs import make_codec
from bandpress.coding import compress, decompress, rate
from bandpress.container.bitstream import Reader
from bandpress.errors import CodecError

EVERY = [
    ("jpeg2000", 1),
    ("jpeg2000", 5),
    ("rklt-jpeg2000", 1),
    ("rklt-jpeg2000", 3),
    ("rklt-jpeg2000", "all"),
]


def coded(tmp_path, scene, name, **options):
    """Return the decoded scene and the rate in bits per sample, from the file."""
    path = tmp_path / "scene.bpk"
    compress(scene, path, make_codec(name, **options))
    return decompress(path).scene, rate(path, scene.cube.shape)


@pytest.mark.parametrize(("name", "k"), EVERY)
@pytest.mark.parametrize("dtype", ["<u2", ">u2", "<i2", "|u1"])
def test_lossless_files_give_the_same_samples(tmp_path, name, k, dtype):
    scene = smooth_scene(bands=7)
    scene = Scene((scene.cube.astype(np.int32) % 256 if dtype == "|u1" else scene.cube).astype(dtype))
    back, _ = coded(tmp_path, scene, name, lossless=True, bands_per_cluster=k)
    assert back.dtype == scene.dtype
    assert np.array_equal(back.cube, scene.cube)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_lossless_of_any_cube(tmp_path_factory, data):
    dtype = data.draw(st.sampled_from(["|u1", "<u2", ">u2", "<i2", ">i2"]))
    shape = data.draw(st.tuples(st.integers(1, 9), st.integers(1, 20), st.integers(1, 20)))
    scene = Scene(data.draw(hnp.arrays(np.dtype(dtype), shape)))
    name, k = data.draw(st.sampled_from(EVERY))
    precision = {"precision": data.draw(st.sampled_from(["matched", "full"]))} if "rklt" in name else {}
    back, _ = coded(
        tmp_path_factory.mktemp("any"), scene, name, lossless=True, bands_per_cluster=k, **precision
    )
    assert np.array_equal(back.cube, scene.cube)


@pytest.mark.parametrize(("name", "k"), EVERY)
@pytest.mark.parametrize("allocation", ["equal", "shared"])
@pytest.mark.parametrize("target", [0.6, 1.5, 3.0])
def test_the_target_rate_is_met_within_2_percent(tmp_path, name, k, allocation, target):
    scene = smooth_scene(bands=30, lines=64, samples=80)
    back, reached = coded(tmp_path, scene, name, rate=target, bands_per_cluster=k, allocation=allocation)
    assert reached == pytest.approx(target, rel=0.02)
    assert psnr(scene, back) > 55


@pytest.mark.parametrize(("name", "k"), EVERY)
def test_a_higher_rate_is_better(tmp_path, name, k):
    scene = smooth_scene(bands=15, lines=64, samples=80)
    quality = [
        psnr(scene, coded(tmp_path, scene, name, rate=r, bands_per_cluster=k)[0]) for r in (0.6, 1, 2, 4)
    ]
    assert quality == sorted(quality)


def test_bands_decode_alone(tmp_path):
    scene = smooth_scene(bands=11)
    path = tmp_path / "s.bpk"
    compress(scene, path, make_codec("rklt-jpeg2000", rate=2.0, bands_per_cluster=4, allocation="shared"))
    whole = decompress(path).scene.cube
    assert np.array_equal(decompress(path, bands=(6, 9)).scene.cube, whole[5:9])


def test_a_rate_below_the_headers_is_refused_and_leaves_no_file(tmp_path):
    scene = smooth_scene()
    path = tmp_path / "s.bpk"
    for name, k in EVERY:
        for allocation in ("equal", "shared"):
            codec = make_codec(name, rate=0.01, bands_per_cluster=k, allocation=allocation)
            with pytest.raises(
                CodecError, match=rf"scene smooth: {name} reached 0\.\d+ bits per sample, not 0\.01"
            ):
                compress(scene, path, codec)
    assert not list(tmp_path.iterdir())


def test_a_rate_above_what_the_scene_holds_gives_all_it_holds(tmp_path):
    scene = smooth_scene(bands=3)
    back, reached = coded(tmp_path, scene, "jpeg2000", rate=40.0)
    assert reached < 16
    assert np.abs(back.cube.astype(int) - scene.cube).max() <= 2


def test_a_constant_scene_takes_no_packets(tmp_path):
    scene = Scene(np.full((6, 50, 50), 777, "<u2"))
    for name, k in EVERY:
        back, reached = coded(tmp_path, scene, name, rate=1.0, bands_per_cluster=k)
        assert np.array_equal(back.cube, scene.cube)
        assert reached < 0.3


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"rate": 1.0, "lossless": True},
        {"rate": 0.0},
        {"rate": 1.0, "allocation": "fair"},
        {"rate": float("nan")},
    ],
)
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(CodecError, match="expected"):
        make_codec("jpeg2000", **options)


def test_every_processor_count_writes_the_same_file(tmp_path, monkeypatch):
    scene = smooth_scene(bands=24)
    files = []
    for count in (1, 3):
        monkeypatch.setattr("bandpress.codecs.budgets.processors", lambda count=count: count)
        compress(scene, tmp_path / f"{count}.bpk", make_codec("rklt-jpeg2000", rate=1.0))
        files.append((tmp_path / f"{count}.bpk").read_bytes())
    assert files[0] == files[1]


def test_damaged_chunks_that_pass_their_checksum_are_refused_or_decoded(tmp_path):
    scene = smooth_scene(bands=3)
    path = tmp_path / "s.bpk"
    compress(scene, path, make_codec("rklt-jpeg2000", rate=2.0))
    with Reader(path) as reader:
        header, cluster, chunk = reader.header, reader.clusters[0], reader.chunk(0)
    codec = make_codec("rklt-jpeg2000", lossless=True)
    rng = np.random.default_rng(0)
    for _ in range(60):
        bad = bytearray(chunk[: rng.integers(0, len(chunk) + 1)])
        for _ in range(3):
            if bad:
                bad[rng.integers(0, min(len(bad), 40))] ^= int(rng.integers(1, 256))
        try:
            (samples,) = codec.decode(header, [(cluster, bytes(bad))])
        except CodecError:
            continue
        assert samples.shape == scene.cube.shape


@pytest.mark.parametrize(
    ("name", "k", "target", "at_least"),
    [
        ("jpeg2000", 1, 0.25, 48.0),
        pytest.param("jpeg2000", 1, 0.5, 52.2, marks=pytest.mark.slow),
        pytest.param("rklt-jpeg2000", 3, 0.25, 54.0, marks=pytest.mark.slow),
        ("rklt-jpeg2000", 3, 0.5, 59.3),
        pytest.param("rklt-jpeg2000", "all", 0.25, 68.0, marks=pytest.mark.slow),
    ],
)
def test_jasper_ridge_is_coded_at_the_target_rate_and_the_known_quality(tmp_path, name, k, target, at_least):
    """Pooled MSE, peak 65,535, everything in the file counted; the fair protocol is no worse than the paper's."""
    scene = shared_scene("jasper-ridge")
    equal, equal_rate = coded(tmp_path, scene, name, rate=target, bands_per_cluster=k)
    shared, shared_rate = coded(tmp_path, scene, name, rate=target, bands_per_cluster=k, allocation="shared")
    assert equal_rate == pytest.approx(target, rel=0.02)
    assert shared_rate == pytest.approx(target, rel=0.02)
    assert psnr(scene, equal) >= at_least
    assert psnr(scene, shared) >= psnr(scene, equal) - 0.02


def test_lossless_on_a_real_scene(tmp_path):
    scene = shared_scene("jasper-ridge")
    back, _ = coded(tmp_path, scene, "rklt-jpeg2000", lossless=True, bands_per_cluster="all")
    assert np.array_equal(back.cube, scene.cube)


@pytest.mark.slow
@pytest.mark.parametrize("scene", names())
@pytest.mark.parametrize(
    ("name", "k"), [("jpeg2000", 1), *(("rklt-jpeg2000", k) for k in (1, 3, 5, 7, "all"))]
)
def test_lossless_on_every_real_scene(tmp_path, scene, name, k):
    back, _ = coded(tmp_path, shared_scene(scene), name, lossless=True, bands_per_cluster=k)
    assert np.array_equal(back.cube, shared_scene(scene).cube)


@pytest.mark.parametrize(
    "shape",
    [
        (2, 32768, 3),
        (2, 32769, 3),
        (2, 3, 32769),
        pytest.param((1, 70001, 26), marks=pytest.mark.slow),
        pytest.param((1, 1 << 17, 2), marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("options", [{"lossless": True}, {"rate": 4.0}])
def test_more_lines_or_samples_than_a_precinct_holds_are_coded(tmp_path, shape, options):
    band, line, sample = np.indices(shape, np.int32)
    cube = ((line + sample) // 37 * 7 % 251 + band).astype("u1")
    for name in ("jpeg2000", "rklt-jpeg2000"):
        compress(Scene(cube), tmp_path / "a.bpk", make_codec(name, **options))
        decoded = decompress(tmp_path / "a.bpk").scene.cube
        if "lossless" in options:
            assert np.array_equal(decoded, cube)
        else:
            assert np.square(decoded.astype(float) - cube).mean() < 0.1 * cube.var()
