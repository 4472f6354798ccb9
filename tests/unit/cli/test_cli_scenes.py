"""convert, info, quicklook and synthesize as a person types them."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from bandpress import Scene, read_scene, write_scene
from bandpress.cli import COMMANDS
from command_line import run


def refused(capsys, *argv):
    """Return the one sentence with which a command ends."""
    code, out, err = run(capsys, *argv)
    assert (code, out) == (1, "")
    assert "Traceback" not in err
    assert err.startswith("bandpress: ")
    assert err.count("\n") == 1
    return err


@pytest.fixture
def scene(tmp_path):
    cube = np.random.default_rng(0).integers(-50, 900, (9, 20, 30)).astype(">i2")
    cube[4] = 7
    known = Scene(cube, name="s", wavelengths=tuple(np.linspace(400, 900, 9).tolist()), nodata=-50)
    return write_scene(known, tmp_path / "s.raw")


@pytest.mark.parametrize("command", ["convert", "info", "quicklook", "synthesize", "clusters"])
def test_help_has_an_example(capsys, command):
    assert command in COMMANDS
    code, out, _ = run(capsys, command, "--help")
    assert code == 0
    assert f"bandpress {command} " in out


@pytest.mark.parametrize("target", ["t.hdr", "t.npy", "t.npz", "t.mat", "t.tif", "t.raw", "."])
def test_convert_there_and_back_gives_the_same_bytes(capsys, tmp_path, scene, target):
    for package, suffix in (("spectral", ".hdr"), ("rasterio", ".tif")):
        if target.endswith(suffix):
            pytest.importorskip(package)
    (tmp_path / "out").mkdir()
    code, out, _ = run(capsys, "convert", scene, tmp_path / "out" / target)
    assert code == 0
    code, back, _ = run(capsys, "convert", out.strip(), tmp_path / "back.raw")
    assert code == 0
    assert (tmp_path / "back.9_30_20_3_0_0.raw").read_bytes() == scene.read_bytes()
    assert read_scene(back.strip()).wavelengths == read_scene(scene).wavelengths


def test_convert_changes_byte_order_and_replaces_only_when_told(capsys, tmp_path, scene):
    code, out, _ = run(capsys, "convert", scene, tmp_path / "l.raw", "--byte-order", "little")
    assert code == 0
    little = read_scene(out.strip())
    assert little.dtype.str == "<i2"
    assert (little.cube == read_scene(scene).cube).all()
    again = ("convert", scene, tmp_path / "l.raw", "--byte-order", "little")
    assert "give --overwrite" in refused(capsys, *again)
    assert run(capsys, *again, "--overwrite")[0] == 0
    assert "expected another output" in refused(capsys, "convert", scene, scene, "--overwrite")


def test_convert_refuses_what_it_cannot_do(capsys, tmp_path, scene):
    assert "expected one of" in refused(capsys, "convert", scene, tmp_path / "s.jpg")
    assert "no such file" in refused(capsys, "convert", tmp_path / "none.npy", tmp_path / "x.raw")
    assert "one order of axes" in refused(capsys, "convert", scene, tmp_path / "x.tif", "--interleave", "bip")
    assert run(capsys, "convert", scene)[0] == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == [scene.name, scene.name + ".json"]


def test_info_says_what_a_scene_is(capsys, scene):
    code, out, _ = run(capsys, "info", scene, "--json")
    facts = json.loads(out)
    cube = read_scene(scene).cube.astype(int)
    assert code == 0
    assert (facts["bands"], facts["lines"], facts["samples"]) == (9, 20, 30)
    assert (facts["type"], facts["byte_order"]) == ("int16", "big")
    assert facts["band_max"] == cube.max(axis=(1, 2)).tolist()
    assert facts["band_min"] == np.where(cube == -50, 999, cube).min(axis=(1, 2)).tolist()
    assert facts["constant_bands"] == [5]
    assert facts["wavelengths"][0] == 400
    code, out, _ = run(capsys, "info", scene)
    assert code == 0
    assert len(out.rstrip().splitlines()[-9:]) == 9
    assert "462.5" in out


def test_quicklook_is_a_picture_of_the_scene(capsys, tmp_path, scene):
    image = pytest.importorskip("PIL.Image")
    code, out, _ = run(capsys, "quicklook", scene, tmp_path / "q.png")
    assert code == 0
    assert "bands 5, 3, 2" in out  # the nearest to 650, 550 and 460 nm
    picture = np.asarray(image.open(tmp_path / "q.png"))
    assert picture.shape == (20, 30, 3)
    green = read_scene(scene).cube[2].astype(float)
    assert np.corrcoef(picture[..., 1].ravel(), green.ravel())[0, 1] > 0.95
    assert (picture[..., 1][green == -50] == 0).all()
    assert run(capsys, "quicklook", scene, tmp_path / "g.png", "--bands", "9")[0] == 0
    assert np.asarray(image.open(tmp_path / "g.png")).shape == (20, 30)
    assert "expected one or three of 1-9" in refused(
        capsys, "quicklook", scene, tmp_path / "n.png", "--bands", "10"
    )
    assert "expected .png" in refused(capsys, "quicklook", scene, tmp_path / "n.jpg")
    assert run(capsys, "quicklook", scene, tmp_path / "n.png", "--bands", "1,2")[0] == 2
    assert not (tmp_path / "n.png").exists()


def test_synthesize_makes_what_is_asked_for(capsys, tmp_path):
    sizes = (
        "--bands",
        4,
        "--lines",
        6,
        "--samples",
        5,
        "--dtype",
        "int16",
        "--byte-order",
        "big",
        "--seed",
        9,
    )
    code, out, _ = run(capsys, "synthesize", tmp_path / "synthetic.raw", *sizes)
    assert code == 0
    assert out.strip() == str(tmp_path / "synthetic.4_5_6_3_0_0.raw")
    assert read_scene(out.strip()).sensor == "synthetic"
    assert "give --overwrite" in refused(capsys, "synthesize", tmp_path / "synthetic.raw", *sizes)
    assert run(capsys, "synthesize", tmp_path / "x.raw", "--bands", 0)[0] == 2
    code, out, _ = run(capsys, "synthesize", tmp_path / "synthetic.3_5_7_3_0_0.raw")
    assert code == 0
    assert read_scene(out.strip()).cube.shape == (3, 7, 5)
    wrong = ("synthesize", tmp_path / "synthetic.2_5_7_3_0_0.raw", "--bands", 3)
    assert "another geometry" in refused(capsys, *wrong)


@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_leaves_nothing_half_written(tmp_path, ended_by):
    argv = [sys.executable, "-m", "bandpress", "synthesize", tmp_path / "synthetic.raw", "--lines", "20000"]
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    process = subprocess.Popen(
        [str(word) for word in argv],
        env=env,
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests were started in the background, SIGINT is ignored, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".synthesis-*/samples")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(ended_by)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + ended_by
    assert "no partial files were left" in errors
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []
