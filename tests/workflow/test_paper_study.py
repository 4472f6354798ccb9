"""The paper's study from a page to its figures, at tiny scale, against a server on 127.0.0.1: nothing by hand.

`config.yaml` as it is, but for the address of its pages, how many models and rates there are, and which bands are seen.
The archives are laid out like the authors'; the scenes are crops of a real one, the models were made by their script.
"""

import bz2
import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bandpress import read_scene, write_scene
from bandpress.scene import Scene
from loopback import Loopback, tarred, zipped
from places import CONFORMANCE, ROOT

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.slow,
    pytest.mark.skipif(not CONFORMANCE.is_dir(), reason=f"{CONFORMANCE} is not on this machine"),
]


def scenes(folder: Path, name: str, **where: slice) -> dict[str, bytes]:
    """A GICI raw file of a crop of the real scene, as the authors name theirs."""
    source = read_scene(CONFORMANCE / "seed_streams" / "jasper.20_100_90_2_1_0.raw").crop(**where)
    path = write_scene(Scene(source.cube, name=name), folder / f"{name}.raw")
    return {path.name: path.read_bytes()}


def tiny_paper_study(pages: list[str]) -> dict:
    """`config.yaml`, smaller, its pages those of the server."""
    study = YAML(typ="safe").load((ROOT / "config.yaml").read_text("utf-8"))
    sources = [dataset["source"] for dataset in study["datasets"].values()]
    for family in study["models"].values():
        sources.append(family["archive"])
        family["members"] = family["members"][:1]
    for source in sources:
        source |= {"page": pages[0], "pages": pages[1:]}
    for codec in study["codecs"].values():
        for key, kept in (("qualities", [1]), ("rates", [2.0])):
            if key in codec:
                codec[key] = kept
    study["figures"]["rate"] = 2.0
    for shown in study["figures"]["false_colour"].values():
        shown["bands"] = [6, 4, 2]
        shown["points"] = {
            name: "q1" if "qualities" in study["codecs"][name] else "r2" for name in shown["points"]
        }
    return study


Files = Mapping[str, bytes]


def a_list_of_archives(site: Loopback, sets: Mapping[str, Files], models: Mapping[str, Files]) -> list[str]:
    """A list on one page: one zip a set, one tar.gz with all models."""
    items = []
    for name, files in sets.items():
        site.offer(f"{name}.zip", zipped({f"{name}/{file}": content for file, content in files.items()}))
        items.append(f'<li><a href="{name}.zip">{name}</a> (16 bits)</li>')
    packed = {f"models/{name}/{file}": c for name, files in models.items() for file, c in files.items()}
    site.offer("models.tar.gz", tarred(packed))
    return [
        site.page("datasets.php", f'<ul>{"".join(items)}<li><a href="models.tar.gz">Models</a></li></ul>')
    ]


def headings_with_a_file_a_scene_and_a_page_of_models(
    site: Loopback, sets: Mapping[str, Files], models: Mapping[str, Files]
) -> list[str]:
    """A heading a set with a packed file a scene; a table of models, a zip each, on a second page."""
    body, rows = "", ""
    for name, files in sets.items():
        body += f"<h2>{name.replace('_', ' ')}</h2>"
        for file, content in files.items():
            site.offer(f"images/{file}.bzip2", bz2.compress(content))
            body += f'<p><a href="images/{file}.bzip2">{file.partition(".")[0]}</a></p>'
    for name, files in models.items():
        site.offer(f"m/{name}.zip", zipped({f"{name}/{file}": content for file, content in files.items()}))
        rows += f'<tr><td>{name}</td><td><a href="m/{name}.zip">download</a></td></tr>'
    return [site.page("datasets.php", body), site.page("downloads.php", f"<table>{rows}</table>")]


def one_archive_of_everything(
    site: Loopback, sets: Mapping[str, Files], models: Mapping[str, Files]
) -> list[str]:
    """One link, to an archive with a folder a set and a folder a model."""
    folders = {**sets, **{f"models/{name}": files for name, files in models.items()}}
    files = {f"paper/{name}/{file}": c for name, content in folders.items() for file, c in content.items()}
    site.offer("paper.tar.gz", tarred(files))
    return [
        site.page(
            "datasets.php", '<h1>Data</h1><p>Test images and models: <a href="paper.tar.gz">all</a></p>'
        )
    ]


Shape = Callable[[Loopback, Mapping[str, Files], Mapping[str, Files]], list[str]]
SHAPES: tuple[Shape, ...] = (
    a_list_of_archives,
    headings_with_a_file_a_scene_and_a_page_of_models,
    one_archive_of_everything,
)


@pytest.fixture
def sets(tmp_path) -> dict[str, dict[str, bytes]]:
    first = scenes(tmp_path, "f080806t01p00r07", bands=slice(0, 7), lines=slice(0, 40), samples=slice(0, 48))
    second = scenes(
        tmp_path, "f090710t01p00r11", bands=slice(7, 14), lines=slice(40, 90), samples=slice(0, 33)
    )
    third = scenes(tmp_path, "EO1H0440342002212110PY", bands=slice(10, 17), lines=slice(20, 70))
    return {"AVIRIS_test": {**first, **second}, "Hyperion_test": third}


@pytest.fixture
def models() -> dict[str, dict[str, bytes]]:
    folders = {k: CONFORMANCE / "seed_models" / f"tiny_k{k}" for k in ("1", "3")}
    return {
        f"{sensor}_{k}band_1": {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        for sensor in ("AVIRIS", "Hyperion")
        for k, folder in folders.items()
    }


def write_study(checkout, pages: list[str]) -> dict:
    checkout.study = "paper.yaml"
    study = tiny_paper_study(pages)
    with open(checkout.folder / checkout.study, "w") as file:
        YAML().dump(study, file)
    return study


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_scenes_and_models_are_found_on_a_page_of_any_shape(shape, sets, models, checkout, tmp_path):
    with Loopback() as site:
        study = write_study(checkout, shape(site, sets, models))
        records = [f"results/paper/datasets/{name}.json" for name in sets]
        records += [f"results/paper/models/{name}.json" for name in study["models"]]
        done = checkout.run(*records, BANDPRESS_DATA=str(tmp_path / "data"))
        assert done.returncode == 0, done.stdout[-6000:]
    for name, files in sets.items():
        record = json.loads((checkout.folder / f"results/paper/datasets/{name}.json").read_text())
        assert sorted(record["scenes"]) == sorted(file.partition(".")[0] for file in files)
    for name, family in study["models"].items():
        record = json.loads((checkout.folder / f"results/paper/models/{name}.json").read_text())
        assert [Path(path).name for path in record["members"]] == family["members"]


def test_the_papers_study_runs_from_its_page_to_its_figures(sets, models, checkout, tmp_path):
    with Loopback() as site:
        study = write_study(checkout, headings_with_a_file_a_scene_and_a_page_of_models(site, sets, models))
        for path in list(site.files):
            if path.endswith((".zip", ".bzip2")):
                site.misbehave(path[1:], 503, None, "truncate")
        done = checkout.run(timeout=3000, BANDPRESS_DATA=str(tmp_path / "data"))
        assert done.returncode == 0, done.stdout[-6000:]
        offered = [f"{site.address}{path}" for path in site.files if path.endswith((".zip", ".bzip2"))]
    results = checkout.folder / "results" / "paper"
    with open(results / "rd.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["dataset"], row["scene"]) for row in rows} == {
        (name, file.partition(".")[0]) for name, files in sets.items() for file in files
    }
    assert {row["codec"] for row in rows if row["dataset"] == "AVIRIS_test"} == {
        name for name in study["codecs"] if "Hyperion" not in name
    }
    for row in rows:
        file = checkout.folder / row["file"]
        assert int(row["bytes"]) == file.stat().st_size
        assert float(row["psnr"]) > 20
    figures = {path.name for path in (results / "figures").iterdir()}
    assert {"rd_aviris.png", "rd_hyperion.png"} <= figures
    lock = json.loads((checkout.folder / "paper.lock.json").read_text())
    assert set(offered) <= set(lock)
