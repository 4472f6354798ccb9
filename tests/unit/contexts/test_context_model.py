"""The network of contexts computes with integers, exactly, or is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandpress.contexts.classes import CLASSES, LOWEST, PLAIN_BITS, class_of
from bandpress.contexts.features import LOCAL, MOST_FEATURES
from bandpress.contexts.integers import blank
from bandpress.contexts.kernels.constants import LAST, MOST
from bandpress.contexts.model import EXACT, LARGEST, ContextModel
from bandpress.errors import ModelError
from context_models import random_model


def in_integers(model, features):
    """The same with Python's integers, however long they get."""
    found = []
    for row in features:
        values = [int(v) for v in row]
        for number, (weight, bias) in enumerate(zip(model.weights, model.biases, strict=True)):
            most = len(model.frequencies) - 1 if number == 2 else LARGEST
            sums = [
                sum(v * int(w) for v, w in zip(values, column, strict=True)) + int(b)
                for column, b in zip(weight.T, bias, strict=True)
            ]
            values = [min(max(s >> int(model.shifts[number]), 0), most) for s in sums]
        found.append(values[0])
    return np.array(found)


def in_float32(model, features):
    """The same with the arrays that kernels take, summed in another order."""
    compiled = model.compiled
    values = features[:, :LOCAL].astype(np.float32)
    known = features[:, LOCAL:].astype(np.float32) @ compiled.common
    for layer in range(3):
        weight = compiled.weights[layer, :, : values.shape[1]]
        sums = values[:, ::-1] @ weight[:, ::-1].T + compiled.biases[layer] + (known if layer == 0 else 0)
        values = np.clip(np.floor(sums * compiled.scales[layer]), 0, compiled.most[layer])
    return values[:, 0]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.3, 3.0, 30.0]), st.sampled_from([1, 7, 40]))
def test_floating_point_gives_what_integers_give(seed, scale, hidden):
    model = random_model(seed, hidden, scale=scale)
    rng = np.random.default_rng(seed)
    features = rng.integers(0, MOST_FEATURES + 1, (24, len(MOST_FEATURES)))
    features[0], features[1] = MOST_FEATURES, 0
    expected = in_integers(model, features)
    assert np.array_equal(model.indexes(features), expected)
    assert np.array_equal(in_float32(model, features), expected)


def test_weights_are_as_fine_as_exact_sums_allow():
    for scale in (0.01, 1.0, 100.0):
        model = random_model(scale=scale)
        finer = [2 * np.abs(w).max() * MOST_FEATURES.max() > EXACT // 64 for w in model.weights[:1]]
        assert all(finer) or scale == 0.01
    with pytest.raises(ModelError, match="expected smaller ones"):
        random_model(scale=1e9)


def test_a_blank_model_knows_nothing():
    features = np.zeros((3, len(MOST_FEATURES)), int)
    features[1], features[2] = MOST_FEATURES, 1
    assert len(np.unique(blank().indexes(features))) == 1
    assert np.ptp(blank().frequencies[:, :-1]) <= 16


def test_every_magnitude_has_one_class():
    magnitudes = np.arange(LAST + 1)
    classes = class_of(magnitudes)
    assert classes[-1] == class_of(np.array([MOST]))[0] == CLASSES - 1
    rest = magnitudes - LOWEST[classes]
    assert (rest >= 0).all()
    assert (rest < 1 << PLAIN_BITS[classes]).all()
    assert len({*zip(classes.tolist(), rest.tolist(), strict=True)}) == len(magnitudes)


def test_frequencies_are_whole_and_what_is_likely_costs_little():
    model = random_model()
    assert (model.frequencies.sum(axis=1) == 1 << 16).all()
    assert model.frequencies.min() >= 1
    assert (model.bits >= 0).all()
    assert np.array_equal(
        model.frequencies.argmax(axis=1), (model.bits - PLAIN_BITS - (LOWEST > 0)).argmin(axis=1)
    )


def changed(**parts):
    model = random_model()
    names = ("weights", "biases", "shifts", "frequencies", "offsets", "signs")
    known = {key: getattr(model, key) for key in names}
    return ContextModel(**known | {key: change(known[key]) for key, change in parts.items()})


def put(place, value):
    def change(array):
        array = array.copy()
        array[place] = value
        return array

    return change


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"weights": lambda w: (w[0], put((0, 0), 1 << 40)(w[1]), w[2])}, "1/kernel holds"),
        ({"weights": lambda w: (w[0], put((0, 0), 1 << 20)(w[1]), w[2])}, "sums of layer 1 reach"),
        ({"biases": lambda b: (b[0], put(0, EXACT)(b[1]), b[2])}, "sums of layer 1 reach"),
        ({"weights": lambda w: (w[0][:-1], w[1], w[2])}, "0/kernel has type int64 and shape"),
        ({"weights": lambda w: (w[0], w[1].astype(float), w[2])}, "1/kernel has type float64"),
        ({"biases": lambda b: (b[0], b[1], np.zeros(2, int))}, "2/bias has"),
        ({"shifts": put(0, -1)}, "shifts holds"),
        ({"shifts": put(2, 24)}, "shifts holds"),
        ({"shifts": lambda s: s[:2]}, "shifts has"),
        ({"frequencies": put((0, 0), 0)}, "frequencies holds 0"),
        ({"frequencies": lambda f: f + 1}, "row 0 of frequencies has a sum of"),
        ({"frequencies": lambda f: f[:, :-1]}, "frequencies has"),
        ({"frequencies": lambda f: f[:1], "offsets": lambda o: o[:1]}, "1 tables"),
        ({"frequencies": lambda f: f.repeat(40, 0), "offsets": lambda o: o.repeat(40, 0)}, "360 tables"),
        ({"offsets": put((0, 0), 300)}, "offsets holds"),
        ({"offsets": lambda o: o[:-1]}, "offsets has"),
        ({"signs": put((0, 0), 127)}, "signs holds 127"),
        ({"signs": put((38, 11), 65409)}, "signs holds .* to 65409"),
        ({"signs": lambda s: s[:-1]}, "signs has"),
    ],
)
def test_arrays_that_could_be_inexact_or_do_not_fit_are_refused(parts, message):
    with pytest.raises(ModelError, match=message):
        changed(**parts)


def test_tables_make_the_same_model_again():
    model = random_model()
    again = ContextModel.of_tables(model.tables())
    for key in ("frequencies", "offsets"):
        assert np.array_equal(getattr(model, key), getattr(again, key))
    for key in ("weights", "biases"):
        assert all(
            np.array_equal(a, b) for a, b in zip(getattr(model, key), getattr(again, key), strict=True)
        )
    for name in model.tables():
        others = {key: value for key, value in model.tables().items() if key != name}
        with pytest.raises(ModelError, match=f"{name} is missing"):
            ContextModel.of_tables(others)
        for wrong in (np.zeros(3, np.float32), np.zeros((0, 3), np.int32), np.int32(5)):
            with pytest.raises(ModelError, match="expected"):
                ContextModel.of_tables(others | {name: np.asarray(wrong)})
