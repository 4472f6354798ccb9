"""Signs: what is told by neighbours costs less, and is told alike in any orientation."""

import numpy as np

from bandpress.contexts.coder import Decoder, Encoder
from bandpress.contexts.features import bands_of
from bandpress.contexts.kernels.constants import LEAST, WHOLE
from bandpress.contexts.signs import COLUMNS, ROWS, count, frequencies, row_of, state
from context_models import random_model


def size(values: np.ndarray) -> int:
    """Bytes of a component."""
    encoder = Encoder(random_model(), *values.shape)
    encoder.add(values.astype(float), 1.0)
    return len(encoder.string())


def test_signs_that_follow_their_neighbours_cost_less():
    rng = np.random.default_rng(1)
    magnitudes = rng.integers(4, 9, (64, 64))
    alike = magnitudes.copy()
    stripes = magnitudes * np.where(np.arange(64) % 4 < 2, 1, -1)
    any_ = magnitudes * rng.choice([-1, 1], magnitudes.shape)
    saved = magnitudes.size / 8
    assert size(alike) < size(any_) - 0.8 * saved
    assert size(stripes) < size(any_) - 0.6 * saved


def test_signs_come_back():
    rng = np.random.default_rng(2)
    for shape in ((33, 20), (2, 3), (1, 9), (64, 64)):
        values = rng.integers(-3, 4, shape) * 5.0
        values[0, 0] = 40.0
        encoder = Encoder(model := random_model(), *shape)
        assert encoder.add(coded := values.copy(), 1.0)
        decoder = Decoder(model, *shape, encoder.string())
        assert np.array_equal(decoder.next(encoder.energies[0]), coded)
        decoder.finish()


def test_rows_are_passes_levels_and_orientations():
    rows = [
        row_of(turn, level, orientation)
        for turn in range(3)
        for level in range(1, 5)
        for orientation in (1, 2, 3)
    ]
    low = [row_of(turn, 5, 0) for turn in range(3)]
    assert sorted(rows + low) == list(range(ROWS))
    assert row_of(3, 9, 2) == row_of(2, 4, 2)


def test_a_sign_and_its_mirror_count_alike():
    rng = np.random.default_rng(3)
    signs = rng.integers(-1, 2, (37, 50))
    bands = bands_of(*signs.shape)
    found = count(signs, bands)
    assert np.array_equal(found, count(-signs, bands))
    assert found.shape == (2, ROWS, COLUMNS)
    assert 0 < found.sum() <= (signs != 0).sum()


def test_counts_are_those_of_places_one_by_one():
    rng = np.random.default_rng(4)
    signs = rng.integers(-1, 2, (6, 7))
    band = np.array([[2, 3, 0, 6, 0, 7]])  # level, orientation, lines, samples
    expected = np.zeros((2, ROWS, COLUMNS), int)
    around = np.pad(signs, 2)
    for y in range(6):
        for x in range(7):

            def at(dy, dx, y=y, x=x):
                return int(around[2 + y + dy, 2 + x + dx])

            turn = {(0, 0): 0, (1, 1): 1, (0, 1): 2, (1, 0): 3}[y % 2, x % 2]
            if turn == 0:
                column = 5 * at(0, -2) + at(-2, 0)
            elif turn == 1:
                column = 5 * (at(-1, -1) + at(1, 1)) + at(-1, 1) + at(1, -1)
            else:
                column = 5 * (at(0, -1) + at(0, 1)) + at(-1, 0) + at(1, 0)
            if column and at(0, 0):
                expected[int(at(0, 0) * column < 0), row_of(turn, 2, 3), abs(column) - 1] += 1
    assert np.array_equal(count(signs, band), expected)


def test_frequencies_stay_within_their_limits():
    counts = np.zeros((2, ROWS, COLUMNS), int)
    counts[0, 0], counts[1, 1] = 10**9, 10**9
    found = frequencies(counts)
    assert found[0].max() == LEAST
    assert found[1].min() == WHOLE - LEAST
    assert (found[2:] == WHOLE // 2).all()
    assert np.array_equal(state(found)[0], found)
    assert not state(found)[1].any()
