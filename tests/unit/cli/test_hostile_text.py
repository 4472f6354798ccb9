"""Text from files and users is escaped on the terminal, and absurd numbers are refused."""

import numpy as np
import pytest
from click.testing import CliRunner

from bandpress import Scene, make_codec
from bandpress.cli import cli, main
from bandpress.cli.printing import printable
from bandpress.coding import compress
from bandpress.errors import CodecError


def test_escape_sequences_and_halves_of_characters_are_spelled_out():
    assert printable("a\x1b[2J\ud800é\n") == "a\\x1b[2J\\ud800é\n"


def test_names_in_a_file_do_not_steer_the_terminal(tmp_path):
    path = tmp_path / "a.bpk"
    compress(
        Scene(np.ones((1, 4, 4), np.uint8), name="a\x1b[2Jb", sensor="\x9b2J"),
        path,
        make_codec("jpeg2000", lossless=True),
    )
    shown = CliRunner().invoke(cli, ["info", str(path)])
    assert shown.exit_code == 0
    assert "a\\x1b[2Jb" in shown.output
    assert all(char.isprintable() or char == "\n" for char in shown.output)


def test_errors_do_not_steer_the_terminal(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["info", str(tmp_path / "\x1b[2J.bpk")])
    assert ended.value.code == 1
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize("codec", ["jpeg2000", "rklt-jpeg2000", "wavelet-learned", "predicted-learned"])
def test_targets_of_extreme_size_are_refused(codec):
    with pytest.raises(CodecError, match="rate 1e\\+308"):
        make_codec(codec, rate=1e308)


@pytest.mark.parametrize("step", [1e-300, 1e-9, 1e300])
def test_steps_of_extreme_size_are_refused(step):
    with pytest.raises(CodecError, match="step 1e"):
        make_codec("wavelet-learned", step=step)


def test_coefficients_beyond_what_can_be_coded_are_refused(tmp_path):
    cube = np.zeros((64, 64, 64), np.uint16)
    cube[:, :, 32:] = 65535
    with pytest.raises(CodecError, match="a coarser step"):
        compress(
            Scene(cube), tmp_path / "a.bpk", make_codec("wavelet-learned", step=1e-3, bands_per_cluster="all")
        )
    assert not list(tmp_path.iterdir())
