"""The public studies on stand-ins for their archives, from addresses to figures: nothing by hand.

At tiny scale with every codec; at full size, where BANDPRESS_FULL_SIZE gives the rates, with `CARRIED`:

    BANDPRESS_FULL_SIZE=0.3 envs/run workflow python -m pytest -s tests/workflow/test_public_study.py -k full_size
"""

import csv
import math
import os
from collections.abc import Sequence
from typing import Any

import pytest
from ruamel.yaml import YAML

from loopback import Loopback
from places import ROOT
from public_archives import HYRANK, HYRANK_SIZES, offer_all, on_loopback

pytestmark = pytest.mark.workflow

BANDS, LINES, SAMPLES = 14, 36, 44


def shrink(study: dict[str, Any], codecs: Sequence[str] | None = None) -> None:
    """Make a study small: one scene a set of a few pixels, networks of seconds, one point a codec."""
    for dataset in study["datasets"].values():
        name, scene = next(iter(dataset["scenes"].items()))
        scene |= (
            {"window": [LINES, SAMPLES]}
            if "window" in scene
            else {"lines": f"1-{LINES}", "samples": f"1-{SAMPLES}"}
        )
        dataset["scenes"] = {name: scene}
        if isinstance(dataset["source"].get("url"), list):  # the others hold no scene that is left
            dataset["source"]["url"] = dataset["source"]["url"][:1]
    for family in study["models"].values():
        family["steps"] = 5
        if family["source"] == "contexts":
            family["hidden"] = 8
        else:
            family |= {
                "filters": [8, 12],
                "hyper": 8,
                "patch": 16,
                "batch": 2,
                "lambdas": family["lambdas"][:2],
            }
    study["codecs"] = {
        name: entry for name, entry in study["codecs"].items() if codecs is None or name in codecs
    }
    for entry in study["codecs"].values():
        for key, kept in (("qualities", [1]), ("rates", [2.0]), ("max_errors", [2])):
            if key in entry:
                entry[key] = kept
    study["figures"]["rate"] = 2.0
    for shown in study["figures"]["false_colour"].values():
        points = {
            name: "q1" if "qualities" in study["codecs"].get(name, {}) else "r2" for name in shown["points"]
        }
        shown |= {
            "bands": [6, 4, 2],
            "points": {name: points[name] for name in points if name in study["codecs"]},
        }


def run(checkout, name, tmp_path, targets=(), codecs=None, timeout=3000):
    """Run a study on stand-ins; return the rows of its rd.csv."""
    with Loopback() as site:
        study = on_loopback(ROOT / f"studies/{name}.yaml", site)
        shrink(study, codecs)
        sizes = {place: (LINES + 4 + i, SAMPLES + 6 + i) for i, place in enumerate(HYRANK)}
        offer_all(study, site, BANDS, (LINES + 30, SAMPLES + 30), BANDS - 2, sizes, (LINES + 1, SAMPLES + 1))
        checkout.study = f"{name}.yaml"
        with open(checkout.folder / checkout.study, "w") as file:
            YAML().dump(study, file)
        done = checkout.run(*targets, timeout=timeout, BANDPRESS_DATA=str(tmp_path / "data"))
        assert done.returncode == 0, done.stdout[-6000:]
    results = checkout.folder / "results" / name
    with open(results / "rd.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    tests = {
        key: next(iter(entry["scenes"]))
        for key, entry in study["datasets"].items()
        if entry["role"] == "test"
    }
    assert {(row["dataset"], row["scene"]) for row in rows} == set(tests.items())
    assert {row["codec"] for row in rows} == set(study["codecs"])
    for row in rows:
        assert int(row["bytes"]) == (checkout.folder / row["file"]).stat().st_size
    return rows


@pytest.mark.slow
def test_the_baselines_of_the_small_study_run_from_addresses_to_numbers(checkout, tmp_path):
    rows = run(checkout, "public-small", tmp_path, ("results/public-small/rd.csv",), ("jpeg2000", "rklt-k3"))
    assert all(float(row["psnr"]) > 30 for row in rows)


@pytest.mark.long
@pytest.mark.parametrize("name", ["public-small", "public"])
def test_the_whole_study_runs_from_addresses_to_figures(name, checkout, tmp_path):
    run(checkout, name, tmp_path)
    figures = {path.name for path in (checkout.folder / f"results/{name}/figures").iterdir()}
    assert {"rd_aviris.png", "rd_hyperion.png"} <= figures
    assert (checkout.folder / f"results/{name}/tables/claims.csv").is_file()


#: One codec of each kind and cluster size. `rklt-k1` is left out: `jpeg2000` plus the mean of each band.
CARRIED = (
    *("wavelet-k1", "wavelet-k3", "wavelet-all", "predicted-learned-k3"),
    *("jpeg2000", "rklt-k3", "rklt-all"),
    *("bounded", "ccsds123", "rklt-all-lossless"),
)

#: Columns of rd.csv and their digits in the table of full size.
MEASURED = {"bps": 4, "psnr": 2, "encode_cpu_s": 1, "decode_cpu_s": 1, "peak_memory_mb": 0}


def full_size(site: Loopback, rates: Sequence[float], codecs: Sequence[str]) -> dict[str, Any]:
    """The public study with one window of 512 x 680 x 224 and Dioni, 250 x 1,376 x 176, on a server; kept models."""
    study = on_loopback(ROOT / "studies/public.yaml", site)
    del study["datasets"]["Salinas_test"]
    for name, scene in (("AVIRIS_test", "f080806"), ("Hyperion_test", "dioni")):
        study["datasets"][name]["scenes"] = {scene: study["datasets"][name]["scenes"][scene]}
    source = study["datasets"]["AVIRIS_test"]["source"]
    source["url"] = source["url"][:1]
    study["models"] = {"contexts": {**study["models"]["contexts"], "kept": "models/contexts"}}
    study["codecs"] = {name: study["codecs"][name] for name in codecs}
    for entry in study["codecs"].values():
        entry.pop("max_errors", None)
        if "rates" in entry:
            entry["rates"] = list(rates)
    study["figures"] = {"reference": "rklt-k3", "rate": rates[0]}
    tests = {name: entry for name, entry in study["datasets"].items() if entry["role"] == "test"}
    offer_all({"datasets": tests}, site, 224, (640, 740), 176, {"Dioni": HYRANK_SIZES["Dioni"]}, (1, 1))
    return study


@pytest.mark.long
@pytest.mark.skipif(
    "BANDPRESS_FULL_SIZE" not in os.environ, reason="BANDPRESS_FULL_SIZE is not set: takes an hour"
)
def test_scenes_of_full_size_are_coded_by_all_codecs_but_networks(checkout, tmp_path):
    """BANDPRESS_FULL_SIZE is the rates, for example 0.3,1; BANDPRESS_FULL_SIZE_CODECS other codecs than `CARRIED`.

    Prints a table of what each codec took (pytest -s).
    """
    rates = [float(rate) for rate in os.environ["BANDPRESS_FULL_SIZE"].split(",")]
    codecs = os.environ.get("BANDPRESS_FULL_SIZE_CODECS", ",".join(CARRIED)).split(",")
    data = tmp_path / "data"
    results = checkout.folder / "results/public"
    checkout.study = "public.yaml"
    with Loopback() as site:
        with open(checkout.folder / checkout.study, "w") as file:
            YAML().dump(full_size(site, rates, codecs), file)
        done = checkout.run("results/public/rd.csv", timeout=40_000, BANDPRESS_DATA=str(data))
        assert done.returncode == 0, done.stdout[-6000:]
    with open(results / "rd.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    print(
        "\n| scene | codec | point | bps | PSNR (dB) | encode (CPU s) | decode (CPU s) | peak memory (MB) |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        measured = (f"{float(row[key]):.{digits}f}" for key, digits in MEASURED.items())
        print("|", " | ".join((row["scene"], row["codec"], row["point"], *measured)), "|", flush=True)
    assert {(row["scene"], row["codec"]) for row in rows} == {
        (s, c) for s in ("f080806", "dioni") for c in codecs
    }
    for row in rows:
        assert int(row["bytes"]) == (checkout.folder / row["file"]).stat().st_size
        if row["point"] == "lossless":
            assert float(row["psnr"]) == math.inf
        else:
            assert float(row["bps"]) == pytest.approx(float(row["point"][1:]), rel=0.05)
    done = checkout.run(timeout=40_000, BANDPRESS_DATA=str(data))  # the server is gone: all is here
    assert done.returncode == 0, done.stdout[-6000:]
    for path in sorted((results / "benchmarks").rglob("*.tsv")):
        with open(path, newline="") as file:
            (took,) = csv.DictReader(file, delimiter="\t")
        print(path.relative_to(results / "benchmarks"), took["cpu_time"], "CPU s", took["max_rss"], "MB")
    for folder in (data, results):
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(folder.name, size / 1e9, "GB")
