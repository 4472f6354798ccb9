"""What a decoder knows of a coefficient: every one is visited once, and nothing is used before it is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandpress.contexts.features import (
    MOST_ENERGY,
    OCTAVE,
    SHARED,
    VARYING,
    energies,
    levels_of,
    logarithm,
    walk,
)

SIZES = [(1, 1), (1, 2), (2, 1), (1, 9), (2, 2), (3, 3), (3, 8), (5, 17), (16, 16), (31, 18), (40, 50)]


def random_magnitudes(shape, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.geometric(0.3, shape) * (rng.random(shape) < 0.4)).astype(np.int32)


def steps_of(magnitudes, features=True):
    """Yield the steps of a walk, and fill in what they ask for."""
    energy = energies(magnitudes)
    for step in walk(energy, *magnitudes.shape[2:], features=features):
        found = magnitudes[step.clusters, step.component, step.lines, step.samples]
        yield step, found
        step.magnitudes[...] = found


@pytest.mark.parametrize("size", SIZES)
def test_every_coefficient_is_visited_once(size):
    magnitudes = random_magnitudes((3, 4, *size))
    magnitudes[1, 2] = 0
    magnitudes[:, 0, 0, 0] = 1
    visits = np.zeros(magnitudes.shape, int)
    for step, _ in steps_of(magnitudes):
        visits[step.clusters, step.component, step.lines, step.samples] += 1
        assert step.varying.shape == (*step.magnitudes.shape, VARYING)
        assert step.shared.shape == (SHARED,)
        assert step.varying.dtype == step.shared.dtype == np.int16
    assert (visits == (energies(magnitudes) > 0)[:, :, None, None]).all()


@pytest.mark.parametrize("size", [(3, 3), (5, 17), (24, 20)])
def test_a_feature_depends_on_what_came_before_alone(size):
    """What is not known yet may be anything: the features up to there are the same."""
    one = random_magnitudes((2, 3, *size), 1) + 1
    order = [
        (step.clusters, step.component, step.lines, step.samples, step.varying.copy())
        for step, _ in steps_of(one)
    ]
    for kept in (1, len(order) // 3, len(order) - 1):
        other = random_magnitudes(one.shape, 2) + 1
        for *place, _ in order[:kept]:
            other[tuple(place)] = one[tuple(place)]
        walked = walk(energies(one), *size)
        for step, (*place, varying) in zip(walked, order[: kept + 1], strict=False):
            assert np.array_equal(step.varying, varying)
            step.magnitudes[...] = other[tuple(place)]


def test_clusters_that_are_coded_together_do_not_see_one_another():
    magnitudes = random_magnitudes((4, 3, 20, 23))
    magnitudes[2, 1] = 0
    together = [(step.clusters, step.varying.copy()) for step, _ in steps_of(magnitudes)]
    for cluster in range(4):
        alone = [step.varying.copy() for step, _ in steps_of(magnitudes[cluster : cluster + 1])]
        parts = [
            varying[np.flatnonzero(clusters == cluster)]
            for clusters, varying in together
            if cluster in clusters
        ]
        assert all(np.array_equal(a, b) for a, b in zip(alone, parts, strict=True))


def test_without_features_the_order_is_the_same():
    magnitudes = random_magnitudes((2, 2, 9, 14))

    def places(features):
        return [
            (s.component, s.lines, s.samples, list(s.clusters)) for s, _ in steps_of(magnitudes, features)
        ]

    assert places(True) == places(False)


def test_the_largest_magnitudes_overflow_nothing():
    magnitudes = np.full((1, 5, 33, 40), (1 << 17) - 1, np.int32)
    for step, _ in steps_of(magnitudes):
        assert step.varying.min() >= 0
        assert step.varying.max() <= 3 * 16 * OCTAVE


def test_logarithms_are_those_of_powers_of_two_and_rise():
    powers = np.arange(17)
    assert np.array_equal(logarithm((1 << powers) - 1), OCTAVE * powers)
    values = logarithm(np.arange(1 << 17))
    assert (np.diff(values) >= 0).all()
    assert values.max() == 16 * OCTAVE
    exact = OCTAVE * np.log2(1.0 + np.arange(1 << 16))
    assert np.abs(values[: 1 << 16] - exact).max() < 0.09 * OCTAVE + 1


@settings(max_examples=40, deadline=None)
@given(st.integers(0, (1 << 17) - 1), st.integers(1, 40), st.integers(1, 40))
def test_energies_are_bounded_and_none_for_nothing(value, lines, samples):
    magnitudes = np.zeros((1, 2, lines, samples), np.int32)
    magnitudes[0, 1] = value
    found = energies(magnitudes)
    assert found[0, 0] == 0
    assert (found[0, 1] == 0) == (value == 0)
    assert found.max() <= MOST_ENERGY


@pytest.mark.parametrize(
    ("size", "levels"), [((1, 1), 1), ((2, 9), 1), ((3, 3), 1), ((4, 4), 1), ((100, 100), 6)]
)
def test_levels_leave_two_or_three_samples(size, levels):
    assert levels_of(*size) == levels
