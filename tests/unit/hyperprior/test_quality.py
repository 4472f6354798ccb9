"""The quality of each cluster follows from its ranges, so that lambda weighs errors in DN alike."""

import numpy as np
import pytest

from bandpress.hyperprior.quality import cluster_steps, lambda_of_step, step_of_lambda

LAMBDAS = (1e-5, 1e-4, 1e-3)


def test_a_tenfold_square_of_the_range_is_one_quality_of_a_tenfold_lambda():
    factors = np.array([1e-6, 0.1, 1, 10 ** (0.9 / 64), 10, 1e6])
    ranges = 1000 * np.sqrt(factors)[:, None]
    assert cluster_steps(LAMBDAS, 1000.0, 1e-4, ranges).tolist() == [0, 0, 64, 65, 128, 128]
    assert cluster_steps(LAMBDAS, 1000.0, 1e-3, ranges[:3]).tolist() == [0, 64, 128]


def test_ranges_of_several_bands_count_by_the_mean_of_their_squares():
    assert cluster_steps(LAMBDAS, np.sqrt(500_000), 1e-4, np.array([[600.0, 800.0]])).tolist() == [64]


def test_steps_and_lambdas_are_inverse():
    for step in (0.5, 3.0, 100.0):
        assert step_of_lambda(lambda_of_step(step, 3), 3) == pytest.approx(step)
