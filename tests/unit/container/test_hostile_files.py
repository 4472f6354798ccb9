"""Noise, and attacks whose checksums are right: a stated failure or samples, soon, in little memory."""

import subprocess
import sys
import time

import pytest

import every_codec
import golden
import hostile_files
from bandpress.coding import decompress
from bandpress.errors import BitstreamError
from peak import PEAK
from places import ROOT

#: Files of a case in the fast suite, and of all cases of a codec together in the long one.
FEW, MANY = 40, 10_000
CLEAN = {"equal", "refused", "other samples"}


def check(tmp_path, codec, options, files, seed):
    found = hostile_files.count(tmp_path, codec, options, files, seed)
    counts = found.outcomes
    print(f"\n{codec}: " + ", ".join(f"{kind}, {end}: {n}" for (kind, end), n in sorted(counts.items())))
    print(f"{codec}: at most {found.seconds:.2f} s and {found.peak / 1e6:.0f} MB for a file")
    assert {end for _, end in counts} <= CLEAN, counts
    assert counts["attack", "refused"], counts
    assert counts["noise", "other samples"] == 0, counts


@pytest.mark.parametrize(("codec", "options"), every_codec.cases())
def test_some_hostile_files_are_refused_or_decoded(tmp_path, codec, options):
    check(tmp_path, codec, options, FEW, 0)


@pytest.mark.long
@pytest.mark.parametrize(("codec", "options"), every_codec.cases())
def test_many_hostile_files_are_refused_or_decoded(tmp_path, codec, options):
    check(tmp_path, codec, options, MANY // len(every_codec.OPTIONS[codec]), 1)


# Memory and time of a file that announces far more than it holds.
GREEDY = (
    """
import sys, time
from bandpress.coding import decompress
from bandpress.errors import BitstreamError
started = time.process_time()
try:
    decompress(sys.argv[1])
    raise SystemExit("gave samples")
except BitstreamError as error:
    assert "memory" in str(error) or "expected" in str(error), error
spent = time.process_time() - started
"""
    + PEAK
    + "print(spent, peak)"
)


def check_refused_cheaply(path):
    """Check that a new process refuses a file within 5 s of processor time and 1 GB."""
    command = [sys.executable, "-c", GREEDY, path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT / "src")
    assert done.returncode == 0, done.stdout + done.stderr
    spent, peak = map(float, done.stdout.split())
    assert spent < 5
    assert peak < 1e9


@pytest.mark.parametrize("side", [10_000, 46_000, 1 << 17])
@pytest.mark.parametrize("codec", ["jpeg2000", "ccsds123", "bounded"])
def test_a_small_file_of_a_huge_scene_is_refused_before_memory_is_taken(tmp_path, codec, side):
    whole, path = tmp_path / "whole.bpk", tmp_path / "huge.bpk"
    hostile_files.make(whole, codec, {"lossless": True})
    parts = hostile_files.Parts(whole)
    path.write_bytes(parts.join(hostile_files.as_json(parts.header | {"lines": side, "samples": side})))
    check_refused_cheaply(path)


def test_planes_that_a_band_is_predicted_from_count_as_memory(tmp_path):
    """Clusters of two bands: the scene is small beside what decoding one of them takes."""
    whole, path = tmp_path / "whole.bpk", tmp_path / "wide.bpk"
    hostile_files.make(whole, "bounded", {"max_error": 3, "bands_per_cluster": 2, "references": 1})
    parts = hostile_files.Parts(whole)
    path.write_bytes(parts.join(hostile_files.as_json(parts.header | {"samples": 780_000})))
    check_refused_cheaply(path)


@pytest.mark.parametrize("name", ["plain", "gains"])
def test_a_small_file_of_a_huge_scene_never_reaches_a_network(tmp_path, name):
    parts, path = hostile_files.Parts(golden.stream(name)), tmp_path / "huge.bpk"
    path.write_bytes(parts.join(hostile_files.as_json(parts.header | {"lines": 1600, "samples": 1600})))
    with pytest.raises(BitstreamError, match="bytes of memory"):
        decompress(path, model=golden.MODELS[name])


def test_chunks_needed_by_thousands_of_clusters_are_found_in_linear_time(tmp_path):
    from bandpress.clusters import split
    from bandpress.codecs.predicted_learned import PredictedLearned
    from bandpress.container.bitstream import Header

    header = Header(
        16384, 1, 1, "<u2", "predicted-learned", 1, {"key_distance": 16, "order": "components", "step": 1.0}
    )
    started = time.process_time()
    needed = [PredictedLearned.needed(header, cluster) for cluster in split(16384, 1)]
    assert time.process_time() - started < 2
    assert [one.first for one in needed[37]] == [32, 37]
    assert [one.first for one in needed[32]] == [32]


def test_a_klt_over_thousands_of_bands_is_refused(tmp_path):
    whole, path = tmp_path / "whole.bpk", tmp_path / "many.bpk"
    hostile_files.make(whole, "rklt-jpeg2000", {"lossless": True, "bands_per_cluster": "all"})
    header = hostile_files.Parts(whole).header
    header |= {"bands": 2048, "lines": 1, "samples": 1, "metadata": {}}
    header.pop("holes")
    parts = hostile_files.Parts(whole)
    path.write_bytes(parts.join(hostile_files.as_json(header), mask=b""))
    with pytest.raises(BitstreamError, match="2048 bands; expected at most 1024"):
        decompress(path)
