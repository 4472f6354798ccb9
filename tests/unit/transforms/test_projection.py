"""The matrix of a cluster in floating point forward, and back in integers that every machine sums alike."""

import numpy as np
import pytest

from bandpress.container.bits import BitReader, BitWriter
from bandpress.transforms.projection import MOST, Basis, Moments
from bandpress.transforms.rklt import Reflections
from baseline_scenes import smooth_scene


def basis_of(samples, level=1.0):
    return Basis.of(Moments.of(samples), level, samples[0].size)


@pytest.mark.parametrize("bands", [1, 2, 3, 40])
@pytest.mark.parametrize("dtype", ["<u2", ">i2", "|u1"])
def test_rounded_components_bring_back_samples_within_their_rounding(bands, dtype):
    cube = smooth_scene(bands=bands, lines=70, samples=90).cube
    samples = (cube // 300 if dtype == "|u1" else cube).astype(dtype)
    basis = basis_of(samples)
    components = basis.forward(samples)
    found = basis.inverse(np.rint(components).astype(np.int32), samples.dtype)
    assert found.dtype == samples.dtype
    error = np.abs(found.astype(int) - samples)
    assert error.max() <= 0.5 * np.sqrt(bands) + 1
    assert np.square(error).mean() < 0.3
    if bands > 1 and dtype != "|u1":  # whose components are all below the level
        energy = np.square(components).sum(axis=(1, 2), dtype=np.float64)
        assert (np.diff(energy[:3]) <= 0).all()


def test_components_that_are_left_out_are_zero():
    samples = smooth_scene(bands=6).cube
    basis = basis_of(samples)
    components = np.rint(basis.forward(samples)).astype(np.int32)
    components[2:] = 0
    assert np.array_equal(
        basis.inverse(components, samples.dtype), basis.inverse(components[:2], samples.dtype)
    )
    nothing = basis.inverse(components[:0], samples.dtype)
    assert (nothing == basis.means[:, None, None]).all()


def test_samples_are_those_of_whole_numbers_however_large():
    rng = np.random.default_rng(0)
    vectors = Reflections(
        5, (9, 0, 12, 3), tuple(tuple(rng.integers(-900, 900, 4 - i).tolist()) for i in range(4))
    )
    basis = Basis(np.array([0, -7, 100, 60000, 3]), vectors)
    components = rng.integers(-2 * MOST, 2 * MOST, (5, 3, 4)).astype(np.int32)
    components[:, 0] //= 1 << 12
    whole = [[int(np.rint(v * 2**22)) for v in row] for row in vectors.matrix()]
    found = basis.inverse(components, np.dtype("<i4"))
    for band in range(5):
        for place in np.ndindex(3, 4):
            total = sum(whole[c][band] * int(np.clip(components[(c, *place)], -MOST, MOST)) for c in range(5))
            assert found[(band, *place)] == (total + 2**21) // 2**22 + basis.means[band]


@pytest.mark.parametrize("bands", [1, 2, 7])
def test_a_written_basis_is_read_back(bands):
    basis, side = basis_of(smooth_scene(bands=bands).cube), BitWriter()
    basis.write(side)
    read = Basis.read(BitReader(side.to_bytes()), bands)
    assert np.array_equal(read.means, basis.means)
    assert read.vectors == basis.vectors
