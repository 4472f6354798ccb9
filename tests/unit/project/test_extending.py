"""The worked examples of docs/extending.md work as they stand there."""

import json
import re
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from places import ROOT

pytest.importorskip("seaborn", reason="the packages of bandpress[figures] are not installed")

import pandas as pd
from ruamel.yaml import YAML

from bandpress import Scene, codecs, read_scene
from bandpress.cli import main
from bandpress.evaluation import metrics
from bandpress.study.file import load_study
from bandpress.study.scripting import only_file
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


def test_the_data_set(tmp_path, monkeypatch):
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
    whole = read_scene(tmp_path / "flights/flight.12_40_64_2_1_0.raw").cube
    assert np.array_equal(read_scene(only_file(Path("synthetic-south"))).cube, whole[:, 32:])


def test_the_codecs(tmp_path, monkeypatch):
    # The class is that of docs/codecs.md, which has its own test.
    examples = blocks("yaml")[1:]
    study = load_study(study_with(tmp_path, examples[1]))
    assert list(study.codecs["rklt-k5"].points) == ["r0.1", "r0.25", "r0.5"]
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/codecs.md").read_text("utf-8"), re.DOTALL)
    module = types.ModuleType("zlib_codec")
    monkeypatch.setitem(sys.modules, "zlib_codec", module)
    exec(block, module.__dict__)
    options = YAML(typ="safe").load(examples[0])["codecs"]["zlib"]["options"]
    monkeypatch.setitem(codecs.REGISTRY, "zlib", "zlib_codec:Zlib")
    assert codecs.make_codec("zlib", **options).level == 6
    with pytest.raises(Exception, match="zlib"):
        codecs.make_codec("zlib", nonsense=1)


def test_the_schema_takes_a_codec_that_was_added_to_the_registry(tmp_path):
    code = (
        "import sys; from bandpress import codecs; codecs.REGISTRY['zlib'] = 'zlib_codec:Zlib';"
        "from bandpress.study.file import load_study; print(load_study(sys.argv[1]).codecs['zlib'].points)"
    )
    command = [sys.executable, "-c", code, study_with(tmp_path, blocks("yaml")[1])]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"PYTHONPATH": str(ROOT / "src")}
    )
    assert "'lossless': {'level': 6" in done.stdout


def test_the_metric(monkeypatch):
    monkeypatch.setattr(metrics, "MORE", {})
    exec(blocks("python")[0], {"MORE": metrics.MORE})
    cube = np.full((2, 10, 10), 100, np.uint16)
    other = cube.copy()
    other[0, 0, :4] = 150
    record = metrics.measure(Scene(cube, name="a"), Scene(other, name="b"))
    assert record["error_p99"] == 50
    assert record["pae"] == 50


def test_the_figure(tmp_path, monkeypatch):
    script = tmp_path / "scripts/fig_angle.py"
    script.parent.mkdir()
    script.write_text(blocks("python")[1])
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
