"""Every command in the right column of docs/from-the-authors-scripts.md runs, in the authors' layout of folders."""

import csv
import glob
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest

from bandpress import read_scene
from bandpress.cli import main
from places import CONFORMANCE, ROOT

pytest.importorskip("tensorflow", reason="needs the TensorFlow environment")
pytestmark = pytest.mark.tensorflow

DOC = ROOT / "docs/from-the-authors-scripts.md"
STEM = "f080806t01p00r07rdn_c"

#: What makes a training of days one of seconds.
SMALLER = {
    "--steps 100000": "--steps 4",
    "--filters 64 384": "--filters 4 8 --batch 2 --threads 2",
    "--patch 256": "--patch 32",
}


def commands() -> list[str]:
    """The commands of the right column, in order."""
    rows = re.findall(r"^\| (.*) \| (.*) \|$", DOC.read_text("utf-8"), re.MULTILINE)
    return [command for _, right in rows for command in re.findall(r"`bandpress ([^`]*)`", right)]


def run(command: str) -> None:
    """Run a command as a shell would: patterns in quotation marks stay, others are filled in."""
    words = []
    for word in re.findall(r'"[^"]*"|\S+', command):
        found = [] if word.startswith('"') else sorted(glob.glob(word))
        words += found if "*" in word and found else shlex.split(word)
    main(words)


@pytest.mark.slow
@pytest.mark.skipif(
    not CONFORMANCE.is_dir(), reason=f"{CONFORMANCE} is missing: the authors' models and streams"
)
def test_every_command_of_the_table_runs(tmp_path, monkeypatch):
    checkout, models, datasets = (tmp_path / name for name in ("checkout", "models", "datasets"))
    checkout.mkdir()
    monkeypatch.chdir(checkout)
    for k, name in ((1, "AVIRIS_1band_2"), (3, "AVIRIS_3bands_2")):
        shutil.copytree(CONFORMANCE / f"seed_models/tiny_k{k}", models / name)
    source = CONFORMANCE / "seed_streams/jasper.20_100_90_2_1_0.raw"
    for name in ("AVIRIS_test", "AVIRIS_training"):
        (datasets / name).mkdir(parents=True)
        shutil.copy(source, datasets / name / f"{STEM}.20_100_90_2_1_0.raw")
    theirs = CONFORMANCE / "seed_streams/k3/jasper_b1-3.3_100_90_2_1_0.raw"
    ran = commands()
    assert len(ran) >= 9
    for command in ran:
        for large, small in SMALLER.items():
            command = command.replace(large, small)
        if ".tfci" in command:  # by now the folder is there, made by the command of the second row
            stream = datasets / "AVIRIS_test_3bands" / f"{STEM}_b1-3.3_100_90_2_1_0.raw.tfci"
            shutil.copy(f"{theirs}.tfci", stream)
        if (
            "--resume" in command
        ):  # as after an interruption: the state of the training is there, the model is not
            shutil.rmtree("models/my-model")
        run(command)
    original = read_scene(source).cube
    with open("AVIRIS_1band_2.csv", newline="") as file:
        (row,) = csv.DictReader(file)
    assert {"Image", "Rate (bps)", "MSE", "MAE", "PAE"} <= set(row)
    assert list(checkout.glob("*.png"))
    assert len(list((datasets / "AVIRIS_test_3bands").glob("*.raw"))) == 7
    (restored,) = Path("restored").glob(f"{STEM}.*.raw")
    assert read_scene(restored).cube.shape == original.shape
    (cluster,) = Path("restored").glob(f"{STEM}_b1-3*.raw")
    expected = np.fromfile(f"{theirs}.tfci.raw", "<u2").astype(int)
    assert np.abs(read_scene(cluster).cube.astype(int).ravel() - expected).max() <= 1
    assert Path("models/my-model/model.json").is_file()
    assert list(Path("models/my-model.events").rglob("events*"))


def test_every_command_of_the_authors_readme_is_in_the_table():
    readme = CONFORMANCE.parent / "reference/seed-readme.md"
    if not readme.is_file():
        pytest.skip(f"{readme} is missing: the authors' README")
    table = DOC.read_text("utf-8")
    asked = re.findall(r"^python3 .*$", readme.read_text("utf-8"), re.MULTILINE)
    assert len(asked) == 5
    assert all(command in table for command in asked)
