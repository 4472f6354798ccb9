import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandpress.hyperprior.architecture import Architecture
from bandpress.hyperprior.training import warm_start
from bandpress.hyperprior.training.patches import Batch, Patches
from bandpress.psnr import psnr
from baseline_scenes import shared_scene


def smooth(count=12, side=32, k=3, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((count, side, side, 1)).cumsum(1).cumsum(2) + rng.standard_normal(
        (count, side, side, k)
    )
    x = (x - x.min()) / (np.ptp(x) + 1e-3)
    ranges = rng.uniform(100, 4000, (count, 1)).repeat(k, 1)
    return Batch(x.astype(np.float32), ranges.astype(np.float32))


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(sorted(warm_start.FILTERS)), st.integers(0, 99), st.integers(1, 4))
def test_subbands_are_orthonormal(filters, seed, channels):
    f = warm_start.FILTERS[filters]
    x = np.random.default_rng(seed).standard_normal((2, 16, 32, channels)).astype(np.float32)
    split = warm_start._subbands(x, f)
    assert split.shape == (2, 8, 16, 4 * channels)
    np.testing.assert_allclose(np.square(split).sum(), np.square(x).sum(), rtol=1e-5)
    np.testing.assert_allclose(warm_start._merged(split, f), x, atol=1e-5)


@pytest.mark.parametrize("filters", sorted(warm_start.FILTERS))
def test_wide_networks_lose_nothing(filters):
    made = warm_start.fit(smooth(k=1), (64, 64, 64, 256), filters)
    assert made.floor < 1e-3
    assert [d.shape for d in made.directions] == [(4, 4), (16, 16), (64, 64), (256, 256)]


def test_the_floor_is_the_error_of_what_is_dropped():
    batch = smooth()
    floors = [warm_start.fit(batch, (n, n, n, m)).floor for n, m in ((4, 8), (8, 16), (16, 64), (32, 128))]
    assert sorted(floors, reverse=True) == floors
    assert floors[-1] > 0
    # All energy that is kept, and all that is not, is all there is.
    flat = Batch(batch.x, np.full_like(batch.ranges, 1000))
    made = warm_start.fit(flat, (8, 8, 8, 16))
    kept = np.square(made.deviations).sum() / (16 * 16 * 3)
    total = np.square(flat.x - made.mean).mean()
    np.testing.assert_allclose((kept * 1000**2) + made.floor, total * 1000**2, rtol=1e-3)


def test_clusters_of_larger_range_count_more():
    batch = smooth(count=40)
    strong = Batch(batch.x, np.where(np.arange(40)[:, None] < 4, 6000, 60).repeat(3, 1).astype(np.float32))
    own = warm_start.fit(strong, (8, 8, 8, 16))
    other = warm_start.fit(Batch(batch.x, np.ones_like(batch.ranges)), (8, 8, 8, 16))
    assert own.floor < warm_start.floor(other, strong)


def test_the_same_patches_give_the_same_directions():
    a, b = warm_start.fit(smooth(), (8, 8, 8, 16)), warm_start.fit(smooth(), (8, 8, 8, 16))
    assert all(np.array_equal(x, y) for x, y in zip(a.directions, b.directions, strict=True))


@pytest.mark.parametrize(("k", "lambdas"), [(1, (1e-4,)), (3, (1e-5, 1e-4, 1e-3))])
def test_weights_fit_the_architecture(k, lambdas):
    made = warm_start.fit(smooth(k=k), (8, 8, 8, 24))
    architecture = Architecture(k, 8, 24, 16, qualities=len(lambdas))
    weights = warm_start.weights(made, architecture, lambdas, seed=1)
    architecture.check(weights)
    again = warm_start.weights(made, architecture, lambdas, seed=1)
    assert all(np.array_equal(weights[name], again[name]) for name in weights)


def test_the_quantiser_step_balances_rate_and_distortion():
    k, lambda_ = 3, 1e-4
    step = warm_start.quantiser_step(lambda_, k)
    costs = [-k * np.log2(s) + lambda_ * s**2 / 12 for s in (0.95 * step, step, 1.05 * step)]
    assert costs[1] == min(costs)


@pytest.mark.slow
@pytest.mark.parametrize(("widths", "expected"), [((32, 96), 56.0), ((64, 192), 62.1), ((128, 384), 69.6)])
def test_floors_on_jasper_ridge_are_the_known_ones(widths, expected):
    names = [
        "airport-1",
        "airport-3",
        "airport-4",
        "beach-1",
        "beach-2",
        "beach-3",
        "urban-1",
        "urban-2",
        "urban-4",
    ]
    training = Patches([shared_scene(name) for name in names], 3, 96, 1, seed=1).fixed(400)
    made = warm_start.fit(training, (*[widths[0]] * 3, widths[1]))
    test = Patches([shared_scene("jasper-ridge")], 3, 96, 1, seed=1).fixed(66)
    # The design's table was made with other patches and with energy that was not weighted by the range.
    assert psnr(warm_start.floor(made, test)) == pytest.approx(expected, abs=2.2)
