"""Clusters: runs of adjacent bands that are coded together. Views in memory, never files of their own."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from bandpress.errors import CodecError

#: Bands per cluster: a number, or ``"all"`` bands of the scene.
BandsPerCluster = int | Literal["all"]


@dataclass(frozen=True, order=True)
class Cluster:
    """A run of adjacent bands.

    Parameters
    ----------
    first
        Index of the first band, counted from 0.
    count
        Number of bands.
    """

    first: int
    count: int

    @property
    def stop(self) -> int:
        """Index one past the last band."""
        return self.first + self.count

    @property
    def bands(self) -> slice:
        """The bands as a slice of the cube's first axis."""
        return slice(self.first, self.stop)

    def __str__(self) -> str:
        """Bands counted from 1, both ends included, as in the names of cluster files."""
        return f"b{self.first + 1}-{self.stop}"


def split(bands: int, bands_per_cluster: BandsPerCluster) -> tuple[Cluster, ...]:
    """Cut a scene's bands into clusters.

    Every cluster has `bands_per_cluster` bands except the last, which has the remaining bands: no band is padded or
    repeated.

    Parameters
    ----------
    bands
        Number of bands of the scene.
    bands_per_cluster
        Bands of each cluster, or ``"all"`` for one cluster of all of them.

    Returns
    -------
    tuple of Cluster
        In order; together they hold each band once.

    Raises
    ------
    CodecError
        If `bands_per_cluster` is neither positive nor ``"all"``.
    """
    if bands_per_cluster == "all":
        return (Cluster(0, bands),)
    if not isinstance(bands_per_cluster, int) or bands_per_cluster < 1:
        raise CodecError(
            f"{bands_per_cluster!r} bands per cluster were requested; expected a positive integer or 'all'"
        )
    k = bands_per_cluster
    return tuple(Cluster(first, min(k, bands - first)) for first in range(0, bands, k))


def covering(clusters: Iterable[Cluster], first: int, stop: int) -> tuple[Cluster, ...]:
    """Return the clusters that hold any of the bands `first` to `stop` - 1, counted from 0."""
    return tuple(c for c in clusters if c.first < stop and c.stop > first)
