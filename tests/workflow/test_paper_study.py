"""The paper's study from a page to its figures, at tiny scale, against a server on 127.0.0.1: nothing by hand.

`config.yaml` as it is, but for the address of its pages, how many models and rates there are, and which bands are seen.
The archives are laid out like the authors'; the scenes are crops of a real one, the models were made by their script.
Pages of every shape end in the same prepared scenes and the same models, all that figures are made from; two of them
go on to the figures.
"""

import bz2
import csv
import json
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bandpress import read_scene, write_scene
from bandpress.scene import Scene
from loopback import Loopback, certificate, tarred, zipped
from places import CONFORMANCE, ROOT

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.long,
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


def headings_above_links_without_names(
    site: Loopback, sets: Mapping[str, Files], models: Mapping[str, Files]
) -> list[str]:
    """A heading a set and a heading a model; below it links that say "Download", one tar.gz a scene or a model."""
    body = "<h1>Data</h1>"
    for number, (name, files) in enumerate(sets.items()):
        body += f"<h2>{name.replace('_', ' ')}</h2><p>16 bits."
        for part, (file, content) in enumerate(files.items()):
            site.offer(f"d/{number}-{part}.tar.gz", tarred({file: content}))
            body += f' <a href="d/{number}-{part}.tar.gz">Download</a>'
        body += "</p>"
    for number, (name, files) in enumerate(models.items()):
        site.offer(f"m/{number}.tar.gz", tarred({f"{name}/{file}": c for file, c in files.items()}))
        body += f'<h2>{name}</h2><p><a href="m/{number}.tar.gz">Download</a></p>'
    return [site.page("datasets.php", body)]


def a_table_of_absolute_links_with_spaces(
    site: Loopback, sets: Mapping[str, Files], models: Mapping[str, Files]
) -> list[str]:
    """A row a set; absolute links with spaces, percent-encoded or not; a page that has moved, an archive that has."""
    rows = ""
    for number, (name, files) in enumerate(sets.items()):
        site.offer(
            f"my%20data/{name}%20(2023).zip", zipped({f"{name}/{file}": c for file, c in files.items()})
        )
        space = ("%20", " ")[number % 2]
        link = f"{site.address}/my{space}data/{name}{space}(2023).zip"
        rows += f'<tr><td>{name}</td><td>16 bits</td><td><a href="{link}">zip</a></td></tr>'
    packed = {f"models/{name}/{file}": c for name, files in models.items() for file, c in files.items()}
    site.redirect("models.tar.gz", site.offer("new/all.tar.gz", tarred(packed)))
    rows += f'<tr><td>Models</td><td></td><td><a href="{site.address}/models.tar.gz">tar.gz</a></td></tr>'
    return [site.redirect("datasets.php", site.page("new/datasets.html", f"<table>{rows}</table>"))]


Shape = Callable[[Loopback, Mapping[str, Files], Mapping[str, Files]], list[str]]
SHAPES: tuple[Shape, ...] = (
    a_list_of_archives,
    headings_with_a_file_a_scene_and_a_page_of_models,
    one_archive_of_everything,
    headings_above_links_without_names,
    a_table_of_absolute_links_with_spaces,
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


def bring(checkout, sets, study, data, **env):
    """Run the study as far as its prepared scenes and its models."""
    targets = [
        f"results/paper/scenes/{name}/{file.partition('.')[0]}"
        for name, files in sets.items()
        for file in files
    ]
    targets += [f"results/paper/models/{family}.json" for family in study["models"]]
    return checkout.run(*targets, BANDPRESS_DATA=str(data), **env)


def assert_all_is_there(checkout, sets, models, study):
    """Every scene was prepared, and every model brought, byte by byte as its authors offer it."""
    for name, files in sets.items():
        record = json.loads((checkout.folder / f"results/paper/datasets/{name}.json").read_text())
        assert sorted(record["scenes"]) == sorted(file.partition(".")[0] for file in files)
        for file, content in files.items():
            folder = checkout.folder / f"results/paper/scenes/{name}" / file.partition(".")[0]
            assert (folder / file).read_bytes() == content
    for name, family in study["models"].items():
        record = json.loads((checkout.folder / f"results/paper/models/{name}.json").read_text())
        assert [Path(path).name for path in record["members"]] == family["members"]
        for member in record["members"]:
            folder = checkout.folder / member
            found = {
                p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
            }
            assert found == models[folder.name]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_pages_of_any_shape_end_in_the_same_scenes_and_models(shape, sets, models, checkout, tmp_path):
    with Loopback() as site:
        study = write_study(checkout, shape(site, sets, models))
        done = bring(checkout, sets, study, tmp_path / "data")
    assert done.returncode == 0, done.stdout[-6000:]
    assert_all_is_there(checkout, sets, models, study)


def test_a_page_that_leads_from_http_to_https_is_followed(sets, models, checkout, tmp_path):
    pem = certificate(tmp_path)
    if pem is None:
        pytest.skip("openssl is not on this machine")
    with Loopback(pem) as secure, Loopback() as site:
        (page,) = a_list_of_archives(secure, sets, models)
        study = write_study(checkout, [site.redirect("datasets.php", page)])
        done = bring(checkout, sets, study, tmp_path / "data", REQUESTS_CA_BUNDLE=f"{pem}.crt")
    assert done.returncode == 0, done.stdout[-6000:]
    assert_all_is_there(checkout, sets, models, study)


def test_a_study_goes_on_after_every_failure_of_a_page(sets, models, checkout, tmp_path):
    data = tmp_path / "data"
    with Loopback() as site:
        study = write_study(checkout, a_list_of_archives(site, sets, models))
        archive = site.files["/Hyperion_test.zip"]

        def fails(*words):
            done = bring(checkout, sets, study, data)
            assert done.returncode != 0
            for word in words:
                assert word in done.stdout, done.stdout[-6000:]
            assert "Traceback" not in done.stdout
            assert not [path for path in (data / "Hyperion_test").glob("*") if not path.name.startswith(".")]

        site.page("Hyperion_test.zip", '<form action="login.php"><input type="password" name="p"></form>')
        fails("Hyperion_test.zip", "web page")
        site.offer("Hyperion_test.zip", archive)
        site.misbehave("Hyperion_test.zip", *[403] * 20)
        fails("Hyperion_test.zip", "403")
        site.misbehave("Hyperion_test.zip", None, *["truncate"] * 20)
        fails("Hyperion_test.zip")
        site.plans.clear()
        done = bring(checkout, sets, study, data)
        assert done.returncode == 0, done.stdout[-6000:]
        wholly = Counter(path for path, wanted in site.requests if wanted is None)
        assert site.requests[-1][1] is not None, "only the rest was asked for"
        assert wholly["/AVIRIS_test.zip"] <= 2, "a probe, and once"
    assert_all_is_there(checkout, sets, models, study)


def test_a_page_that_changed_since_gives_the_same_files_or_none(sets, models, checkout, tmp_path):
    with Loopback() as site:
        study = write_study(checkout, a_list_of_archives(site, sets, models))
        assert bring(checkout, sets, study, tmp_path / "a").returncode == 0
        for name in [*sets, "models"]:
            for path in [path for path in site.files if path.startswith(f"/{name}.")]:
                site.offer(f"2024{path}", site.files.pop(path))
        moved = site.files["/datasets.php"].replace(b'href="', b'href="2024/')
        site.offer("datasets.php", moved, "text/html")
        shutil.rmtree(checkout.folder / "results/paper")
        done = bring(checkout, sets, study, tmp_path / "b")
        assert done.returncode == 0, done.stdout[-6000:]
        assert_all_is_there(checkout, sets, models, study)
        site.offer("2024/Hyperion_test.zip", zipped({"Hyperion_test/other.raw": b"other"}))
        shutil.rmtree(checkout.folder / "results/paper")
        done = bring(checkout, sets, study, tmp_path / "c")
        assert done.returncode != 0
        assert "SHA-256" in done.stdout


FIGURES = (headings_with_a_file_a_scene_and_a_page_of_models, headings_above_links_without_names)


@pytest.mark.parametrize("shape", FIGURES, ids=lambda shape: shape.__name__)
def test_the_papers_study_runs_from_its_page_to_its_figures(shape, sets, models, checkout, tmp_path):
    with Loopback() as site:
        study = write_study(checkout, shape(site, sets, models))
        for path in list(site.files):
            if path.endswith((".zip", ".bzip2", ".tar.gz")):
                site.misbehave(path[1:], 503, None, "truncate")
        done = checkout.run(timeout=3000, BANDPRESS_DATA=str(tmp_path / "data"))
        assert done.returncode == 0, done.stdout[-6000:]
        offered = [
            f"{site.address}{path}" for path in site.files if path.endswith((".zip", ".bzip2", ".tar.gz"))
        ]
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
