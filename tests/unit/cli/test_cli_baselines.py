"""The options of the baselines, from the command line."""

import numpy as np
import pytest

from baseline_scenes import smooth_scene
from command_line import status

pytest.importorskip("glymur", reason="JPEG 2000 needs glymur")

from bandpress import read_scene, write_scene


@pytest.fixture
def source(tmp_path):
    return write_scene(smooth_scene(bands=9), tmp_path / "smooth.9_48_40_2_1_0.raw")


@pytest.mark.parametrize(
    "options",
    [
        ["--codec", "rklt-jpeg2000", "-k", "3", "--rate", "2"],
        ["--codec", "rklt-jpeg2000", "-k", "all", "--rate", "3", "--allocation", "shared"],
        ["--codec", "jpeg2000", "--rate", "2"],
    ],
)
def test_a_lossy_file_decodes_to_nearly_the_same_samples(tmp_path, source, options):
    assert status("compress", source, *options, "-o", tmp_path / "s.bpk") == 0
    assert status("decompress", tmp_path / "s.bpk", "-o", tmp_path / "back.9_48_40_2_1_0.raw") == 0
    error = read_scene(tmp_path / "back.9_48_40_2_1_0.raw").cube.astype(int) - read_scene(source).cube
    assert 0 < np.abs(error).mean() < 20


@pytest.mark.parametrize("codec", ["jpeg2000", "rklt-jpeg2000"])
def test_a_lossless_file_decodes_to_the_same_bytes(tmp_path, source, codec):
    assert status("compress", source, "--codec", codec, "--lossless", "-o", tmp_path / "s.bpk") == 0
    assert status("decompress", tmp_path / "s.bpk", "-o", tmp_path / "back.9_48_40_2_1_0.raw") == 0
    assert (tmp_path / "back.9_48_40_2_1_0.raw").read_bytes() == source.read_bytes()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--codec", "jpeg2000"], "expected one of the two"),
        (["--codec", "jpeg2000", "--psnr", "50"], "unknown option 'psnr'"),
        (["--codec", "rklt-jpeg2000", "--rate", "0.001"], "bits per sample, not 0.001"),
    ],
)
def test_errors_are_one_sentence(tmp_path, source, capsys, options, said):
    assert status("compress", source, *options, "-o", tmp_path / "s.bpk") == 1
    message = capsys.readouterr().err.strip()
    assert said in message
    assert "\n" not in message
    assert not (tmp_path / "s.bpk").exists()
