"""The worked examples of docs/extending.md work as they stand there."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from places import ROOT

pytest.importorskip("seaborn", reason="the packages of bandpress[figures] are not installed")

import pandas as pd
from ruamel.yaml import YAML

from bandpress import Scene, codecs, read_scene, write_scene
from bandpress.cli import main
from bandpress.evaluation import metrics
from bandpress.study.file import load_study
from bandpress.study.scripting import only_file
from baseline_scenes import smooth_scene
from small_study import KINDS, make, study

DOC = (ROOT / "docs/extending.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOC, re.DOTALL)


def study_with(tmp_path: Path, *examples: str) -> Path:
    """The demo study with examples put in, as somebody would who follows the page."""
    yaml = YAML()
    raw = yaml.load((ROOT / "studies/demo.yaml").read_text("utf-8"))
    for example in examples:
        for section, entries in yaml.load(example).items():
            raw[section].update(entries)
    with (tmp_path / "mine.yaml").open("w") as file:
        yaml.dump(raw, file)
    return tmp_path / "mine.yaml"


def test_the_data_set_is_fetched_and_prepared_as_printed(tmp_path, monkeypatch):
    import fetch_dataset
    import prepare_scene

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BANDPRESS_DATA", str(tmp_path))
    (command,) = re.findall(r"`bandpress (synthesize [^`]*)`", DOC)
    (tmp_path / "flights").mkdir()
    main(command.split())
    dataset = load_study(study_with(tmp_path, blocks("yaml")[0])).datasets["Flights"]
    entry = dataset.model_dump_json(include={"sensor", "role", "source", "scenes"}, exclude_defaults=True)
    fetch_dataset.main(["--dataset", "Flights", "--entry", entry, "--output", "Flights.json"])
    assert list(json.loads(Path("Flights.json").read_text())["scenes"]) == [
        "synthetic-north",
        "synthetic-south",
    ]
    for scene in ("synthetic-north", "synthetic-south"):
        arguments = ["--record", "Flights.json", "--dataset", "Flights", "--scene", scene, "--entry", entry]
        prepare_scene.main([*arguments, "--output", scene])
    whole = read_scene(tmp_path / "flights/flight.12_80_128_2_1_0.raw").cube
    assert np.array_equal(read_scene(only_file(Path("synthetic-south"))).cube, whole[:, 64:])


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """The package with the codec put in, as somebody would who follows the page."""
    root = tmp_path_factory.mktemp("extended")
    shutil.copytree(ROOT / "src", root / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(ROOT / "pyproject.toml", root)
    codec, line = blocks("python")[:2]
    (root / "src/bandpress/codecs/zlib_bands.py").write_text(codec)
    registry = root / "src/bandpress/codecs/__init__.py"
    text = registry.read_text()
    registry.write_text(text.replace("REGISTRY = {\n", "REGISTRY = {\n" + line, 1))
    return root


def run(extended, *command, **options):
    environment = {**os.environ, "PYTHONPATH": str(extended / "src")}
    return subprocess.run(
        [sys.executable, *map(str, command)], capture_output=True, text=True, env=environment, **options
    )


def test_the_codec_codes_and_its_options_are_those_of_the_command_line(extended, tmp_path):
    scene = smooth_scene()
    source = write_scene(scene, tmp_path / "scene.raw")
    words = [
        "-m",
        "bandpress",
        "compress",
        source,
        "--codec",
        "zlib",
        "-O",
        "level=6",
        "-o",
        tmp_path / "s.bpk",
    ]
    done = run(extended, *words)
    assert done.returncode == 0, done.stderr
    done = run(extended, "-m", "bandpress", "decompress", tmp_path / "s.bpk", "-o", tmp_path / "back.npy")
    assert done.returncode == 0, done.stderr
    assert np.array_equal(read_scene(tmp_path / "back.npy").cube, scene.cube)
    words[words.index("level=6")] = "level=high"
    done = run(extended, *words, "--overwrite")
    assert done.returncode == 1
    assert done.stderr.strip().endswith("codec zlib: level 'high'; expected a valid integer")


@pytest.mark.slow
def test_the_codec_passes_the_checks(extended):
    file = "src/bandpress/codecs/zlib_bands.py"
    pytest.importorskip("mypy", reason="the packages of bandpress[dev] are not installed")
    for words in (["ruff", "format", "--check", file], ["ruff", "check", file], ["mypy", file]):
        done = run(extended, "-m", *words, cwd=extended)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_entries_of_the_codecs_are_coded(extended, tmp_path):
    examples = blocks("yaml")[1:]
    path = study_with(tmp_path, *examples)
    code = (
        "import json, sys; from bandpress.study.file import load_study; codecs = load_study(sys.argv[1]).codecs;"
        "print(json.dumps({name: [entry.codec, entry.points] for name, entry in codecs.items()}))"
    )
    done = run(extended, "-c", code, path)
    assert done.returncode == 0, done.stderr
    codecs = json.loads(done.stdout)
    assert list(codecs["rklt-k5"][1]) == ["r0.1", "r0.25", "r0.5"]
    name, points = codecs["zlib"]
    assert points == {"lossless": {"level": 6, "lossless": True}}
    write_scene(smooth_scene(), tmp_path / "scene" / "scene.raw")
    outputs = [f"--{what}={tmp_path / what}" for what in ("stream", "record", "bands")]
    options = f"--options={json.dumps(points['lossless'])}"
    done = run(
        extended,
        ROOT / "scripts/code_scene.py",
        "--scene",
        tmp_path / "scene",
        f"--codec={name}",
        options,
        *outputs,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "record").read_text())["mse"] == 0


def test_options_that_the_codec_does_not_have_are_named_with_their_line(extended, tmp_path):
    path = study_with(tmp_path, blocks("yaml")[1].replace("level: 6", "levels: 6"))
    (line,) = [number for number, text in enumerate(path.read_text().splitlines(), 1) if "levels: 6" in text]
    done = run(
        extended,
        "-c",
        "import sys; from bandpress.study.file import load_study; load_study(sys.argv[1])",
        path,
    )
    assert (
        f"{path}:{line}: codecs.zlib.options.levels: codec zlib has no such option; expected one of level"
        in done.stderr
    )


def test_every_codec_is_documented():
    text = (ROOT / "docs/codecs.md").read_text("utf-8")
    for name in codecs.REGISTRY:
        assert f"| `{name}` |" in text


def test_the_metric_measures_as_printed(monkeypatch):
    monkeypatch.setattr(metrics, "MORE", {})
    exec(blocks("python")[2], {"MORE": metrics.MORE, "np": np})
    cube = np.full((2, 10, 10), 100, np.uint16)
    other = cube.copy()
    other[0, 0, :4] = 150
    record = metrics.measure(Scene(cube, name="a"), Scene(other, name="b"))
    assert record["error_p99"] == 50
    assert record["pae"] == 50


@pytest.mark.slow
def test_the_metric_passes_the_checks_at_the_end_of_its_file(extended):
    pytest.importorskip("mypy", reason="the packages of bandpress[dev] are not installed")
    file = extended / "src/bandpress/evaluation/metrics.py"
    before = file.read_text("utf-8")
    try:
        file.write_text(before + "\n\n" + blocks("python")[2], "utf-8")
        for words in (["format", "--check"], ["check"]):
            done = run(extended, "-m", "ruff", *words, file, cwd=extended)
            assert done.returncode == 0, done.stdout + done.stderr
    finally:
        file.write_text(before, "utf-8")


def test_the_figure_is_drawn_as_printed(tmp_path, monkeypatch):
    script = tmp_path / "scripts/fig_angle.py"
    script.parent.mkdir()
    script.write_text(blocks("python")[3])
    monkeypatch.syspath_prepend(script.parent)
    make("fig_angle", KINDS, [str(study(tmp_path))], tmp_path / "figures/angle")
    assert set(pd.read_csv(tmp_path / "figures/angle.csv")["codec"]) == {
        "learned-k3",
        "rklt-k3",
        "rklt-all",
        "jpeg2000",
    }
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--config", ROOT / "pyproject.toml", script],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 or "No module named ruff" in done.stderr, done.stdout
