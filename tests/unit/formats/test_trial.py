"""A library that crashes or never returns costs a process of its own, not this one."""

import os
import signal
import struct
import subprocess
import sys
import time
from contextlib import nullcontext

import numpy as np
import pytest

from bandpress import Scene, read_scene, write_scene
from bandpress.errors import SceneError
from bandpress.formats import trial
from places import ROOT

h5py = pytest.importorskip("h5py")


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(trial, "_SECONDS", 1)


def test_a_reader_that_crashes_is_one_error(tmp_path):
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(ValueError, match="crashes or never returns"):
        trial.try_out(tmp_path / "a", lambda: os.kill(os.getpid(), signal.SIGSEGV), nullcontext())


def test_exceptions_are_left_to_the_real_reading(tmp_path):
    (tmp_path / "a").write_bytes(b"")
    trial.try_out(tmp_path / "a", lambda: 1 / 0, nullcontext())


#: In a process of its own: in one that has run many tests, memory that they freed can hide what a reader takes.
GREEDY = """
import sys
from contextlib import nullcontext
from pathlib import Path
import numpy as np
from bandpress.formats import trial

def read():
    np.ones(100_000_000, np.uint8)
    raise RuntimeError

trial.most_memory = lambda _: 20 << 20
trial.try_out(Path(sys.argv[1]), read, nullcontext())
"""


def test_a_reader_that_takes_far_more_memory_than_the_file_is_one_error(tmp_path):
    (tmp_path / "a").write_bytes(b"")
    done = subprocess.run(
        [sys.executable, "-c", GREEDY, tmp_path / "a"], capture_output=True, text=True, cwd=ROOT / "src"
    )
    assert "ValueError: a damaged file, for which the library takes more memory" in done.stderr


def test_memory_within_what_the_file_can_account_for_is_no_error(tmp_path, monkeypatch):
    monkeypatch.setattr(trial, "most_memory", lambda _: 100 << 20)
    (tmp_path / "a").write_bytes(b"")
    trial.try_out(tmp_path / "a", lambda: np.ones(5_000_000), nullcontext())


def test_a_trial_that_only_waits_is_given_up(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"")
    monkeypatch.setattr(trial, "_PATIENCE", 0.2)
    started = time.monotonic()
    trial.try_out(tmp_path / "a", lambda: time.sleep(60), nullcontext())
    assert time.monotonic() - started < 30


def test_texts_that_hdf5_reads_for_ever_are_refused(tmp_path):
    """The free space of the heap that holds them says that it is of no length."""
    path = write_scene(Scene(np.ones((2, 3, 4), "<u2"), wavelengths=(400.0, 500.0)), tmp_path / "a.nc")
    data = bytearray(path.read_bytes())
    at = data.index(b"GCOL") + 16
    while struct.unpack_from("<H", data, at)[0]:
        at += 16 + -(-struct.unpack_from("<Q", data, at + 8)[0] // 8) * 8
    data[at + 8 : at + 16] = bytes(8)
    path.write_bytes(data)
    with pytest.raises(SceneError, match=r"a\.nc: .* never returns"):
        read_scene(path)
