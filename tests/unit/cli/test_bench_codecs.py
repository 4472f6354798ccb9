import json

import pytest
from click.testing import CliRunner

from bandpress.cli import cli
from bandpress.evaluation import codec_benchmark

WORDS = "bench codecs --bands 6 --lines 40 --samples 36 --rate 2 --threads 1".split()


@pytest.mark.slow
def test_codecs_are_timed_side_by_side(tmp_path):
    words = "--codec rklt-jpeg2000 --codec wavelet-learned -k 3 -o".split()
    done = CliRunner().invoke(cli, [*WORDS, *words, str(tmp_path / "a.json")])
    assert done.exit_code == 0, done.output + str(done.exception)
    report = json.loads((tmp_path / "a.json").read_text())
    assert report["threads"] == 1
    assert report["processor"]
    baseline, learned = report["rows"]
    assert [baseline["codec"], learned["codec"]] == ["rklt-jpeg2000", "wavelet-learned"]
    assert baseline["encode_at_step"] is None
    for row in report["rows"]:
        assert row["bps"] == pytest.approx(2, rel=0.1)
        assert row["psnr"] > 40
        for key in ("encode", "decode", "start"):
            assert row[key]["wall"] > 0
            assert row[key]["processor"] > 0
            assert row[key]["memory"] > 1 << 24
    assert learned["encode_at_step"]["wall"] > 0
    assert all(row["codec"] in done.output for row in report["rows"])


def test_no_file_is_replaced_without_overwrite(tmp_path):
    there = tmp_path / "a.json"
    there.write_text("of others")
    done = CliRunner().invoke(cli, [*WORDS, "--codec", "jpeg2000", "-k", "3", "-o", str(there)])
    assert done.exit_code == 1
    assert "exists already; give --overwrite" in str(done.exception) + done.output
    assert there.read_text() == "of others"


def test_codecs_without_clusters_of_a_size_are_passed_over():
    assert codec_benchmark._possible("wavelet-learned", "all")
    assert not codec_benchmark._possible("predicted-learned", "all")
    assert {"jpeg2000", "rklt-jpeg2000", "wavelet-learned", "predicted-learned"} <= {
        *codec_benchmark.without_tensorflow()
    }


@pytest.mark.slow
def test_a_command_that_fails_is_named(tmp_path):
    words = ["--codec", "jpeg2000", "-k", "1"]
    done = CliRunner().invoke(cli, [*WORDS[:-4], "--rate", "0.0001", "--threads", "1", *words])
    assert done.exit_code == 1
    assert "bandpress compress" in str(done.exception)
