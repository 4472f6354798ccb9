import pytest
from hypothesis import given
from hypothesis import strategies as st

from bandpress.clusters import Cluster, covering, split
from bandpress.errors import CodecError


@given(st.integers(1, 300), st.one_of(st.integers(1, 20), st.just("all")))
def test_clusters_hold_each_band_once(bands, k):
    clusters = split(bands, k)
    assert [b for c in clusters for b in range(c.first, c.stop)] == list(range(bands))
    assert all(c.count == clusters[0].count for c in clusters[:-1])


@pytest.mark.parametrize("k", [0, -3, 2.0, "3", None])
def test_clusters_of_no_number_of_bands_are_refused(k):
    with pytest.raises(CodecError, match="expected a positive integer or 'all'"):
        split(7, k)


def test_covering_takes_only_what_is_needed():
    clusters = split(20, 3)
    assert covering(clusters, 4, 7) == (Cluster(3, 3), Cluster(6, 3))
    assert str(clusters[-1]) == "b19-20"
