"""Integers for coefficients: what is cheap enough, never far off."""

import numpy as np
import pytest

from bandpress.contexts import store as context_store
from bandpress.contexts.features import energies, walk
from bandpress.contexts.model import MOST, class_of
from bandpress.contexts.quantisation import WORTH, dead_zone, first_energies, part_of, quantise, restored
from golden_contexts import MODEL


@pytest.fixture(scope="module")
def model():
    return context_store.load(MODEL)


def laplacian(shape, scale=2.0, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.laplace(0, scale, shape) * np.linspace(2, 0.2, shape[1])[:, None, None]).astype(np.float32)


def test_a_magnitude_is_that_of_the_nearest_integer_or_less(model):
    values = laplacian((3, 4, 21, 30))
    coded = quantise(model, values)
    nearest = np.floor(np.abs(values) + 0.5)
    alive = coded.energy[:, :, None, None] > 0
    assert (coded.magnitudes <= nearest).all()
    assert ((coded.magnitudes >= nearest - 1) | (coded.magnitudes == 0)).all()
    assert not (coded.magnitudes * ~alive).any()
    assert np.array_equal(coded.negative, values < 0)


def test_tables_are_those_that_the_decoder_will_choose(model):
    coded = quantise(model, laplacian((2, 3, 18, 25)))
    for step in walk(coded.energy, 18, 25):
        assert np.array_equal(model.indexes(step.varying, step.shared), part_of(coded.tables, step))
        step.magnitudes[...] = part_of(coded.magnitudes, step)


def cost(model, values, coded):
    """Bits, and what the squared error is worth in bits."""
    total = 0.0
    for step in walk(coded.energy, *values.shape[2:]):
        magnitudes = part_of(coded.magnitudes, step)
        tables = model.indexes(step.varying, step.shared)
        total += model.bits[tables, class_of(magnitudes)].sum()
        step.magnitudes[...] = magnitudes
    error = sum(np.square(restored(model, coded, c) - values[:, c]).sum() for c in range(values.shape[1]))
    return total + WORTH * error


def test_it_costs_less_than_rounding(model):
    values = laplacian((2, 3, 40, 40), 1.0)
    searched = quantise(model, values)
    rounded = quantise(model, values, worth=1e9)  # only the error counts
    assert cost(model, values, searched) < cost(model, values, rounded)


def test_components_that_are_not_worth_their_bits_are_left_out():
    values = np.full((1, 4, 16, 16), 0.3, np.float32)
    values[0, 1] = 40
    values[0, 2, 3, 3] = 0.7
    values[0, 3, 3, 3] = 30
    assert (first_energies(values) > 0).tolist() == [[False, True, False, True]]


def test_extremes_are_bounded(model):
    values = np.full((1, 2, 5, 6), 1e9, np.float32)
    values[0, 1] = -1e9
    coded = quantise(model, values)
    assert coded.magnitudes.max() <= MOST
    assert np.isfinite(restored(model, coded, 0)).all()
    assert dead_zone(np.array([0.0, 0.6, 0.7, 1e12])).tolist() == [0, 0, 1, MOST]


def test_nothing_is_coded_of_nothing(model):
    coded = quantise(model, np.zeros((2, 3, 8, 9), np.float32))
    assert not coded.energy.any()
    assert not coded.magnitudes.any()
    assert not energies(coded.magnitudes).any()
