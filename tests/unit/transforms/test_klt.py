import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandpress.container.bits import BitReader, BitWriter
from bandpress.errors import CodecError
from bandpress.transforms.klt import (
    FINEST,
    covariance,
    innovations,
    read_reflections,
    reflections,
    water_level,
    write_reflections,
)
from baseline_scenes import smooth_scene


@settings(deadline=None)
@given(st.lists(st.one_of(st.lists(st.integers(-(2**20), 2**20), max_size=20), st.integers(0, 2**16 - 1))))
def test_bits_round_trip(items):
    writer = BitWriter()
    for item in items:
        if isinstance(item, int):
            writer.number(item, 16)
        else:
            writer.rice(item)
    data = writer.to_bytes()
    assert len(data) == -(-len(writer) // 8)
    reader = BitReader(data + b"more")
    for item in items:
        assert (reader.number(16) if isinstance(item, int) else reader.rice(len(item))) == item
    assert reader.bytes_read == len(data)


@settings(deadline=None)
@given(st.binary(max_size=20), st.integers(2, 20))
def test_side_information_of_any_bytes_is_read_or_refused(data, bands):
    try:
        basis = read_reflections(BitReader(data), bands)
    except CodecError:
        return
    assert np.allclose(basis.matrix() @ basis.matrix().T, np.eye(bands), atol=1e-9)


def test_covariance_is_numpys():
    cube = smooth_scene(bands=5).cube
    assert np.allclose(covariance(cube), np.cov(cube.reshape(5, -1), bias=True))


def test_a_subsampled_covariance_is_close():
    cube = smooth_scene(bands=4, lines=200, samples=200).cube
    full, part = covariance(cube), covariance(cube, 0.01)
    assert not np.array_equal(full, part)
    assert np.abs(part - full).max() < 0.2 * np.abs(full).max()


@settings(deadline=None)
@given(st.lists(st.floats(1e-3, 1e7), min_size=1, max_size=30), st.floats(0.01, 5))
def test_water_level_spends_the_rate(variances, rate):
    level = water_level(np.array(variances), rate)
    spent = np.maximum(0, np.log2(np.array(variances) / level) / 2).mean()
    assert spent == pytest.approx(rate, abs=1e-3)


def test_innovations_are_below_variances():
    cube = smooth_scene(bands=6).cube
    assert np.all(innovations(cube) <= np.linalg.eigvalsh(covariance(cube)) + 1e-6)
    assert innovations(cube)[-1] < 0.5 * np.linalg.eigvalsh(covariance(cube))[-1]
    one = cube[:1].astype(np.float64)
    assert innovations(one)[0] == pytest.approx(np.diff(one).var() / 2)


def test_finer_bases_take_more_bits_and_decorrelate_better():
    between = covariance(smooth_scene(bands=30).cube)

    def tried(level):
        basis = reflections(between, level, 2000)
        writer = BitWriter()
        write_reflections(writer, basis)
        assert read_reflections(BitReader(writer.to_bytes()), 30) == basis
        after = basis.matrix() @ between @ basis.matrix().T
        return len(writer), np.linalg.norm(after[:3] - np.diag(np.diag(after))[:3])

    bits, leaks = zip(*(tried(level) for level in (FINEST, 1.0, 1e3)), strict=True)
    assert bits[0] > bits[1] > bits[2]
    assert leaks[0] < leaks[1] < leaks[2]
