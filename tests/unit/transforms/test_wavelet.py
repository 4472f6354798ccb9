"""The 9/7 wavelet is undone, is nearly orthonormal, and its subbands cover an image."""

import numpy as np
import pytest

from bandpress.contexts.features import levels_of
from bandpress.transforms.wavelet import analyse, subbands, synthesise

SIZES = [(1, 1), (1, 7), (2, 2), (3, 5), (16, 16), (31, 17), (64, 50), (100, 37)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("levels", [0, 1, 2, 5])
def test_synthesis_undoes_analysis(size, levels):
    images = np.random.default_rng(0).normal(0, 1000, (2, *size))
    assert np.allclose(synthesise(analyse(images, levels), levels), images, atol=1e-8)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("levels", [0, 1, 2, 5])
def test_subbands_cover_every_place_once(size, levels):
    covered = np.zeros(size, int)
    for band in subbands(*size, levels):
        covered[band.lines, band.samples] += 1
        assert covered[band.lines, band.samples].shape == band.shape
    assert (covered == 1).all()


def test_energy_is_nearly_kept():
    noise = np.random.default_rng(0).normal(0, 1, (128, 128))
    assert np.square(analyse(noise, 4)).mean() == pytest.approx(np.square(noise).mean(), rel=0.08)


def test_a_smooth_image_is_in_the_low_band():
    y, x = np.mgrid[:64, :64]
    image = 100 + 3 * y + 2 * x
    levels = levels_of(64, 64)
    found = analyse(image, levels)
    for band in subbands(64, 64, 2):
        if band.orientation and band.level == 1:
            inner = found[band.lines, band.samples][2:-4, 2:-4]
            assert np.abs(inner).max() < 1e-3 * np.abs(found[0, 0])


def test_images_are_transformed_alone():
    images = np.random.default_rng(0).normal(0, 1, (3, 20, 21))
    together = analyse(images, 3)
    assert all(np.array_equal(analyse(image, 3), part) for image, part in zip(images, together, strict=True))
