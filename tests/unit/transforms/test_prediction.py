"""Prediction between clusters: side information exact, equal references equal predictions, differences bounded."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bandpress.codecs.dependence import levels, nodes
from bandpress.container.bits import BitReader, BitWriter
from bandpress.errors import CodecError
from bandpress.transforms.prediction import ROUNDING, Prediction, fit
from bandpress.transforms.wavelet import analyse, expected_distortion

TYPES = ["|u1", "<u2", ">u2", "<i2", ">i2"]


@settings(max_examples=40)
@given(st.integers(1, 90), st.integers(1, 40), st.sampled_from(["tree", "chain"]))
def test_a_segment_stands_alone_and_references_come_before(count, distance, order):
    found = nodes(count, distance, order)
    assert [node.cluster for node in found] == list(range(count))
    for node in found:
        assert {i // distance for i in node.references} <= {node.cluster // distance}
        assert all(found[i].level < node.level for i in node.references)
        # What a reference needs is among the references: they are all that decoding takes.
        assert all(set(found[i].references) <= set(node.references) for i in node.references)
        assert len(node.references) < distance
        assert (node.level == 0) == (not node.references)
    assert sum(map(len, levels(found))) == count
    keys = [node.cluster for node in found if not node.references]
    assert len(keys) == -(-count // distance)


def test_a_tree_of_sixteen_needs_four_others_at_most():
    found = nodes(16, 16, "tree")
    assert max(len(node.references) for node in found) == 4
    assert max(node.level for node in found) == 4


@pytest.mark.parametrize(("distance", "order"), [(0, "tree"), (16, "ring"), (None, "tree"), (True, "tree")])
def test_a_structure_that_is_none_is_refused(distance, order):
    with pytest.raises(CodecError, match="expected a positive number, and one of tree, chain, components"):
        nodes(5, distance, order)


@st.composite
def cases(draw):
    dtype = np.dtype(draw(st.sampled_from(TYPES)))
    shape = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    offered = draw(hnp.arrays(dtype, (draw(st.integers(0, 5)), *shape)))
    bands = draw(hnp.arrays(dtype, (draw(st.integers(1, 4)), *shape)))
    return offered, bands


@settings(deadline=None, max_examples=40)
@given(cases(), st.floats(1e-3, 1e5), st.integers(0, 15))
def test_what_is_written_predicts_the_same(case, distortion, most):
    offered, bands = case
    found = fit(offered, bands, distortion, most, np.ones(len(offered)), 50.0)
    writer = BitWriter()
    found.write(writer, len(offered))
    data = writer.to_bytes()
    reader = BitReader(data)
    back = Prediction.read(reader, len(offered), len(bands))
    assert reader.bytes_read == len(data)
    predicted = found.apply(offered, bands.dtype)
    assert np.array_equal(predicted, back.apply(offered, bands.dtype))
    limits = np.iinfo(bands.dtype)
    assert predicted.min() >= limits.min
    assert predicted.max() <= limits.max


@settings(deadline=None, max_examples=40)
@given(cases(), st.data())
def test_a_difference_passes_on_within_the_bound(case, data):
    offered, bands = case
    bounds = np.array(data.draw(st.lists(st.floats(0, 20), min_size=len(offered), max_size=len(offered))))
    limit = data.draw(st.floats(2.5, 100))
    found = fit(offered, bands, 10.0, 6, bounds, limit)
    assert found.bound(bounds) <= limit
    moved = offered.astype(np.int64)
    for band, most in enumerate(np.floor(bounds).astype(int)):
        moved[band] += data.draw(hnp.arrays(np.int64, moved[band].shape, elements=st.integers(-most, most)))
    difference = np.abs(found.apply(moved, bands.dtype).astype(int) - found.apply(offered, bands.dtype))
    assert difference.max() + ROUNDING <= found.bound(bounds)


@settings(deadline=None, max_examples=40)
@given(st.binary(max_size=60), st.integers(0, 9), st.integers(1, 4))
def test_random_side_information_is_an_error_or_a_prediction(data, offered, bands):
    try:
        found = Prediction.read(BitReader(data), offered, bands)
    except CodecError:
        return
    cube = np.full((offered, 2, 3), 65535, "<u2")
    assert found.apply(cube, np.dtype("<u2")).shape == (bands, 2, 3)


def test_a_band_that_is_a_sum_of_references_is_found():
    rng = np.random.default_rng(0)
    offered = rng.integers(0, 4000, (5, 40, 50)).astype("<u2")
    wanted = np.rint(0.5 * offered[1] + 0.25 * offered[3] + 300).astype("<u2")[None]
    found = fit(offered, wanted, 4.0, 6, np.ones(5), 50.0)
    assert sorted(found.chosen) == [1, 3]
    assert np.abs(found.apply(offered, wanted.dtype) - wanted.astype(int)).max() <= 2


def test_references_that_do_not_help_are_left_out():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 4000, (4, 30, 30)).astype("<u2")
    found = fit(noise[:3], noise[3:], 100.0, 6, np.ones(3), 50.0)
    assert found.chosen == ()
    assert found.bound(np.zeros(0)) == ROUNDING


def test_a_bright_band_from_a_dark_one_keeps_within_the_limit():
    rng = np.random.default_rng(0)
    dark = rng.integers(0, 20, (1, 50, 50)).astype("<u2")
    bright = (dark * 150).astype("<u2")
    free = fit(dark, bright, 1.0, 6, np.ones(1), 1e6)
    assert free.bound(np.ones(1)) > 140
    damped = fit(dark, bright, 1.0, 6, np.ones(1), 60.0)
    assert 10 < damped.bound(np.ones(1)) <= 60


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 4))
def test_the_wavelet_keeps_energy_but_for_a_few_percent(lines, samples, levels):
    rng = np.random.default_rng(lines * 41 + samples)
    images = rng.normal(0, 100, (2, lines, samples))
    energy = np.square(analyse(images, levels)).sum() / np.square(images).sum()
    assert 0.5 < energy < 1.6
    coefficients = analyse(images, levels)
    assert expected_distortion(coefficients, 1e9) == pytest.approx(np.square(coefficients).sum())
    fine = expected_distortion(coefficients, 0.01)
    assert fine <= coefficients.size * (0.9 * 0.01) ** 2
