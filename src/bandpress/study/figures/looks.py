"""Colour, marker and line of each codec; curves can be told apart without colour."""

from typing import Any

from bandpress.codecs import REGISTRY, Look, codec_class
from bandpress.study.figures.style import COLOURS

#: Looks for codecs without their own, and for further curves of a codec.
_SPARE = (
    Look("purple", "h", (0, (3, 2))),
    Look("sky", ">", (0, (7, 2))),
    Look("orange", "v", (0, (2, 2))),
    Look("blue", "8", (0, (4, 3))),
    Look("vermilion", "H", (0, (9, 2, 2, 2))),
)


class Looks:
    """Assignment of looks to the curves of a figure: the family's own look, or a spare one if that is taken.

    Markers of protocol ``shared`` are hollow.
    """

    def __init__(self) -> None:
        self._taken: dict[tuple, dict[str, Any]] = {}
        self._spare = 0

    def of(
        self, family: str, bands_per_cluster: str, variant: str = "", protocol: str = ""
    ) -> dict[str, Any]:
        """Return keyword arguments of `Axes.plot` for a curve.

        Parameters
        ----------
        family, bands_per_cluster, protocol
            As in rd.csv.
        variant
            Name of the codec in the study, which tells apart otherwise equal curves.
        """
        own = _own(family, bands_per_cluster)
        base = own or family
        key = (base, variant)
        if key not in self._taken:
            used = [look for (taken, _), look in self._taken.items() if taken == base]
            chosen = own
            if chosen is None or used:
                chosen = _SPARE[self._spare % len(_SPARE)]
                self._spare += 1
            colour = used[0]["color"] if used else COLOURS[chosen.colour]
            self._taken[key] = {
                "color": colour,
                "marker": chosen.marker,
                "linestyle": chosen.line,
                "markeredgecolor": colour,
            }
        look = dict(self._taken[key])
        if protocol == "shared":
            look["markerfacecolor"] = "white"
        return look


def _own(family: str, bands_per_cluster: str) -> Look | None:
    """Return a codec's own look."""
    if family not in REGISTRY:
        return None
    codec = codec_class(family)
    return (bands_per_cluster == "all" and codec.look_of_all) or codec.look
