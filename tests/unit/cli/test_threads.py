"""``--threads``: every library keeps to it."""

import os
import subprocess
import sys

import pytest

from bandpress import environment
from bandpress.cli import main


@pytest.fixture
def scene(tmp_path):
    made = tmp_path / "s.12_40_36_2_1_0.raw"
    main_(tmp_path, "synthesize", made.name)
    return made


def main_(folder, *words, **variables):
    return subprocess.run(
        [sys.executable, "-m", "bandpress", *words],
        cwd=folder,
        env=os.environ | variables,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_the_program_starts_again_with_limits_for_every_library(scene, monkeypatch):
    started = []

    def execve(program, words, variables):
        started.append((program, words, variables))
        raise SystemExit

    monkeypatch.setattr(os, "execve", execve)
    monkeypatch.setattr(environment, "is_program", True)
    words = ["bandpress", "compress", str(scene), "--rate", "1", "--threads", "3"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit):
        main()
    (program, again, variables) = started[0]
    assert [program, *again] == [sys.executable, sys.executable, "-m", "bandpress", *words[1:]]
    for name in ("BANDPRESS", "OMP_NUM", "OPENBLAS_NUM", "NUMBA_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP"):
        assert variables[f"{name}_THREADS"] == "3"


@pytest.mark.slow
def test_files_are_equal_whatever_the_number_of_threads(scene):
    for threads in "12":
        main_(
            scene.parent, "compress", scene.name, "--rate", "1", "--threads", threads, "-o", f"{threads}.bpk"
        )
        main_(scene.parent, "decompress", f"{threads}.bpk", "-o", f"{threads}.raw", "--threads", threads)
    for kind in ("bpk", "raw"):
        assert len({next(scene.parent.glob(f"{n}*.{kind}")).read_bytes() for n in "12"}) == 1
