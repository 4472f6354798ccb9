"""Digests of a result's inputs change with them, and with nothing else."""

import json
import os
import shutil

import pytest

from bandpress.study import tracking
from places import ROOT

CODECS = ("jpeg2000", "rklt-jpeg2000")


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package and the scripts, to be changed."""
    for name in ("src", "scripts"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(tracking, "_SOURCE", tmp_path / "src")
    tracking.imported.cache_clear()
    yield tmp_path
    tracking.imported.cache_clear()


def digests():
    return {name: tracking.code_of_codec(name) for name in CODECS}


@pytest.mark.parametrize(
    ("file", "changed"),
    [
        ("src/bandpress/codecs/rklt_jpeg2000.py", {"rklt-jpeg2000"}),
        ("src/bandpress/transforms/wavelet.py", set()),
        ("src/bandpress/jpeg2000/openjpeg.py", set(CODECS)),
        ("src/bandpress/container/bitstream.py", set(CODECS)),
        ("src/bandpress/codecs/__init__.py", set()),
        ("src/bandpress/study/figures/style.py", set()),
        ("src/bandpress/cli/compress.py", set()),
        ("src/bandpress/formats/geotiff.py", set()),
        ("src/bandpress/hyperprior/training/train.py", set()),
    ],
)
def test_a_changed_file_changes_the_digest_of_the_codecs_that_use_it(package, file, changed):
    before = digests()
    with open(package / file, "a") as code:
        code.write("# changed\n")
    after = digests()
    assert {name for name in CODECS if before[name] != after[name]} == changed


def test_a_script_is_followed_into_the_package_and_the_scripts_beside_it(package):
    script = package / "scripts/compare.py"
    for file in ("scripts/compare.py", "scripts/table_comparison.py", "src/bandpress/study/claims.py"):
        before = tracking.code(script)
        with open(package / file, "a") as code:
            code.write("# changed\n")
        assert tracking.code(script) != before, file


@pytest.fixture
def record(tmp_path):
    """Record of a data set of two scenes, the first an ENVI pair."""
    for name, content in {"one.img": b"1", "one.hdr": b"ENVI", "two.raw": b"2"}.items():
        (tmp_path / name).write_bytes(content)
    path = tmp_path / "set.json"
    scenes = {"first": {"file": "one.img"}, "second": {"file": "two.raw"}}
    path.write_text(json.dumps({"path": str(tmp_path), "scenes": scenes}))
    return path


def test_a_replaced_file_changes_its_own_scene_alone(record, tmp_path):
    seen = tmp_path / "out/contents.json"

    def state():
        return [tracking.data(record, scene, seen) for scene in ("first", "second")]

    before = state()
    (tmp_path / "one.hdr").write_bytes(b"ENVI changed")
    first, second = state()
    assert first != before[0]
    assert second == before[1]
    (tmp_path / "two.raw").write_bytes(b"3")  # as long as it was
    assert state()[1] != second


def test_a_file_that_was_only_touched_or_is_gone_counts_as_it_was(record, tmp_path):
    seen = tmp_path / "contents.json"
    before = tracking.data(record, "second", seen)
    os.utime(tmp_path / "two.raw", (1, 1))
    assert tracking.data(record, "second", seen) == before
    (tmp_path / "two.raw").unlink()
    assert tracking.data(record, "second", seen) == before


def test_contents_are_read_once(record, tmp_path, monkeypatch):
    seen = tmp_path / "contents.json"
    before = tracking.data(record, "first", seen)
    monkeypatch.setattr(tracking, "digest", None)
    assert tracking.data(record, "first", seen) == before
