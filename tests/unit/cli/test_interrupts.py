"""Signals are answered within a second and leave nothing behind; the program starts at once."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from bandpress import Scene, write_scene
from places import ROOT

#: A command in whose compiled code, which no exception reaches, a signal comes; it writes a file and a folder.
PROGRAM = """
import sys, time
from pathlib import Path
import numba
from bandpress import environment, files
from bandpress import interrupts

@numba.njit(nogil=True)
def busy(n):
    total = 0
    for i in range(n):
        total ^= i * i
    return total

busy(1)
interrupts.answer()
with files.atomic_path("made.bpk") as part, files.scratch_folder(".scratch-", Path()) as folder:
    part.write_bytes(b"half")
    (folder / "more").write_bytes(b"half")
    print("ready", flush=True)
    {work}
"""


def stopped(words, number, wait_for, folder):
    process = subprocess.Popen(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    wait_for(process)
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    return process.returncode, said


def in_the_loop(process):
    """Wait until the program is in its compiled code."""
    assert process.stdout.readline()
    time.sleep(0.5)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_that_comes_in_compiled_code_is_answered(tmp_path, number):
    code, said = stopped(
        ["-c", PROGRAM.format(work="busy(1 << 44)")],
        number,
        in_the_loop,
        tmp_path,
    )
    assert code == 128 + number
    assert said.strip().endswith("no partial files were left")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_compression_that_is_stopped_says_so_and_leaves_nothing(tmp_path, number):
    draw = np.random.default_rng(1)
    scene = Scene(draw.integers(0, 4000, (60, 128, 128)).astype("<u2"))
    write_scene(scene, tmp_path / "a b.hdr")
    before = sorted(tmp_path.iterdir())
    code, said = stopped(
        ["-m", "bandpress", "compress", "a b.hdr", "--rate", "1"], number, lambda _: time.sleep(1.5), tmp_path
    )
    assert code == 128 + number
    assert "Traceback" not in said
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_job_of_the_workflow_that_is_stopped_leaves_nothing(tmp_path, number):
    """It is stopped while it codes: the part is there then, with an encoder that is only half done."""
    draw = np.random.default_rng(1)
    write_scene(Scene(draw.integers(0, 4000, (200, 128, 128)).astype("<u2"), "a"), tmp_path / "scene/a.raw")
    out = tmp_path / "out"
    words = [
        ROOT / "scripts/code_scene.py",
        "--scene",
        "scene",
        "--codec",
        "bounded",
        "--stream",
        "out/a.bpk",
    ]
    words += ["--options", '{"lossless": true}', "--record", "out/a.json", "--bands", "out/a.csv"]

    def coding(process):
        until = time.monotonic() + 60
        while not list(out.glob(".*.part*.bpk")):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until
            time.sleep(0.05)

    code, said = stopped(words, number, coding, tmp_path)
    assert code == 128 + number, said
    assert said.strip().endswith("no partial files were left")
    assert list(out.iterdir()) == []


def test_the_help_imports_no_command():
    program = "import sys; from bandpress.cli import cli; cli(['--help'], standalone_mode=False); "
    program += "print([name for name in sys.modules if name.split('.')[0] in ('numpy', 'numba', 'pydantic')])"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert "train-contexts" in done.stdout
