"""The environments: conda's files and pip's pins give the same versions, and the launcher never falls back."""

import os
import re
import subprocess
import sys

import pytest
from ruamel.yaml import YAML

import golden
from places import ROOT

PINS = {
    "analysis": "workflow",
    "workflow": "workflow",
    "tensorflow": "tensorflow",
    "tensorflow-gpu": "tensorflow-gpu",
}


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("name", sorted(PINS))
def test_yaml_and_pins_agree(name):
    environment = YAML(typ="safe").load((ROOT / f"envs/{name}.yaml").read_text())
    (wanted,) = (entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    lines = (ROOT / f"envs/{PINS[name]}.txt").read_text().splitlines()
    pinned = {normal(a): b for a, b in (line.split("==") for line in lines if re.match(r"[\w.-]+==", line))}
    assert len(wanted) > 5
    for entry in wanted:
        package, version = entry.split("==")
        assert pinned[normal(package)] == version, entry


def test_every_environment_of_a_rule_has_its_file():
    used = {
        m
        for rules in (ROOT / "rules").glob("*.smk")
        for m in re.findall(r"\{params.run:q\} (\w+)", rules.read_text())
    }
    used |= {
        m
        for rules in (ROOT / "rules").glob("*.smk")
        for m in re.findall(r'environment="(\w+)"', rules.read_text())
    }
    assert used == {"analysis", "tensorflow"}
    assert all((ROOT / f"envs/{name}.yaml").is_file() for name in used)


@pytest.fixture
def checkout(tmp_path):
    """A checkout without environments: the launcher and the environment files alone."""
    (tmp_path / "envs").mkdir()
    for name in ("run", "analysis.yaml", "tensorflow.yaml"):
        (tmp_path / "envs" / name).write_bytes((ROOT / "envs" / name).read_bytes())
    (tmp_path / "envs/run").chmod(0o755)
    return tmp_path


def run(checkout, *args, **env):
    return subprocess.run(
        [checkout / "envs/run", *args],
        capture_output=True,
        text=True,
        env={**os.environ, "CONDA_PREFIX": "", **env},
    )


def fake_python(prefix, says):
    (prefix / "bin").mkdir(parents=True)
    (prefix / "bin/python").write_text(f"#!/bin/sh\necho {says}\n")
    (prefix / "bin/python").chmod(0o755)


def test_a_missing_environment_is_one_sentence_and_no_other_python_is_taken(checkout):
    done = run(checkout, "tensorflow", "python", "-c", "print('taken')")
    assert done.returncode == 1
    assert "taken" not in done.stdout
    assert done.stderr.count("\n") == 1
    assert "make env" in done.stderr


def test_an_unknown_environment_is_wrong_usage(checkout):
    assert run(checkout, "torch", "python").returncode == 2
    assert run(checkout, "tensorflow").returncode == 2


def test_the_conda_environment_made_from_this_file_is_taken(checkout):
    fake_python(checkout / ".venvs/tensorflow", "pip")
    prefix = checkout / ".snakemake/conda/abc_"
    fake_python(prefix, "conda")
    (checkout / ".snakemake/conda/abc_.yaml").write_bytes((checkout / "envs/tensorflow.yaml").read_bytes())
    assert run(checkout, "tensorflow", "python", CONDA_PREFIX=str(prefix)).stdout == "conda\n"


def test_a_conda_environment_of_the_users_own_is_not_taken(checkout):
    fake_python(checkout / ".venvs/tensorflow", "pip")
    fake_python(checkout / "miniconda", "other")
    assert run(checkout, "tensorflow", "python", CONDA_PREFIX=str(checkout / "miniconda")).stdout == "pip\n"


@pytest.mark.tensorflow
def test_the_program_leaves_out_the_notes_of_tensorflow(tmp_path):
    pytest.importorskip("tensorflow", reason="needs the TensorFlow environment")
    command = [
        "bandpress",
        "decompress",
        golden.stream("plain"),
        "--model",
        golden.MODELS["plain"],
        "-o",
        tmp_path / "a.npy",
    ]
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-m", *command], capture_output=True, text=True, env=environment, cwd=ROOT / "src"
    )
    assert done.returncode == 0, done.stderr
    assert "tensorflow" not in done.stderr.lower()
    assert "onednn" not in done.stderr.lower()
