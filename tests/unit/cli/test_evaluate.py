"""``bandpress evaluate``: the authors' columns, rates of files on disk, and one sentence for what is wrong."""

import csv

import numpy as np
import pytest

from bandpress import Scene, read_scene, write_scene
from bandpress.cli import main
from command_line import status

THEIRS = ["Image", "size", "Rate (bps)", "MSE", "MS-SSIM", "MAE", "PAE"]


@pytest.fixture
def folder(tmp_path):
    random = np.random.default_rng(0)
    for i in range(3):
        cube = np.cumsum(random.integers(0, 40, (4, 30, 32)), axis=-1).astype(">u2")
        write_scene(Scene(cube, name=f"s{i}"), tmp_path / "scenes" / f"s{i}.raw")
    (tmp_path / "scenes/notes.txt").write_text("not a scene")
    return tmp_path / "scenes"


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_the_authors_columns_come_first_and_agree_with_the_files(folder, tmp_path):
    output, keep = tmp_path / "out.csv", tmp_path / "kept"
    assert status("evaluate", folder, "--codec", "jpeg2000", "--rate", 4, "-o", output, "--keep", keep) == 0
    found = rows(output)
    assert list(found[0])[: len(THEIRS)] == THEIRS
    assert [row["Image"].split(".")[0] for row in found] == ["s0", "s1", "s2"]
    for i, row in enumerate(found):
        size = (keep / f"s{i}.bpk").stat().st_size
        assert int(row["size"]) == size
        assert float(row["Rate (bps)"]) == size * 8 / (4 * 30 * 32)
        assert row["MS-SSIM"] == ""  # too small a scene to have one
        assert float(row["MSE"]) > 0
        assert float(row["psnr"]) == pytest.approx(10 * np.log10(65535**2 / float(row["MSE"])))


def test_lossless_has_no_error(folder, tmp_path):
    scene, output = folder / "s0.4_32_30_2_0_0.raw", tmp_path / "l.csv"
    assert status("evaluate", scene, "--codec", "jpeg2000", "--lossless", "-o", output) == 0
    (row,) = rows(output)
    assert (float(row["MSE"]), float(row["PAE"]), float(row["psnr"])) == (0, 0, np.inf)


def test_a_sample_is_the_same_for_the_same_seed(folder, tmp_path):
    drawn = []
    for number, seed in enumerate((1, 1, 0, 5, 7)):
        output = tmp_path / f"{number}.csv"
        options = "--codec jpeg2000 --rate 4 --sample 1".split()
        assert status("evaluate", folder, *options, "--seed", seed, "-o", output) == 0
        drawn.append([row["Image"] for row in rows(output)])
    assert drawn[0] == drawn[1]
    assert all(len(names) == 1 for names in drawn)
    assert len({names[0] for names in drawn}) > 1


def test_pictures_show_a_scene_before_and_after(folder, tmp_path):
    image = pytest.importorskip("PIL.Image")
    assert (
        status("evaluate", folder, "--codec", "jpeg2000", "--lossless", "-o", tmp_path / "p/out.csv", "--png")
        == 0
    )
    pictures = sorted((tmp_path / "p").glob("*.png"))
    assert len(pictures) == 4
    before, after = (np.asarray(image.open(path)) for path in pictures[:2])
    assert before.shape == (30, 32)
    assert np.array_equal(before, after)
    assert np.ptp(before) > 100


def test_existing_files_are_not_replaced(folder, tmp_path, capsys):
    output = tmp_path / "out.csv"
    output.write_text("mine")
    assert status("evaluate", folder, "--codec", "jpeg2000", "--rate", 4, "-o", output) == 1
    assert "exists already" in capsys.readouterr().err
    assert output.read_text() == "mine"


def test_a_failure_leaves_no_table(folder, tmp_path, capsys):
    (folder / "s3.4_32_30_2_0_0.raw").write_bytes(b"short")
    assert status("evaluate", folder, "--codec", "jpeg2000", "--rate", 4, "-o", tmp_path / "out.csv") == 1
    assert "s3.4_32_30_2_0_0.raw" in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()


def test_compression_is_lossless_without_a_codec_and_a_target(folder, tmp_path):
    assert status("evaluate", folder, "-o", tmp_path / "out.csv") == 0
    with open(tmp_path / "out.csv", newline="") as file:
        assert {row["MSE"] for row in csv.DictReader(file)} == {"0.0"}


def test_an_empty_folder_is_named(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert (
        status("evaluate", tmp_path / "empty", "--codec", "jpeg2000", "--rate", 4, "-o", tmp_path / "out.csv")
        == 1
    )
    assert "empty: holds no scene; expected files ending in" in capsys.readouterr().err


def test_big_endian_scenes_come_back_as_they_were(folder):
    assert read_scene(next(folder.glob("s0*"))).dtype.str == ">u2"


def test_pictures_show_the_bands_and_the_levels_of_a_quicklook(tmp_path):
    """No-data samples do not change how the others look, and are black."""
    image = pytest.importorskip("PIL.Image")
    cube = np.cumsum(np.random.default_rng(0).integers(0, 40, (4, 30, 32)), axis=-1).astype("<i2")
    cube[:, :4] = -9999
    scene = Scene(cube, name="s", wavelengths=(460.0, 550.0, 650.0, 800.0), nodata=-9999)
    path = write_scene(scene, tmp_path / "s.img")
    main(["quicklook", str(path), str(tmp_path / "quick.png")])
    words = ["evaluate", str(path), "--codec", "jpeg2000", "--lossless", "--png"]
    main([*words, "-o", str(tmp_path / "p/results.csv")])
    shown = [
        np.asarray(image.open(file)) for file in (tmp_path / "quick.png", *(tmp_path / "p").glob("*colour*"))
    ]
    assert len(shown) == 3
    assert all(np.array_equal(one, shown[0]) for one in shown)
    assert not shown[0][:4].any()
    assert shown[0][4:].std() > 50
