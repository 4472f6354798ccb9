"""Every example of every --help, of the README and of docs/*.md runs as typed."""

import glob
import os
import re
import shlex
import shutil
import subprocess
import sysconfig
from itertools import pairwise
from pathlib import Path

import pytest

import examples
import sandbox
from bandpress.cli import main
from places import CONFORMANCE, ROOT

#: Of a checkout without data and of a machine without a network, which tests are: what these say then.
SAID = {
    "bandpress data check": "missing or wrong",
    "bandpress data fetch": "the connection failed",
}
LONG = re.compile(r"bandpress (bench|train|data fetch)|AVIRIS")
TENSORFLOW = re.compile(r"bandpress (bench(?! codecs)|train)|AVIRIS-k3 --|AVIRIS_3bands|models import")


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples") / "work"
    folder.mkdir()
    sandbox.fill(folder)
    return folder


@pytest.fixture
def folder(filled, tmp_path):
    return shutil.copytree(filled, tmp_path / "work")


#: Variables that a user does not have, and those of a proxy that answers nothing.
HIDDEN = ("BANDPRESS_DATA", "BANDPRESS_MODELS")
AWAY = {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}


def run(line: str, folder: Path) -> subprocess.CompletedProcess:
    """Type a line into a shell whose environment is active, behind a proxy that answers nothing."""
    if TENSORFLOW.search(line) and not (ROOT / ".venvs/tensorflow/.made").is_file():
        pytest.skip("needs the TensorFlow environment of the checkout: make env")
    if "AVIRIS_3bands" in line and not CONFORMANCE.is_dir():
        pytest.skip(f"{CONFORMANCE} is missing: the authors' models and streams")
    env = {key: value for key, value in os.environ.items() if key not in (*HIDDEN, "PYTHONPATH")} | AWAY
    env["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), env["PATH"]])
    return subprocess.run(line, shell=True, cwd=folder, env=env, capture_output=True, text=True, timeout=600)


@pytest.fixture
def run_here(monkeypatch, capfd):
    """Run a line in this process, patterns expanded as by a shell: to start a program takes longer than most lines."""

    def run_(line: str, folder: Path) -> subprocess.CompletedProcess:
        for name in HIDDEN:
            monkeypatch.delenv(name, raising=False)
        for name, value in AWAY.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(folder)
        words = [found for word in shlex.split(line) for found in sorted(glob.glob(word)) or [word]]
        capfd.readouterr()
        status = 0
        try:
            main(words[1:])
        except SystemExit as error:
            status = error.code
        return subprocess.CompletedProcess(words, status, *capfd.readouterr())

    return run_


def check(line: str, folder: Path, run=run) -> None:
    """Run a line and see that it did what it says."""
    done = run(line, folder)
    sentence = next((said for start, said in SAID.items() if line.startswith(start)), None)
    assert done.returncode == (0 if sentence is None else 1), done.stdout + done.stderr
    assert sentence is None or sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout or done.stderr, "it said nothing"
    words = shlex.split(line, comments=True)
    for option, name in pairwise(words):
        if option in ("-o", "--picture"):
            assert (folder / name).exists(), f"no {name}"


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(line, marks=pytest.mark.long if LONG.search(line) else (), id=line)
        for line in examples.of_help()
    ],
)
def test_the_examples_of_the_help_run_as_typed(line, folder, run_here):
    sandbox.clear(folder, [line])
    if ".tfci" in line:
        check("bandpress models import AVIRIS_3bands_2 models/AVIRIS_3bands_2", folder)
    check(line, folder, run if LONG.search(line) or TENSORFLOW.search(line) else run_here)


def marks_of_page(name: str, lines: list[str]) -> list[pytest.MarkDecorator]:
    """Choose the tests that run the lines of a page: those of the README always."""
    if LONG.search("".join(lines)):
        return [pytest.mark.long]
    return [] if name.startswith("README") else [pytest.mark.slow]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(mine, marks=marks_of_page(name, mine), id=name)
        for name, lines in examples.of_pages().items()
        if (mine := [line for line in lines if line.startswith("bandpress ")])
    ],
)
def test_the_examples_of_the_pages_run_in_their_order(lines, folder):
    sandbox.clear(folder, lines)
    for line in lines:
        check(line, folder)


@pytest.mark.parametrize("line", examples.of_sentences())
def test_commands_in_sentences_exist_with_their_options(line):
    assert examples.misused(line) is None


def test_a_command_or_option_that_does_not_exist_is_found():
    assert examples.misused("bandpress compress scene.hdr --rate 1 --gone 3") == "--gone"
    assert examples.misused("bandpress data lost") == "lost"
    assert examples.misused("bandpress data list --ask") is None


def test_every_command_has_an_example():
    without = [name for name, command in examples.commands() if "Example" not in (command.help or "")]
    assert without == []
