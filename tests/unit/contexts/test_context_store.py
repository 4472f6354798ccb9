"""Context models on disk."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from bandpress import model_folders
from bandpress.cli import cli
from bandpress.contexts import store as context_store
from bandpress.errors import ModelError
from bandpress.hyperprior import store
from context_models import random_model
from golden import MODELS
from golden_contexts import MODEL


def test_a_written_model_is_read_back(tmp_path):
    model = random_model()
    saved = context_store.save(tmp_path / "m", model)
    read = context_store.load(tmp_path / "m")
    assert read.digest == saved.digest == model_folders.digest_of(tmp_path / "m")
    assert all(np.array_equal(a, read.tables()[name]) for name, a in model.tables().items())
    assert context_store.is_context_model(tmp_path / "m")
    assert not context_store.is_context_model(MODELS["plain"])
    with pytest.raises(ModelError, match="exists already"):
        context_store.save(tmp_path / "m", model)


def test_it_is_found_by_its_digest_and_by_no_other(tmp_path):
    saved = context_store.save(tmp_path / "models/m", random_model())
    other = context_store.save(tmp_path / "models/n", random_model(1))
    assert context_store.find(other.digest, tmp_path / "models").path == other.path
    with pytest.raises(ModelError, match=f"expected {other.digest}"):
        context_store.find(other.digest, saved.path)


@pytest.mark.parametrize("name", ["model.json", "tables.safetensors"])
def test_a_damaged_model_is_refused(tmp_path, name):
    folder = context_store.copy(context_store.load(MODEL), tmp_path / "m").path
    file = folder / name
    data = bytearray(file.read_bytes())
    for place in (0, len(data) // 2, len(data) - 3):
        spoilt = bytearray(data)
        spoilt[place] ^= 0x55
        file.write_bytes(spoilt)
        with pytest.raises(ModelError, match=str(folder)):
            context_store.load(folder)
    file.unlink()
    with pytest.raises(ModelError):
        context_store.load(folder)


def test_a_network_is_no_context_model_and_the_other_way_round(tmp_path):
    with pytest.raises(ModelError, match="expected 'bandpress-contexts'"):
        context_store.load(MODELS["plain"])
    with pytest.raises(ModelError, match="expected 'bandpress-model'"):
        store.load(MODEL)


def test_a_model_of_other_features_is_refused(tmp_path):
    folder = context_store.copy(context_store.load(MODEL), tmp_path / "m").path
    tables = context_store.load(MODEL).tables()
    tables["0/kernel"] = tables["0/kernel"][:-1]
    card = json.loads((folder / "model.json").read_text())
    model_folders.write_folder(tmp_path / "n", {"format": card["format"]}, {model_folders.TABLES: tables})
    with pytest.raises(ModelError, match="0/kernel has type"):
        context_store.load(tmp_path / "n")


def test_it_is_listed_and_copied_from_the_command_line(tmp_path):
    listed = CliRunner().invoke(cli, ["models", "list", str(MODEL)])
    assert "contexts" in listed.output
    copied = CliRunner().invoke(cli, ["models", "copy", str(MODEL), str(tmp_path / "m")])
    assert copied.exit_code == 0
    assert context_store.load(tmp_path / "m").digest == context_store.load(MODEL).digest
    refused = CliRunner().invoke(cli, ["models", "copy", "--half", str(MODEL), str(tmp_path / "n")])
    assert "without --half" in str(refused.exception)
