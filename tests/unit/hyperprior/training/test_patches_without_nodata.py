"""Training sees valid samples: patches avoid no-data samples, and ranges do not count them."""

import numpy as np
import pytest

from bandpress import Scene
from bandpress.contexts.training.pool import TRAIN, Pool
from bandpress.hyperprior.training.patches import Patches
from baseline_scenes import smooth_scene


@pytest.fixture
def scenes():
    """A scene, and the same with a corner that holds nothing."""
    whole = smooth_scene(bands=4, lines=64, samples=64, dtype="<i2")
    cube = whole.cube.copy()
    cube[:, :24, :24] = -9999
    cube[2] = -9999
    return whole, Scene(cube, nodata=-9999.0)


def test_patches_hold_valid_samples_and_their_ranges(scenes):
    _, masked = scenes
    batch = Patches([masked], 1, 16, 64, 0).at(3)
    assert batch.x.min() >= 0
    assert batch.x.max() < 1
    assert batch.ranges.max() < 5000
    # No patch holds fill values alone: every one of them varies.
    assert (np.ptp(batch.x.reshape(64, -1), axis=1) > 0).all()


def test_patches_of_a_scene_that_is_mostly_holes_are_filled(scenes):
    whole, _ = scenes
    cube = whole.cube.copy()
    cube[:, ::3, ::3] = -9999
    batch = Patches([Scene(cube, nodata=-9999.0)], 2, 16, 16, 0).at(0)
    assert batch.x.min() >= 0
    assert batch.x.max() < 1


def test_a_no_data_value_that_no_sample_holds_changes_nothing(scenes):
    whole, _ = scenes
    named = Scene(whole.cube, nodata=-9999.0)
    one, other = (Patches([scene], 3, 16, 8, 0, spread=0.5).at(5) for scene in (whole, named))
    assert np.array_equal(one.x, other.x)
    assert np.array_equal(Pool([whole], 0).draw(TRAIN, 2), Pool([named], 0).draw(TRAIN, 2))


def test_coefficients_for_contexts_come_from_valid_samples(scenes):
    whole, masked = scenes
    largest = [
        max(Pool([scene], 0, 4000).draw(TRAIN, i).max() for i in range(8)) for scene in (whole, masked)
    ]
    assert largest[0] / 10 < largest[1] < 10 * largest[0]
