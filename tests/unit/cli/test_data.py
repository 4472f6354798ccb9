"""bandpress data: what a study needs, fetched and checked without running it."""

import json

import pytest
from ruamel.yaml import YAML

from command_line import status

pytest.importorskip("pooch")

from loopback import Loopback
from places import ROOT
from public_archives import HYRANK, offer_all, on_loopback

SIZES = {place: (30 + i, 40 + i) for i, place in enumerate(HYRANK)}


@pytest.fixture
def study(tmp_path, monkeypatch):
    """studies/public-small.yaml on a server of our own, in a working directory of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BANDPRESS_DATA", str(tmp_path / "data"))
    with Loopback() as site:
        raw = on_loopback(ROOT / "studies/public-small.yaml", site)
        offer_all(raw, site, bands=9, line=(100, 64), hyperion_bands=7, sizes=SIZES, small=(40, 50))
        for dataset in raw["datasets"].values():
            for scene in dataset["scenes"].values():
                scene |= {"window": [24, 40]} if "window" in scene else {"lines": "1-20", "samples": "1-30"}
        with open("s.yaml", "w") as file:
            YAML().dump(raw, file)
        yield site


def test_a_study_is_listed_fetched_and_checked(study, capsys):
    assert status("data", "list", "--study", "s.yaml") == 0
    said = capsys.readouterr().out
    assert said.count("missing: a run or bandpress data fetch downloads it") == 5
    assert "popo.jpl.nasa.gov/avcl/y08_data/f080806t01p00r07.tar.gz" in said
    assert "CC BY 4.0" in said
    assert not study.requests, "no connection is opened"
    assert status("data", "check", "--study", "s.yaml") == 1
    assert "5 data sets or models are missing" in capsys.readouterr().err
    assert status("data", "list", "--ask", "--study", "s.yaml") == 0
    assert capsys.readouterr().out.count("  offered  ") == 5
    assert status("data", "fetch", "AVIRIS_test", "Hyperion_test", "--study", "s.yaml") == 0
    assert "AVIRIS_test: 1 scenes in" in capsys.readouterr().out
    assert status("data", "check", "--study", "s.yaml") == 1
    said = capsys.readouterr()
    assert "f080806 9 x 24 x 40 int16" in said.out
    assert "dioni 7 x 20 x 30 int16" in said.out
    assert said.err.count("missing") == 4
    assert status("data", "fetch", "AVIRIS_train", "Salinas_test", "Hyperion_train", "--study", "s.yaml") == 0
    asked = len(study.requests)
    assert status("data", "check", "--study", "s.yaml") == 0
    assert len(study.requests) == asked, "nothing is downloaded"


def test_check_names_what_is_wrong(study, capsys, tmp_path):
    status("data", "fetch", "Salinas_test", "--study", "s.yaml")
    (tmp_path / "data/Salinas_test/Salinas.mat").write_bytes(b"damaged")
    capsys.readouterr()
    assert status("data", "check", "--study", "s.yaml") == 1
    assert "Salinas_test: " in (said := capsys.readouterr().err)
    assert "SHA-256" in said
    assert json.loads((tmp_path / "s.lock.json").read_text())


def test_fetch_wants_names_that_the_study_has_and_consent(study, capsys, monkeypatch):
    assert status("data", "fetch", "nothing", "--study", "s.yaml") == 2
    assert "expected one of AVIRIS_train" in capsys.readouterr().err
    monkeypatch.setattr("bandpress.cli.data.MOST", 1000)
    assert status("data", "fetch", "Salinas_test", "--study", "s.yaml") == 1
    assert "--yes with bandpress data fetch" in capsys.readouterr().err
    assert status("data", "fetch", "Salinas_test", "--yes", "--study", "s.yaml") == 0


def test_ask_says_what_a_server_answers(study, capsys):
    study.misbehave("zenodo.org/records/15771735/files/Salinas.mat", 403)
    assert status("data", "list", "--ask", "--study", "s.yaml") == 0
    assert "Salinas.mat?download=1: HTTP status 403" in capsys.readouterr().out
