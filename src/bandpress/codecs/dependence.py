"""Which cluster is predicted from which: segments that stand alone, each grown from its key cluster.

A segment is a run of at most `distance` clusters. Its key cluster, the middle one, is predicted from none; then come
its ends, then the cluster halfway between every two neighbours that are there, as pictures are in a hierarchy of B
pictures (Schwarz, Marpe & Wiegand 2006, IEEE ICME). A cluster may be predicted from those between which it lies, and
from those that these may be predicted from. In a segment of 16 that is at most four, all clusters of one level can be
coded together, and a difference between machines is passed on at most four times. The order ``chain`` takes one cluster
after the other instead, each from those before. In the order ``components`` the first cluster carries components of all
bands of its segment, and each cluster is predicted from these (`bandpress.codecs.segment_components`).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from bandpress.errors import CodecError

Order = Literal["tree", "chain", "components"]


@dataclass(frozen=True)
class Node:
    """A cluster and those that it may be predicted from.

    Parameters
    ----------
    cluster
        Number of the cluster in the scene.
    level
        0 for key clusters; what a cluster may be predicted from has lower levels.
    references
        Numbers of clusters, in increasing order.
    """

    cluster: int
    level: int
    references: tuple[int, ...]


@lru_cache(maxsize=64)
def nodes(count: int, distance: int, order: Order) -> tuple[Node, ...]:
    """Return the nodes of a scene's clusters, in the order of clusters.

    Parameters
    ----------
    count
        Number of clusters.
    distance
        Clusters of a segment; the last one may have fewer.
    order
        Within a segment.

    Raises
    ------
    CodecError
        If `distance` is not positive or `order` is not known.
    """
    if type(distance) is not int or distance < 1 or order not in _GROW:
        raise CodecError(
            f"a key cluster every {distance!r} clusters in the order {order!r} was found; "
            f"expected a positive number, and one of {', '.join(_GROW)}"
        )
    grow = _GROW[order]
    found: list[Node] = []
    for first in range(0, count, distance):
        found += grow(first, min(distance, count - first))
    return tuple(found)


def levels(all_nodes: Iterable[Node]) -> list[list[Node]]:
    """Group nodes by level: those of one group can be coded together."""
    groups: dict[int, list[Node]] = {}
    for node in all_nodes:
        groups.setdefault(node.level, []).append(node)
    return [groups[level] for level in sorted(groups)]


def _tree(first: int, count: int) -> list[Node]:
    places: dict[int, Node] = {}

    def add(place: int, level: int, parents: tuple[int, ...]) -> None:
        ancestors = {a for parent in parents for a in (parent, *places[parent].references)}
        places[place] = Node(place, level, tuple(sorted(ancestors)))

    key, last = first + count // 2, first + count - 1
    add(key, 0, ())
    for end in (first, last):
        if end not in places:
            add(end, 1, (key,))
    level = 2
    while len(places) < count:
        there = sorted(places)
        for left, right in pairwise(there):
            if right - left > 1:
                add((left + right) // 2, level, (left, right))
        level += 1
    return [places[place] for place in sorted(places)]


def _chain(first: int, count: int) -> list[Node]:
    return [Node(first + i, i, tuple(range(first, first + i))) for i in range(count)]


def _components(first: int, count: int) -> list[Node]:
    return [Node(first, 0, ())] + [Node(first + i, 1, (first,)) for i in range(1, count)]


_GROW: dict[str, Callable[[int, int], list[Node]]] = {
    "tree": _tree,
    "chain": _chain,
    "components": _components,
}
