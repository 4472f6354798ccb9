"""The paper's study from its archives to its figures, at tiny scale, against a server on 127.0.0.1.

`config.yaml` as it is, but for where its sources lie, how many models and rates there are, and which bands are shown.
The archives are laid out like the authors'; the scenes are crops of a real one, the models were made by their script.
"""

from pathlib import Path

import pytest
from conftest import make_checkout
from ruamel.yaml import YAML

from bandpress import read_scene, write_scene
from bandpress.scene import Scene
from loopback import Loopback, paper_site
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


def tiny_paper_study(addresses: dict[str, str]) -> dict:
    """`config.yaml`, smaller, its pages replaced by addresses."""
    study = YAML(typ="safe").load((ROOT / "config.yaml").read_text("utf-8"))
    for name, dataset in study["datasets"].items():
        dataset["source"] = {"url": addresses[name], "unpack": True}
    for family in study["models"].values():
        family["archive"] = {"url": addresses["models"], "unpack": True}
        family["members"] = family["members"][:1]
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


def test_the_papers_study_runs_from_its_archives_to_its_figures(tmp_path):
    checkout = make_checkout(tmp_path / "checkout")
    checkout.study = "paper.yaml"
    content = {
        "AVIRIS_test": {
            **scenes(
                tmp_path, "f080806t01p00r07", bands=slice(0, 7), lines=slice(0, 40), samples=slice(0, 48)
            ),
            **scenes(
                tmp_path, "f090710t01p00r11", bands=slice(7, 14), lines=slice(40, 90), samples=slice(0, 33)
            ),
        },
        "Hyperion_test": scenes(tmp_path, "EO1H0440342002212110PY", bands=slice(10, 17), lines=slice(20, 70)),
    }
    model = {"1": CONFORMANCE / "seed_models" / "tiny_k1", "3": CONFORMANCE / "seed_models" / "tiny_k3"}
    models = {f"{s}_{k}band_1": model[k] for s in ("AVIRIS", "Hyperion") for k in model}
    with Loopback() as site:
        addresses = paper_site(site, content, models)
        site.misbehave("AVIRIS_test.zip", 503, "truncate")
        study = tiny_paper_study(addresses)
        with open(checkout.folder / checkout.study, "w") as file:
            YAML().dump(study, file)
        done = checkout.run(timeout=900, BANDPRESS_DATA=str(tmp_path / "data"))
        assert done.returncode == 0, done.stdout[-6000:]
        fetched = [path for path, _ in site.requests]
        assert fetched.count("/models.tar.gz") == 1
    results = checkout.folder / "results" / "paper"
    rows = checkout_rows(results)
    assert {(row["dataset"], row["scene"]) for row in rows} == {
        (name, file.partition(".")[0]) for name, files in content.items() for file in files
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
    lock = (checkout.folder / "paper.lock.json").read_text()
    assert all(address in lock for address in addresses.values())


def checkout_rows(results: Path) -> list[dict[str, str]]:
    """The rows of rd.csv."""
    import csv

    with open(results / "rd.csv", newline="") as file:
        return list(csv.DictReader(file))
