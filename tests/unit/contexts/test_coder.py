"""Coefficients come back from their bytes, whatever they are; bytes that no encoder wrote come to an end."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandpress.contexts import store as context_store
from bandpress.contexts.classes import class_of
from bandpress.contexts.coder import Decoder, Encoder, contexts, first_energy
from bandpress.contexts.kernels.constants import LAST, MOST
from bandpress.contexts.quantisation import WORTH, rounded
from bandpress.errors import BitstreamError
from golden_contexts import MODEL


@pytest.fixture(scope="module")
def model():
    return context_store.load(MODEL)


def coded(model, values, step=1.0, **options):
    """Energies, string, what it decodes to in steps, magnitudes up to 65,535."""
    encoder, decoded, magnitudes = Encoder(model, *values.shape[1:], **options), [], []
    for component in values:
        found = component.astype(np.float64)
        shown = encoder.add(found, step)
        decoded.append(found if shown else np.zeros_like(found))
        magnitudes.append(encoder.magnitudes * shown)
    string = encoder.string()
    return encoder.energies, string, np.stack(decoded), np.stack(magnitudes)


def read(model, string, energies, size):
    decoder = Decoder(model, *size, string)
    found = [decoder.next(energy) for energy in energies]
    decoder.finish()
    return [np.zeros(size) if one is None else one for one in found]


def check(model, values):
    energies, string, decoded, _ = coded(model, values)
    assert bool(string) == bool(energies)
    if string:
        found = read(model, string, energies, values.shape[1:])
        assert np.array_equal(np.stack(found), decoded[: len(found)])
    assert not decoded[len(energies) :].any()
    return energies, string, decoded


def laplacian(shape, scale=2.0, seed=0):
    rng = np.random.default_rng(seed)
    return rng.laplace(0, scale, shape) * np.linspace(2, 0.2, shape[0])[:, None, None]


@st.composite
def cubes(draw):
    shape = draw(st.tuples(st.integers(1, 5), st.integers(1, 20), st.integers(1, 20)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = draw(st.sampled_from(["sparse", "dense", "extremes", "largest", "empty"]))
    if kind == "sparse":
        values = rng.geometric(0.5, shape) * (rng.random(shape) < 0.05)
    elif kind == "dense":
        values = rng.geometric(0.02, shape)
    elif kind == "extremes":
        values = rng.choice([0, 1, 7, 8, 9, 65535, 65536, LAST - 1, LAST, LAST + 1, MOST - 1, MOST], shape)
    else:
        values = np.full(shape, MOST if kind == "largest" else 0)
    values[rng.random(shape[:1]) < 0.2] = 0
    return np.where(rng.random(shape) < 0.5, -values, values)


@settings(max_examples=80, deadline=None)
@given(cubes())
def test_written_components_are_read_back(model, values):
    check(model, values)


def test_magnitudes_beyond_the_last_class_are_whole(model):
    """A component of a hundred bands, in fine steps: its low band counts hundreds of thousands of them."""
    values = np.zeros((1, 16, 16))
    values[0, :2, :2] = [[3 * LAST, -5 * LAST], [LAST, 7]]
    _, _, decoded = check(model, values)
    assert np.abs(decoded - values)[0, :2, :2].max() <= 1


def test_extremes_are_bounded(model):
    values = np.full((2, 5, 6), 1e12)
    values[1] = -1e12
    _, _, decoded = check(model, values)
    assert np.abs(decoded).max() <= MOST + 1
    assert rounded(np.array([0.0, 0.6, 0.7, 1e12])).tolist() == [0, 0, 1, MOST]


def test_a_magnitude_is_that_of_the_nearest_integer_or_less(model):
    values = laplacian((4, 21, 30))
    energies, _, decoded, magnitudes = coded(model, values)
    nearest = np.floor(np.abs(values) + 0.5)
    assert (magnitudes <= nearest).all()
    assert ((magnitudes >= nearest - 1) | (magnitudes == 0)).all()
    assert ((decoded < 0) == ((values < 0) & (magnitudes > 0))).all()
    assert not magnitudes[len(energies) :].any()


def listed(model, energies, magnitudes):
    """Tables and magnitudes of all coefficients."""
    tables, found = [], []
    for component, rows in contexts(energies, magnitudes):
        tables.append(model.indexes(rows[:, 2:]))
        found.append(magnitudes[component, rows[:, 0], rows[:, 1]])
    return np.concatenate(tables), np.concatenate(found)


@pytest.mark.parametrize("scale", [0.3, 2.0, 40.0])
def test_a_string_is_as_long_as_its_tables_announce(model, scale):
    """The tables that kernels choose are those that the model's own arithmetic does."""
    energies, string, _, magnitudes = coded(model, laplacian((3, 64, 64), scale))
    tables, found = listed(model, energies, magnitudes[: len(energies)])
    expected = model.bits[tables, class_of(found)].sum()
    # Random signs cost a little more than a bit each, since their probabilities adapt to what is no pattern.
    assert expected - 20 < 8 * len(string) < 1.005 * expected + 20


def test_it_costs_less_than_rounding(model):
    values = laplacian((3, 40, 40), 1.0)

    def cost(worth):
        _, string, decoded, _ = coded(model, values, worth=worth)
        return 8 * len(string) + WORTH * np.square(values - decoded).sum()

    assert cost(WORTH) < cost(1e9)  # only the error counts


def test_components_that_are_not_worth_their_bits_are_left_out():
    values = np.full((4, 16, 16), 0.3)
    values[1] = 40
    values[2, 3, 3] = 0.7
    values[3, 3, 3] = 30
    assert [first_energy(one, 1.0) > 0 for one in values] == [False, True, False, True]


def test_nothing_is_coded_of_nothing(model):
    assert coded(model, np.zeros((3, 8, 9)))[:2] == ([], b"")


@pytest.mark.parametrize("kind", ["cut", "longer", "flipped"])
def test_a_string_that_no_encoder_wrote_is_refused_or_comes_to_an_end(model, kind):
    values = laplacian((2, 16, 16))
    energies, string, _, _ = coded(model, values)
    rng = np.random.default_rng(0)
    refused = 0
    for trial in range(60):
        spoilt = bytearray(string)
        if kind == "flipped":
            spoilt[rng.integers(len(string))] ^= 1 << rng.integers(8)
        spoilt = spoilt[: rng.integers(len(string) - 2)] if kind == "cut" else spoilt
        spoilt += rng.bytes(3 + trial) if kind == "longer" else b""
        with suppress(BitstreamError):
            found = read(model, bytes(spoilt), energies, (16, 16))
            assert np.isfinite(found).all()
            continue
        refused += 1
    assert refused == 60 if kind != "flipped" else refused > 0


def test_energies_that_do_not_belong_to_a_string_are_refused(model):
    """Many coefficients cannot come out of few bytes."""
    energies, string, _, _ = coded(model, laplacian((2, 16, 16)))
    with pytest.raises(BitstreamError, match="damaged"):
        read(model, string[:40], [63] * 2000, (16, 16))
    with pytest.raises(BitstreamError, match="bytes more"):
        read(model, string, energies[:1], (16, 16))
