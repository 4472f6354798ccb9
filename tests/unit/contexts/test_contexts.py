"""Features of coefficients: every coefficient is listed once, and nothing is used before it is decoded."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandpress.contexts.coder import contexts
from bandpress.contexts.features import (
    FEATURES,
    LOCAL,
    MOST_ENERGY,
    MOST_FEATURES,
    OCTAVE,
    energy_of,
    levels_of,
)

SIZES = [
    (1, 1),
    (1, 2),
    (2, 1),
    (1, 9),
    (2, 2),
    (3, 3),
    (3, 8),
    (5, 17),
    (16, 16),
    (31, 18),
    (40, 50),
    (41, 300),
]


def random_magnitudes(shape, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.geometric(0.3, shape) * (rng.random(shape) < 0.4)).astype(np.int32)


def energies_of(magnitudes):
    return [energy_of(int(one.sum()), one.size) for one in magnitudes]


@pytest.mark.parametrize("size", SIZES)
def test_every_coefficient_is_listed_once(size):
    magnitudes = random_magnitudes((4, *size))
    magnitudes[2] = 0
    magnitudes[:2, 0, 0] = 1
    energies = energies_of(magnitudes)
    visits = np.zeros(magnitudes.shape, int)
    for component, rows in contexts(energies, magnitudes):
        assert rows.shape == (size[0] * size[1], 2 + FEATURES)
        np.add.at(visits[component], (rows[:, 0], rows[:, 1]), 1)
    assert (visits == (np.array(energies) > 0)[:, None, None]).all()


@pytest.mark.parametrize("size", [(3, 3), (5, 17), (24, 20)])
def test_a_feature_depends_on_what_came_before_alone(size):
    """Features do not depend on coefficients not yet decoded.

    Places of a pass, whose shared features are the same, do not know one another.
    """
    one = random_magnitudes((3, *size), 1) + 1
    energies = energies_of(one)
    order = [(component, row) for component, rows in contexts(energies, one) for row in rows]
    passes = [0]
    for number in range(1, len(order)):
        before, row = order[number - 1], order[number]
        if before[0] != row[0] or (before[1][2 + LOCAL :] != row[1][2 + LOCAL :]).any():
            passes.append(number)
    for start in (passes[1], passes[len(passes) // 3], passes[-1]):
        other = random_magnitudes(one.shape, 2) + 1
        for component, row in order[:start]:
            other[component, row[0], row[1]] = one[component, row[0], row[1]]
        after = [row for _, rows in contexts(energies, other) for row in rows]
        stop = next((later for later in passes if later > start), len(order))
        for number in range(stop):
            assert np.array_equal(after[number], order[number][1])


@pytest.mark.parametrize("value", [65535, 65536, 1 << 28])
def test_the_largest_magnitudes_exceed_no_feature(value):
    magnitudes = np.full((12, 33, 40), value, np.int32)
    for _, rows in contexts([MOST_ENERGY] * 12, magnitudes):
        assert (rows[:, 2:] >= 0).all()
        assert (rows[:, 2:] <= MOST_FEATURES).all()


def test_a_logarithm_is_that_of_powers_of_two_and_rises():
    """The first feature but one after a pass of one place: f of the sum of above and below."""

    def logarithm(value):
        magnitudes = np.zeros((2, 1, 1), np.int32)
        magnitudes[0] = value
        (_, rows), *_ = [found for found in contexts([1, 1], magnitudes) if found[0] == 1]
        return int(rows[0, 2 + 11])  # of the component before, alone

    assert [logarithm((1 << power) - 1) for power in range(17)] == [OCTAVE * power for power in range(17)]
    found = [logarithm(value) for value in (*range(40), 1000, 65535, 65536, 1 << 20)]
    assert found == sorted(found)
    for value in (3, 100, 5000, 60000):
        assert abs(logarithm(value) - OCTAVE * np.log2(1.0 + value)) < 0.09 * OCTAVE + 1


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1 << 40), st.integers(1, 1 << 30))
def test_energies_are_bounded_and_none_for_nothing(total, places):
    found = energy_of(total, places)
    assert (found == 0) == (total == 0)
    assert 0 <= found <= MOST_ENERGY


@pytest.mark.parametrize(
    ("size", "levels"), [((1, 1), 1), ((2, 9), 1), ((3, 3), 1), ((4, 4), 1), ((100, 100), 6)]
)
def test_levels_leave_two_or_three_samples(size, levels):
    assert levels_of(*size) == levels
