"""bandpress compress says what it made."""

import json

import numpy as np
import pytest

import bandpress
from bandpress import Scene, write_scene
from bandpress.container.bitstream import Reader
from command_line import run


@pytest.fixture
def scene(tmp_path):
    draw = np.random.default_rng(3)
    base = draw.normal(0, 1, (3, 40, 48)).cumsum(1).cumsum(2) * 30
    cube = np.einsum("bk,kls->bls", draw.random((9, 3)), base) + 1500 + draw.normal(0, 2, (9, 40, 48))
    return write_scene(Scene(cube.clip(0, 9000).astype("<i2"), "scene"), tmp_path / "a scene.hdr")


@pytest.mark.parametrize("target", [("--rate", "0.9"), ("--psnr", "66")])
def test_a_target_alone_takes_the_default_codec_and_says_what_was_reached(scene, capsys, target):
    code, out, err = run(capsys, "compress", scene, *target)
    file = scene.with_name("a scene.bpk")
    measured = bandpress.compare(scene, file)
    assert (code, err) == (0, "")
    assert out.startswith(f"{file}  {file.stat().st_size:,} B  ")
    bps = 8 * file.stat().st_size / (9 * 40 * 48)
    assert f"  {bps:.3f} bps" in out
    assert f"  1:{16 / bps:.{1 if 16 / bps < 10 else 0}f}  " in out
    assert f"({target[1]} asked for)" in out
    assert f"{measured['psnr']:.1f} dB" in out
    assert f"max error {measured['pae']:,.0f}" in out
    with Reader(file) as reader:
        assert f"{reader.header.codec}, all bands" in out
    if target[0] == "--psnr":
        assert measured["psnr"] == pytest.approx(66, abs=0.2)


def test_without_a_target_it_is_lossless_and_says_how_to_get_smaller_files(scene, capsys):
    code, out, err = run(capsys, "compress", scene)
    assert code == 0
    assert "lossless" in out
    assert "--rate" in err
    assert bandpress.compare(scene, scene.with_name("a scene.bpk"))["mse"] == 0


def test_json_is_a_line_a_file_with_the_numbers_of_compare(scene, tmp_path, capsys):
    other = write_scene(bandpress.read(scene).crop(lines=slice(0, 30)), tmp_path / "b.hdr")
    code, out, _ = run(capsys, "compress", scene, other, "--codec", "jpeg2000", "--rate", "3", "--json")
    records = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [record["scene"] for record in records] == [str(scene), str(other)]
    for record, path in zip(records, (scene, other), strict=True):
        assert record["psnr"] == bandpress.compare(path, record["file"])["psnr"]
        assert record["bps"] == pytest.approx(3, rel=0.05)


def test_no_quality_is_printed_without_the_check(scene, capsys, monkeypatch):
    monkeypatch.setattr("bandpress.cli.compress.decompress", lambda *args, **given: pytest.fail("decoded"))
    code, out, _ = run(capsys, "compress", scene, "--codec", "jpeg2000", "--rate", "3", "--no-check")
    assert code == 0
    assert "dB" not in out
