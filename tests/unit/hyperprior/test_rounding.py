"""Rounding of latents: to the nearest integer, or towards zero where that saves more bits than it costs in error."""

import numpy as np
import pytest

import golden

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def network():
    pytest.importorskip("tensorflow", reason="needs the TensorFlow environment")
    from bandpress.hyperprior import opened, store

    return opened.open_network(store.load(golden.MODELS["gains"]))


@pytest.fixture(scope="module")
def clusters():
    """Rough clusters: many latents lie between two integers."""
    return np.random.default_rng(5).normal(0.5, 0.2, (3, 48, 48, 3)).astype(np.float32)


STEPS = np.array([0, 8, 16], np.int32)


def length(network, symbols):
    return sum(len(y) for _, y in network.write(symbols))


def test_an_error_of_infinite_worth_leaves_latents_at_the_nearest_integer(network, clusters):
    nearest, kept = (network.analyse(clusters, STEPS, worth=worth) for worth in (None, 1e9))
    assert np.array_equal(nearest.y, kept.y)


@pytest.mark.parametrize("worth", [0.0, 8.7, 30.0])
def test_latents_move_by_one_towards_zero_and_the_strings_get_shorter(network, clusters, worth):
    nearest, moved = (network.analyse(clusters, STEPS, worth=value) for value in (None, worth))
    assert set(np.unique(np.abs(nearest.y) - np.abs(moved.y))) == {0, 1}
    assert (nearest.y * moved.y >= 0).all()
    assert length(network, moved) < length(network, nearest)
    assert np.array_equal(nearest.z, moved.z)
    assert np.array_equal(nearest.indexes, moved.indexes)


def test_the_more_an_error_is_worth_the_fewer_latents_move(network, clusters):
    nearest = network.analyse(clusters, STEPS).y
    moved = [
        np.count_nonzero(network.analyse(clusters, STEPS, worth=worth).y != nearest)
        for worth in (2.0, 8.7, 30.0)
    ]
    assert moved[0] > moved[1] > moved[2] > 0


@pytest.mark.parametrize(("name", "optimised"), [("plain", False), ("gains", True)])
def test_only_models_with_gains_round_towards_zero(clusters, name, optimised):
    pytest.importorskip("tensorflow", reason="needs the TensorFlow environment")
    from bandpress.container.ranges import Ranges
    from bandpress.hyperprior import chunks, opened, store

    network = opened.open_network(store.load(golden.MODELS[name]))
    ranges = [Ranges.of(np.array([[[0, 9]]] * 3, np.uint16))] * len(clusters)
    batch = chunks.Batch(ranges, STEPS * (name == "gains"), list(range(len(clusters))), clusters)
    found, nearest = chunks.analyse_batch(network, batch).y, network.analyse(clusters, batch.steps).y
    assert np.array_equal(found, nearest) != optimised
