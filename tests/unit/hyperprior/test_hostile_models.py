"""A network may come from anybody: what does not fit is refused when it is loaded, before TensorFlow sees it."""

import hashlib
import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import golden
from bandpress.errors import ModelError
from bandpress.hyperprior import store
from bandpress.model_folders import CARD, TABLES

ODD = [
    None,
    True,
    -1,
    0,
    10**400,
    1e308,
    "x",
    "1",
    [],
    {},
    [2, 1],
    [[]],
    {"a": 1},
    "\ud800",
    float("nan"),
    float("inf"),
]


def forged(tmp_path, change=lambda card: None, tables=lambda arrays: None, weights=lambda arrays: None):
    """Copy a model, change it, and make its hashes right again."""
    path = tmp_path / "model"
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(golden.MODELS["gains"], path)
    card = json.loads((path / CARD).read_text())
    for name, alter in ((TABLES, tables), (store.WEIGHTS, weights)):
        arrays = load_file(path / name)
        alter(arrays)
        save_file(arrays, path / name)
        card["files"][name] = hashlib.sha256((path / name).read_bytes()).hexdigest()
    change(card)
    (path / CARD).write_text(json.dumps(card))
    return path


def test_a_copy_loads(tmp_path):
    store.load(forged(tmp_path))


def put(name, value):
    return lambda arrays: arrays.update({name: value})


TABLES_AT_FAULT = {
    "no table of hyper-latents": lambda arrays: arrays.pop("z/cdf"),
    "empty": put("z/cdf", np.zeros(0, np.int32)),
    "no offsets": put("y/offset", np.zeros(0, np.int32)),
    "one offset, not a list": put("y/offset", np.array(3, np.int32)),
    "another type": put("y/offset", np.zeros(24, np.float32)),
    "farther than a table may start": put("y/offset", np.full(24, -(1 << 31), np.int32)),
    "no mark of precision": lambda arrays: arrays["y/cdf"].__setitem__(0, 5),
    "more bits than the coder has": lambda arrays: arrays["y/cdf"].__setitem__(0, -30),
    "falling": lambda arrays: arrays["y/cdf"].__setitem__(2, 70000),
    "an interval of nothing": lambda arrays: arrays["z/cdf"].__setitem__(2, 0),
    "a table too few": lambda arrays: arrays.update({"z/cdf": arrays["z/cdf"][:5]}),
}


@pytest.mark.parametrize("fault", TABLES_AT_FAULT)
def test_coding_tables_are_checked(tmp_path, fault):
    with pytest.raises(ModelError, match="tables: "):
        store.load(forged(tmp_path, tables=TABLES_AT_FAULT[fault]))


@pytest.mark.parametrize("value", [0.0, -1.0, np.inf, np.nan, 1e30, 1e-30])
def test_gains_are_ordinary_numbers(tmp_path, value):
    def alter(arrays):
        arrays["gains/y"] = np.full_like(arrays["gains/y"], value)

    with pytest.raises(ModelError, match="weights: gains/y"):
        store.load(forged(tmp_path, weights=alter))


@pytest.mark.parametrize("value", ODD, ids=lambda value: ascii(value)[:20])
@pytest.mark.parametrize("key", ["lambda", "reference_range"])
def test_numbers_of_a_card_are_checked(tmp_path, key, value):
    path = forged(tmp_path, lambda card: card["training"].update({key: value}))
    if value is None:
        store.load(path)
        return
    with pytest.raises(ModelError, match=f"card: {key} is ") as caught:
        store.load(path)
    assert len(str(caught.value)) < 400


def test_odd_values_anywhere_in_a_card_load_or_are_refused(tmp_path):
    loaded = refused = 0
    original = json.loads((golden.MODELS["gains"] / CARD).read_text())
    places = [(key,) for key in original]
    places += [(key, inner) for key in original if isinstance(original[key], dict) for inner in original[key]]
    for place in places:
        for value in ODD:

            def change(card, place=place, value=value):
                for key in place[:-1]:
                    card = card[key]
                card[place[-1]] = value

            try:
                store.load(forged(tmp_path, change))
                loaded += 1
            except ModelError as error:
                refused += str(error).startswith(str(tmp_path))
    assert loaded > 0
    assert refused == len(places) * len(ODD) - loaded
