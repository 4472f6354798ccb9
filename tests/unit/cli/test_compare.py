"""bandpress compare as a person types it."""

import json
import sys

import numpy as np
import pytest

import bandpress
from bandpress import Scene, write_scene
from bandpress.cli import main
from command_line import run

Image = pytest.importorskip("PIL.Image")


@pytest.fixture
def scene(tmp_path):
    cube = np.random.default_rng(0).integers(0, 900, (5, 30, 40)).astype("<u2")
    return write_scene(Scene(cube, wavelengths=(480.0, 560.0, 650.0, 800.0, 900.0)), tmp_path / "scene.hdr")


def test_a_file_and_the_scene_it_holds_are_compared_in_one_line_and_a_list(scene, tmp_path, capsys):
    file = bandpress.compress(scene, tmp_path / "scene.bpk", codec="jpeg2000", rate=4.0)
    code, out, _ = run(capsys, "compare", scene, file)
    expected = bandpress.compare(scene, file)
    first, *rest = out.splitlines()
    assert code == 0
    assert first.startswith(f"scene.bpk  {file.stat().st_size:,} B  ")
    assert f"PSNR {expected['psnr']:.1f} dB" in first
    assert first.endswith("jpeg2000, band by band")
    assert f"{expected['mae']:.6g}" in next(line for line in rest if line.split()[0] == "mae")


def test_json_has_the_numbers_and_none_for_an_infinite_psnr(scene, capsys):
    code, out, _ = run(capsys, "compare", scene, scene, "--json")
    record = json.loads(out)
    assert code == 0
    assert (record["mse"], record["psnr"], len(record["mse_per_band"])) == (0, None, 5)


def test_an_exact_reconstruction_is_said_to_be_lossless(scene, tmp_path, capsys):
    file = bandpress.compress(scene, tmp_path / "scene.bpk", codec="jpeg2000", lossless=True)
    assert "lossless" in run(capsys, "compare", scene, file)[1].splitlines()[0]


@pytest.mark.parametrize("wavelengths", [None, (900.0, 480.0, 560.0, 650.0, 800.0)])
def test_the_picture_shows_where_the_two_differ(tmp_path, capsys, wavelengths):
    cube = np.random.default_rng(0).integers(0, 900, (5, 30, 40)).astype("<i2")
    cube[:, :4] = -9999
    changed = cube.copy()
    changed[:, 20, 10:30] += 300
    pictures = []
    for name, samples in (("same", cube), ("changed", changed)):
        before = write_scene(Scene(cube, wavelengths=wavelengths, nodata=-9999), tmp_path / f"{name}-a.hdr")
        after = write_scene(Scene(samples), tmp_path / f"{name}-b.hdr")
        picture = tmp_path / f"{name}.png"
        assert run(capsys, "compare", before, after, "--picture", picture)[0] == 0
        pictures.append(np.asarray(Image.open(picture)))
    assert pictures[0].shape == pictures[1].shape
    assert (pictures[0] != pictures[1]).any(axis=-1).sum() > 500


def test_impossible_comparisons_are_refused_before_anything_is_decoded(scene, tmp_path, capsys):
    small = write_scene(Scene(np.ones((5, 30, 41), "<u2")), tmp_path / "other.hdr")
    assert "expected (5, 30, 40)" in run(capsys, "compare", scene, small)[2]
    file = bandpress.compress(small, tmp_path / "other.bpk", codec="jpeg2000", lossless=True)
    assert "expected 5 x 30 x 40" in run(capsys, "compare", scene, file)[2]
    assert "expected .png" in run(capsys, "compare", scene, scene, "--picture", tmp_path / "p.jpg")[2]
    (tmp_path / "p.png").write_text("mine")
    assert "--overwrite" in run(capsys, "compare", scene, scene, "--picture", tmp_path / "p.png")[2]
    assert (tmp_path / "p.png").read_text() == "mine"


def test_a_picture_without_the_package_that_draws_is_refused_before_anything_is_read(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SystemExit) as ended:
        main(["compare", str(tmp_path / "none.hdr"), str(tmp_path / "none.bpk"), "--picture", "a.png"])
    assert ended.value.code == 1
    assert "bandpress[pictures]" in capsys.readouterr().err


def test_samples_that_are_no_numbers_in_the_restored_scene_only_are_refused(tmp_path, capsys):
    cube = np.random.default_rng(0).normal(size=(3, 20, 20)).astype("<f4")
    before = write_scene(Scene(cube), tmp_path / "a.hdr")
    cube[1, 2, 3] = np.nan
    after = write_scene(Scene(cube), tmp_path / "b.hdr")
    code, out, err = run(capsys, "compare", before, after)
    assert (code, out) == (1, "")
    assert f"{after}: some samples are not numbers where those of {before} are" in err
    assert run(capsys, "compare", after, after)[0] == 0
