"""No-data, floating-point scenes and what a file cannot hold, through the commands."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from bandpress import Scene, read_scene, write_scene
from bandpress.cli import cli
from bandpress.container.bitstream import Reader
from baseline_scenes import smooth_scene


def run(*arguments, code=0):
    result = CliRunner().invoke(cli, [str(a) for a in arguments])
    assert result.exit_code == code, result.output
    return f"{result.output}{result.exception or ''}"


@pytest.fixture
def floats(tmp_path):
    cube = (smooth_scene(bands=4, lines=20, samples=24).cube / 1e4).astype("<f4")
    cube[:, :5, :5] = -9999
    cube[2, 7, 7] = np.nan
    return write_scene(Scene(cube, name="r", nodata=-9999.0), tmp_path / "r.hdr")


def test_info_counts_the_no_data_samples(tmp_path):
    cube = smooth_scene(bands=4, lines=20, samples=24).cube.astype("<i2")
    cube[:, 3:6, 2:9] = -9999
    source = write_scene(Scene(cube, name="s", nodata=-9999.0), tmp_path / "s.hdr")
    run("compress", source, "--codec", "jpeg2000", "--rate", 2, "-o", tmp_path / "s.bpk")
    for path in (source, tmp_path / "s.bpk"):
        found = json.loads(run("info", path, "--json"))
        assert found["nodata"] == -9999
        assert found["nodata_samples"] == 4 * 3 * 7
    assert run("verify", tmp_path / "s.bpk")


def test_a_floating_point_scene_goes_through_a_file_at_a_scale(tmp_path, floats):
    stream = tmp_path / "r.bpk"
    assert "--scale" in run("compress", floats, "--codec", "jpeg2000", "--lossless", code=1)
    coarse = run("compress", floats, "--codec", "jpeg2000", "--lossless", "--scale", 0.001, "-o", stream)
    assert "lossless" not in coarse
    assert "max error 0.0005" in coarse
    assert "without loss but for the rounding to multiples of 0.001" in coarse
    fine = ("--scale", 0.0001, "-o", stream, "--overwrite")
    assert "lossless" in run("compress", floats, "--codec", "jpeg2000", "--lossless", *fine)
    found = json.loads(run("info", stream, "--json"))
    assert found["scaled"] == {"dtype": "<f4", "offset": 0.0, "scale": 0.0001}
    assert found["nodata_samples"] == 4 * 25 + 1
    run("decompress", stream, "-o", tmp_path / "back.npy")
    before, after = read_scene(floats), read_scene(tmp_path / "back.npy")
    assert after.dtype == before.dtype
    np.testing.assert_allclose(after.cube, before.cube, atol=0.5001e-4, equal_nan=True)


def test_a_scaled_scene_of_raw_floats_comes_back_under_its_own_name(tmp_path):
    cube = np.random.default_rng(2).random((2, 5, 6)).astype(">f4")
    path = write_scene(Scene(cube, "s"), tmp_path / "s.2_6_5_6_0_0.raw")
    run("compress", path, "--codec", "jpeg2000", "--lossless", "--scale", 0.001, "-o", tmp_path / "s.bpk")
    (tmp_path / "back").mkdir()
    run("decompress", tmp_path / "s.bpk", "-o", tmp_path / "back")
    assert np.allclose(read_scene(tmp_path / "back" / path.name).cube, cube, atol=6e-4)


@pytest.mark.parametrize(
    ("name", "shape", "metadata"),
    [
        ("we\\ird", (4, 5, 7), {}),
        ("..", (4, 5, 7), {}),
        ("many", ((1 << 14) + 1, 1, 2), {}),
        ("long", (1, (1 << 20) + 1, 1), {}),
        ("meta", (4, 5, 7), {"history": "ab" * (1 << 20)}),
    ],
)
def test_scenes_that_a_file_cannot_hold_are_refused_before_coding(
    tmp_path, monkeypatch, name, shape, metadata
):
    from bandpress.codecs.jpeg2000 import Jpeg2000
    from bandpress.coding import compress
    from bandpress.errors import CodecError

    monkeypatch.setattr(Jpeg2000, "encode", lambda *_: pytest.fail("coded"))
    scene = Scene(np.zeros(shape, "u1"), name=name, metadata=metadata)
    with pytest.raises(CodecError, match="cannot be described"):
        compress(scene, tmp_path / "s.bpk", Jpeg2000(lossless=True))
    assert list(tmp_path.iterdir()) == []


def test_a_lossless_file_that_decodes_to_something_else_is_not_kept(tmp_path, monkeypatch):
    from bandpress.codecs.jpeg2000 import Jpeg2000

    forward = Jpeg2000.forward

    def wrong(self, samples, level):
        return forward(self, samples ^ 1, level)

    source = write_scene(smooth_scene(bands=3, lines=20, samples=24), tmp_path / "s.hdr")
    monkeypatch.setattr(Jpeg2000, "forward", wrong)
    said = run("compress", source, "--codec", "jpeg2000", "--lossless", "-o", tmp_path / "s.bpk", code=1)
    assert "decode to other samples" in said
    assert not (tmp_path / "s.bpk").exists()
    monkeypatch.undo()
    run("compress", source, "--codec", "jpeg2000", "--lossless", "-o", tmp_path / "s.bpk")
    with Reader(tmp_path / "s.bpk") as reader:
        reader.verify()
