from hypothesis import given
from hypothesis import strategies as st

from bandpress.clusters import Cluster, covering, split


@given(st.integers(1, 300), st.one_of(st.integers(1, 20), st.just("all")))
def test_clusters_hold_each_band_once(bands, k):
    clusters = split(bands, k)
    assert [b for c in clusters for b in range(c.first, c.stop)] == list(range(bands))
    assert all(c.count == clusters[0].count for c in clusters[:-1])


def test_covering_takes_only_what_is_needed():
    clusters = split(20, 3)
    assert covering(clusters, 4, 7) == (Cluster(3, 3), Cluster(6, 3))
    assert str(clusters[-1]) == "b19-20"
