"""The network of contexts computes with integers, exactly, or is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandpress.contexts.features import SHARED, VARYING
from bandpress.contexts.model import (
    CLASSES,
    FRACTION,
    LARGEST,
    LAST,
    LOWEST,
    MOST,
    PLAIN_BITS,
    SHAPED,
    SHIFT,
    ContextModel,
    class_of,
)
from bandpress.errors import ModelError
from context_models import random_model


def in_integers(model, varying, shared):
    """The same with Python's integers, however long they get."""
    found = []
    for row in varying.reshape(-1, VARYING):
        values = [int(v) for v in (*row, *shared)]
        for number, (weight, bias) in enumerate(zip(model.weights, model.biases, strict=True)):
            sums = [
                sum(v * int(w) for v, w in zip(values, column, strict=True)) + int(b)
                for column, b in zip(weight.T, bias, strict=True)
            ]
            last = number == len(model.weights) - 1
            values = sums if last else [min(max(s >> SHIFT, 0), LARGEST) for s in sums]
        found.append(min(max(values[0] >> (SHIFT + FRACTION), 0), len(model.frequencies) - 1))
    return np.array(found).reshape(varying.shape[:-1])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.3, 3.0, 300.0]), st.sampled_from([200, 32767]))
def test_floating_point_gives_what_integers_give(seed, scale, largest):
    model = random_model(seed, scale=scale)
    rng = np.random.default_rng(seed)
    varying = rng.integers(-largest - 1, largest + 1, (2, 3, 4, VARYING)).astype(np.int16)
    shared = rng.integers(-largest - 1, largest + 1, SHARED).astype(np.int16)
    assert np.array_equal(model.indexes(varying, shared), in_integers(model, varying, shared))


def test_many_rows_give_what_few_give():
    model = random_model()
    rng = np.random.default_rng(0)
    varying = rng.integers(0, 300, (1, 400, 500, VARYING)).astype(np.int16)
    shared = rng.integers(0, 16, SHARED).astype(np.int16)
    whole = model.indexes(varying, shared)
    assert len(np.unique(whole)) > 3
    for line in (0, 17, 399):
        assert np.array_equal(model.indexes(varying[:, line : line + 1], shared), whole[:, line : line + 1])


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


def test_where_a_coefficient_is_expected():
    model = random_model()
    magnitudes = np.array([0, 1, 2, SHAPED, 500])
    found = model.expected(magnitudes, np.full(5, 3))
    assert found[0] == 0
    assert np.array_equal(found[1:], magnitudes[1:] - model.offsets[3, [0, 1, -1, -1]] / 256)


def changed(**parts):
    model = random_model()
    known = {key: getattr(model, key) for key in ("weights", "biases", "frequencies", "offsets")}
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
        ({"weights": lambda w: (w[0], put((0, 0), 1 << 40)(w[1]), w[2])}, "sums reach"),
        ({"biases": lambda b: (b[0], put(0, 1 << 60)(b[1]), b[2])}, "sums reach"),
        ({"weights": lambda w: (w[0][:-1], w[1], w[2])}, "layer 0 has shape"),
        ({"weights": lambda w: (w[0], w[1].astype(float), w[2])}, "expected integers"),
        ({"frequencies": put((0, 0), 0)}, "positive"),
        ({"frequencies": lambda f: f + 1}, "with a sum of 65536"),
        ({"frequencies": lambda f: f[:, :-1]}, "frequencies of shape"),
        ({"offsets": put((0, 0), 300)}, "at most 256"),
        ({"offsets": lambda o: o[:-1]}, "offsets of shape"),
    ],
)
def test_what_could_be_inexact_or_does_not_fit_is_refused(parts, message):
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
        with pytest.raises(ModelError, match=f"{name} is missing"):
            ContextModel.of_tables({key: value for key, value in model.tables().items() if key != name})
