"""A study with a context model: kept, or trained."""

import json
import shutil

import pytest

from bandpress.container.bitstream import Reader
from bandpress.contexts import store as context_store
from places import ROOT

pytestmark = pytest.mark.workflow

MODEL = ROOT / "tests/data/model-contexts"
CODECS = """  wavelet-k3: {codec: wavelet-learned, model: contexts, bands_per_cluster: 3, rates: [1.0]}
  wavelet-all: {codec: wavelet-learned, model: contexts, bands_per_cluster: all, rates: [1.0, 2.0]}
"""
KEPT = "  contexts: {source: contexts, kept: kept, train_on: [train], steps: 3, hidden: 4}\n"


def with_contexts(checkout, family):
    file = checkout.folder / checkout.study
    text = file.read_text()
    text = text.replace("\ncodecs:\n", family + "\ncodecs:\n" + CODECS, 1)
    file.write_text(text)
    return checkout


def test_a_kept_model_codes(checkout):
    study = with_contexts(checkout, KEPT)
    shutil.copytree(MODEL, study.folder / "kept")
    streams = [f"results/tiny/streams/test/south/wavelet-{name}.bpk" for name in ("k3/r1", "all/r2")]
    planned = study.run("-np")
    assert planned.returncode == 0, planned.stdout
    assert "train_contexts" not in planned.stdout
    done = study.run(*streams)
    assert done.returncode == 0, done.stdout
    for path, bands_per_cluster, asked in zip(streams, (3, "all"), (1.0, 2.0), strict=True):
        with Reader(study.folder / path) as reader:
            header = reader.header
        assert header.model == context_store.load(MODEL).digest
        assert header.bands_per_cluster == bands_per_cluster
        record = json.loads((study.folder / path).with_suffix(".json").read_text())
        assert record["bps"] == pytest.approx(asked, rel=0.1)
        assert record["protocol"] == "shared"


def test_it_is_trained_where_none_is_kept_or_when_asked_for(checkout):
    study = with_contexts(checkout, KEPT)
    shutil.copytree(MODEL, study.folder / "kept")
    planned = study.run("results/tiny/models/contexts/contexts", "-np", "--config", "retrain=true")
    assert planned.returncode == 0, planned.stdout
    assert "rule train_contexts" in planned.stdout
    assert "train-contexts results/tiny/scenes/train/north --steps 3 --hidden 4 --seed 1" in " ".join(
        planned.stdout.split()
    )
