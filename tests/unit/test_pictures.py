"""Pictures: which bands are shown, how they are stretched, and which part of a long scene is shown."""

import numpy as np
import pytest

from bandpress import Scene
from bandpress.pictures import colour_bands, stretch_of, to_rgb, window


@pytest.mark.parametrize(
    ("known", "shown"),
    [
        ({"wavelengths": (440.0, 460.0, 540.0, 560.0, 640.0, 700.0)}, (4, 2, 1)),
        (
            {"wavelengths": (440.0, 460.0, 540.0, 560.0, 640.0, 700.0), "bad_bands": (0, 1, 0, 0, 1, 0)},
            (5, 2, 0),
        ),
        ({"wavelengths": (1000.0, 1100.0, 1200.0, 1300.0, 1400.0, 1500.0)}, (4, 3, 1)),
        ({}, (4, 3, 1)),
    ],
)
def test_bands_nearest_to_the_colours_are_shown(known, shown):
    assert colour_bands(Scene(np.zeros((6, 2, 2), "<u2"), **known)) == shown


def test_samples_without_data_are_black_and_do_not_count():
    cube = np.arange(1000, 1100, dtype="<i2").reshape(1, 10, 10)
    cube[0, :2] = -9999
    scene = Scene(cube, nodata=-9999.0)
    ((low, high),) = stretch = stretch_of(scene, (0,), percent=0.0)
    assert (low, high) == (1020, 1099)
    image = to_rgb(scene, (0,), stretch)
    assert not image[:2].any()
    assert (image[2, 0], image[9, 9]) == (0, 255)
    assert (np.diff(image[2:].ravel().astype(int)) >= 0).all()


def test_the_middle_of_a_long_scene_is_shown():
    assert window(Scene(np.zeros((1, 100, 20), "<u2"))) == (slice(35, 65), slice(0, 20))
    assert window(Scene(np.zeros((1, 30, 90), "<u2"))) == (slice(0, 30), slice(0, 90))
