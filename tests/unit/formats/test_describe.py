import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandpress import Scene, write_scene
from bandpress.formats import raw
from bandpress.formats.describe import describe, ranges
from peak import PEAK


@given(st.data())
@settings(deadline=None, max_examples=40)
def test_ranges_are_those_of_numpy_whatever_the_layout(data):
    bands, lines, samples = data.draw(st.tuples(*[st.integers(1, 6)] * 3))
    dtype = data.draw(st.sampled_from(["<u2", ">i2", "|u1", "<f4"]))
    interleave = data.draw(st.sampled_from(["bsq", "bil", "bip"]))
    cube = np.random.default_rng(data.draw(st.integers(0, 99))).integers(0, 200, (bands, lines, samples))
    cube = cube.astype(dtype)
    stored = np.ascontiguousarray(raw.as_stored(cube, interleave))
    low, high = ranges(raw.as_cube(stored, interleave))
    assert low == cube.min(axis=(1, 2)).tolist()
    assert high == cube.max(axis=(1, 2)).tolist()


def test_ranges_over_several_blocks(monkeypatch):
    monkeypatch.setattr(raw, "BLOCK_BYTES", 8)
    cube = np.random.default_rng(1).integers(-9, 9, (5, 4, 3)).astype(">i2")
    for interleave in ("bsq", "bil", "bip"):
        stored = np.ascontiguousarray(raw.as_stored(cube, interleave))
        assert ranges(raw.as_cube(stored, interleave))[0] == cube.min(axis=(1, 2)).tolist()


def test_nodata_and_not_a_number_do_not_count():
    cube = np.array([[[-9999, 3, 5]], [[-9999, -9999, -9999]]], "<i2")
    assert ranges(cube, -9999) == ([3, None], [5, None])
    low, high = ranges(np.array([[[np.nan, 1.5, np.inf]]], "<f4"))
    assert (low, high) == ([1.5], [1.5])


def test_facts_are_json():
    scene = Scene(np.ones((2, 1, 3), ">i2"), nodata=float("nan"), bad_bands=(True, False))
    facts = json.loads(json.dumps(describe(scene), allow_nan=False))
    assert facts["byte_order"] == "big"
    assert facts["type"] == "int16"
    assert facts["constant_bands"] == [1, 2]
    assert facts["bad_bands"] == [1]


@pytest.mark.parametrize("interleave", ["bsq", "bip"])
def test_info_of_an_aviris_scene_is_quick_and_small(tmp_path, interleave):
    """512 x 680 x 224: less than a second where nothing else runs, less than 150 MB beyond Python's own."""
    cube = np.memmap(tmp_path / "x", "<u2", "w+", shape=(224, 512, 680))
    cube[100, 3, 2] = 77
    if interleave == "bsq":
        path = write_scene(Scene(cube), tmp_path / "s.raw")
    else:
        path = write_scene(Scene(cube), tmp_path / "s.hdr", interleave="bip")
    bare = _run("output = None")[0]
    used, seconds, output = _run(f"from bandpress.cli import main; main(['info', {str(path)!r}, '--json'])")
    assert json.loads(output)["band_max"][100] == 77
    assert used - bare < 150 << 20
    assert seconds < 3  # of processor time, on a machine that may be shared


def _run(statement):
    """Peak memory in bytes, processor seconds and output of a Python process that runs one line."""
    program = f"import sys, time\ntry:\n    {statement}\nexcept SystemExit:\n    pass\n{PEAK}\n"
    program += "print(peak, time.process_time(), file=sys.stderr)"
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
    )
    memory, seconds = map(float, done.stderr.split())
    return memory, seconds, done.stdout
