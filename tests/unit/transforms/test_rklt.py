"""The reversible KLT is reversible for any integers and any basis, and close to the KLT."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandpress.transforms.klt import FINEST, covariance, reflections
from bandpress.transforms.rklt import Reflections, Rklt
from baseline_scenes import names, shared_scene


@st.composite
def cubes(draw):
    bands, pixels = draw(st.integers(1, 40)), draw(st.integers(1, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = draw(st.sampled_from(["noise", "extremes", "singular", "constant", "mixed"]))
    full = rng.integers(-65535, 65536, (bands, pixels))
    if kind == "extremes":
        return np.where(full > 0, 65535, -65535)
    if kind == "singular":
        return full[:1] // np.arange(1, bands + 1)[:, None]
    if kind == "constant":
        return np.repeat(full[:, :1], pixels, axis=1)
    if kind == "mixed":
        full[::2] = full[:1] // 3
        full[::3] = 7
    return full


@settings(max_examples=60, deadline=None)
@given(cubes(), st.sampled_from([FINEST, 0.3, 4.0, 1e5]))
def test_inverse_undoes_forward(cube, level):
    transform = Rklt(reflections(covariance(cube[:, None]), level, cube.shape[1]).matrix())
    assert np.array_equal(transform.inverse(transform.forward(cube)), cube)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_integers_give_an_orthogonal_matrix_and_a_reversible_transform(data):
    bands = data.draw(st.integers(2, 12))
    precisions, vectors = [], []
    for i in range(data.draw(st.integers(0, bands - 1))):
        precisions.append(data.draw(st.integers(0, 20)))
        vectors.append(
            tuple(
                data.draw(
                    st.lists(st.integers(-(2**20), 2**20), min_size=bands - 1 - i, max_size=bands - 1 - i)
                )
            )
        )
    matrix = Reflections(bands, tuple(precisions), tuple(vectors)).matrix()
    assert np.allclose(matrix @ matrix.T, np.eye(bands), atol=1e-12)
    cube = np.random.default_rng(1).integers(-65535, 65536, (bands, 200))
    transform = Rklt(matrix)
    assert np.array_equal(transform.inverse(transform.forward(cube)), cube)


@pytest.mark.parametrize("bands", [1, 2, 7, 64, 224, 300])
def test_components_are_those_of_the_matrix(bands):
    rng = np.random.default_rng(bands)
    matrix = np.linalg.qr(rng.normal(size=(bands, bands)))[0]
    transform = Rklt(matrix)
    cube = rng.integers(-65535, 65536, (bands, 500))
    components = transform.forward(cube)
    assert np.array_equal(transform.inverse(components), cube)
    assert (components - matrix @ cube).var() < 3  # rounding of three networks, in counts squared
    if bands > 1:
        factors = max(np.abs(transform._lower).max(), np.abs(transform._upper).max())
        assert factors / 2**transform._fraction_bits < 10


def test_transforms_in_place_and_in_any_block():
    transform = Rklt(np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))[0])
    cube = np.random.default_rng(1).integers(-3000, 3000, (5, 71, 97)).astype(np.int32)
    expected = transform.forward(cube)
    assert np.array_equal(expected[:, 10:20], transform.forward(cube[:, 10:20]))
    again = cube.copy()
    assert transform.forward(again, out=again) is again
    assert np.array_equal(again, expected)
    assert np.array_equal(transform.inverse(again, out=again), cube)


def test_jasper_ridge_reaches_the_entropy_of_the_klt():
    """Source 9.520 bits, KLT in floating point 3.818, the authors' RKLT 3.823."""
    cube = shared_scene("jasper-ridge").cube.astype(np.int64)
    centred = cube - np.rint(cube.mean(axis=(1, 2), keepdims=True)).astype(np.int64)
    assert np.log2(centred.var(axis=(1, 2))).mean() / 2 == pytest.approx(9.520, abs=1e-3)
    for level in (FINEST, 1.0, 4.0):
        components = Rklt(reflections(covariance(centred), level, centred[0].size).matrix()).forward(centred)
        assert np.log2(components.var(axis=(1, 2))).mean() / 2 <= 3.83


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_reversible_on_real_scenes(name):
    cube = shared_scene(name).cube.astype(np.int32)
    transform = Rklt(reflections(covariance(cube), 4.0, cube[0].size).matrix())
    assert np.array_equal(transform.inverse(transform.forward(cube)), cube)
