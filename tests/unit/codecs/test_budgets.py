"""Equal rates for every cluster, on scenes of which bands hold nothing or hardly anything."""

import numpy as np
import pytest

from bandpress import Scene
from bandpress.codecs import make_codec
from bandpress.coding import compress, rate
from baseline_scenes import smooth_scene

BANDS = 90


def scene(*spans, value=0, sparse=False):
    """A smooth scene of 90 bands, of which some spans hold one value, or ones at a few samples."""
    cube = smooth_scene(BANDS, 60, 60, "<i2").cube.copy()
    for start, stop in spans:
        cube[start:stop] = value
        if sparse:
            cube[start:stop, ::30, ::30] = 1
    return Scene(cube, name="empty")


@pytest.mark.parametrize("codec", ["jpeg2000", "rklt-jpeg2000"])
@pytest.mark.parametrize(
    "spans",
    [
        pytest.param([(0, 9)], id="first"),
        pytest.param([(82, 90)], id="last"),
        pytest.param([(30, 37), (50, 64), (89, 90)], id="water-vapour"),
        pytest.param([(6, 80)], id="most"),
        pytest.param([], id="none"),
    ],
)
def test_bands_of_one_value_leave_the_rate_to_the_others(codec, spans, tmp_path):
    path = tmp_path / "out.bpk"
    made = scene(*spans, value=7)
    compress(made, path, make_codec(codec, bands_per_cluster=3, rate=0.5, allocation="equal"))
    assert rate(path, made.cube.shape) == pytest.approx(0.5, rel=0.02)


def test_bytes_that_sparse_bands_cannot_use_are_spread_evenly_over_later_ones(tmp_path):
    path = tmp_path / "out.bpk"
    made = scene((20, 40), sparse=True)
    codec = make_codec("rklt-jpeg2000", bands_per_cluster=3, rate=0.5, allocation="equal")
    compress(made, path, codec)
    assert rate(path, made.cube.shape) == pytest.approx(0.5, rel=0.02)
    sizes = np.array([len(chunk) for chunk in codec.encode(made).chunks][15:])
    assert sizes.max() < 2.2 * np.median(sizes)


def test_a_scene_of_one_value_is_coded(tmp_path):
    made = Scene(np.full((9, 40, 40), 3, "<u2"), name="flat")
    size = compress(
        made, tmp_path / "out.bpk", make_codec("jpeg2000", bands_per_cluster=3, rate=0.5, allocation="equal")
    )
    assert size < 300
