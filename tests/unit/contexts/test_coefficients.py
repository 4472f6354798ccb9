"""Coefficients come back from their bytes, whatever they are."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandpress.contexts import store as context_store
from bandpress.contexts.features import energies, walk
from bandpress.contexts.model import LAST, MOST, class_of
from bandpress.contexts.quantisation import Coefficients, part_of, put, quantise, restored
from bandpress.errors import BandpressError
from golden_contexts import MODEL

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def coder():
    pytest.importorskip("tensorflow", reason="needs the TensorFlow environment")
    from bandpress.contexts.coefficients import CoefficientCoder

    return CoefficientCoder(context_store.load(MODEL))


def coefficients(model, magnitudes, negative) -> Coefficients:
    """What an encoder would make of these integers, with the tables of their contexts."""
    found = Coefficients(energies(magnitudes), magnitudes, negative, np.zeros(magnitudes.shape, np.uint8))
    for step in walk(found.energy, *magnitudes.shape[2:]):
        put(found.tables, step, model.indexes(step.varying, step.shared))
        step.magnitudes[...] = part_of(magnitudes, step)
    return found


def check(coder, coded):
    strings = coder.write(coded)
    read = coder.read(strings, coded.energy, *coded.magnitudes.shape[2:])
    shown = coded.magnitudes > 0
    assert np.array_equal(read.magnitudes, coded.magnitudes)
    assert np.array_equal(read.negative & shown, coded.negative & shown)
    assert np.array_equal(read.tables, coded.tables)
    return strings


@st.composite
def cubes(draw):
    shape = (
        draw(st.integers(1, 3)),
        draw(st.integers(1, 4)),
        draw(st.integers(1, 20)),
        draw(st.integers(1, 20)),
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = draw(st.sampled_from(["sparse", "dense", "extremes", "largest", "empty"]))
    if kind == "sparse":
        magnitudes = rng.geometric(0.5, shape) * (rng.random(shape) < 0.05)
    elif kind == "dense":
        magnitudes = rng.geometric(0.02, shape)
    elif kind == "extremes":
        magnitudes = rng.choice([0, 1, 7, 8, 9, LAST - 1, LAST, LAST + 1, MOST - 1, MOST], shape)
    else:
        magnitudes = np.full(shape, MOST if kind == "largest" else 0)
    magnitudes[rng.random(shape[:2]) < 0.2] = 0  # components, or clusters, with nothing in them
    return magnitudes.astype(np.int32), rng.random(shape) < 0.5


@settings(max_examples=60, deadline=None)
@given(cubes())
def test_what_was_written_is_read(coder, cube):
    magnitudes, negative = cube
    strings = check(coder, coefficients(coder.model, magnitudes, negative))
    for string, one in zip(strings, magnitudes, strict=True):
        assert bool(string) == bool(one.any())


def test_coefficients_beyond_the_last_class_are_coded_whole(coder):
    """A component of a hundred bands, in fine steps: its low band counts hundreds of thousands of them."""
    values = np.zeros((1, 1, 16, 16), np.float32)
    values[0, 0, :2, :2] = [[3 * LAST, -5 * LAST], [LAST, 7]]
    coded = quantise(coder.model, values)
    check(coder, coded)
    error = restored(coder.model, coded, 0)[0, :2, :2] - values[0, 0, :2, :2]
    assert np.abs(error).max() <= 1


def test_a_cluster_has_the_same_bytes_alone_and_among_others(coder):
    values = np.random.default_rng(0).laplace(0, 3, (4, 3, 24, 31)).astype(np.float32)
    values[2] = 0
    whole = quantise(coder.model, values)
    strings = check(coder, whole)
    for place, string in enumerate(strings):
        alone = quantise(coder.model, values[place : place + 1])
        assert coder.write(alone) == [string]
        read = coder.read([string], alone.energy, 24, 31)
        assert np.array_equal(read.magnitudes[0], whole.magnitudes[place])


def test_bits_are_those_that_the_tables_announce(coder):
    coded = quantise(coder.model, np.random.default_rng(0).laplace(0, 2, (1, 3, 64, 64)).astype(np.float32))
    expected = sum(
        coder.model.bits[part_of(coded.tables, step), class_of(part_of(coded.magnitudes, step))].sum()
        for step in walk(coded.energy, 64, 64, features=False)
    )
    (string,) = coder.write(coded)
    assert 8 * len(string) == pytest.approx(expected, rel=0.002, abs=32)


def test_a_string_cut_short_comes_to_an_end(coder):
    """It decodes to something, or is noticed: checksums are the container's."""
    coded = quantise(coder.model, np.random.default_rng(0).laplace(0, 2, (1, 2, 16, 16)).astype(np.float32))
    (string,) = coder.write(coded)
    for size in range(0, len(string), 7):
        with suppress(BandpressError):
            read = coder.read([string[:size]], coded.energy, 16, 16)
            assert read.magnitudes.max() <= MOST
