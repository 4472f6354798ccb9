"""TensorFlow wherever `bandpress` is typed."""

import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from bandpress import environment
from bandpress.errors import MissingDependencyError

ROOT = Path(__file__).resolve().parents[2]
here = pytest.mark.skipif(find_spec("tensorflow") is not None, reason="TensorFlow is in this environment")


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout whose launcher says what it was asked to run."""
    (tmp_path / "envs").mkdir()
    run = tmp_path / "envs" / "run"
    run.write_text('#!/bin/sh\necho "$@"; echo taken: $BANDPRESS_TAKEN_OVER; exec sleep "${NAP:-0}"\n')
    run.chmod(0o755)
    python = tmp_path / ".venvs" / "tensorflow" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("")
    monkeypatch.setattr(environment, "checkout", lambda: tmp_path)
    return tmp_path


@here
def test_a_program_that_calls_bandpress_is_told_and_not_replaced(checkout):
    with pytest.raises(MissingDependencyError, match=r"a codec needs TensorFlow.*expected the Python of"):
        environment.need_tensorflow("a codec")


@here
def test_a_missing_environment_is_named_with_the_way_to_make_it(checkout):
    (checkout / ".venvs/tensorflow/bin/python").unlink()
    with pytest.raises(MissingDependencyError, match=r"environment is missing; expected 'make env' in "):
        environment.need_tensorflow("a codec")


@here
def test_an_installed_package_says_what_to_install(monkeypatch):
    monkeypatch.setattr(environment, "checkout", lambda: None)
    with pytest.raises(MissingDependencyError, match=r"bandpress\[tensorflow\]"):
        environment.need_tensorflow("a codec")


def started(checkout, *words, **variables):
    """Start a program that needs TensorFlow, where the launcher of `checkout` stands for the environment."""
    code = (
        "import sys; from pathlib import Path; from bandpress import environment as e;"
        f"e.checkout = lambda: Path({str(checkout)!r}); e.is_program = True; e.need_tensorflow('it')"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **variables},
        stdout=subprocess.PIPE,
        text=True,
    )


@here
def test_the_same_command_goes_on_where_tensorflow_is(checkout):
    process = started(checkout, "compress", "a scene.hdr", "--rate", "0.2")
    out, _ = process.communicate(timeout=30)
    assert out.splitlines()[0] == "tensorflow python -m bandpress compress a scene.hdr --rate 0.2"
    assert "taken: 1" in out
    assert process.returncode == 0


@here
def test_signals_reach_the_process_that_took_over(checkout):
    process = started(checkout, NAP="60")
    assert process.stdout.readline()
    time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == -signal.SIGTERM
