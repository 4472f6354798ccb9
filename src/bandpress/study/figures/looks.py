"""How each codec is drawn: colour, marker and line, so that a curve is known without its colour."""

from typing import Any

from bandpress.study.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION

_LOOKS: dict[str, tuple[str, str, Any]] = {
    "learned": (BLUE, "o", "-"),
    "rklt-jpeg2000": (VERMILION, "s", (0, (5, 1.5))),
    "rklt-jpeg2000 all": (GREEN, "D", (0, (6, 1.5, 1, 1.5))),
    "jpeg2000": (BLACK, "^", (0, (1, 1.2))),
    "jpeg2000 all": (GREY, "<", (0, (1, 2))),
    "klt-learned": (SKY, "P", (0, (8, 1.5))),
    "wavelet-learned": (ORANGE, "d", (0, (3, 1, 1, 1, 1, 1))),
    "wavelet-learned all": (ORANGE, "p", (0, (6, 1.5, 1, 1.5))),
    "predicted-learned": (PURPLE, "X", (0, (4, 1, 4, 1, 1, 1))),
}
_SPARE: tuple[tuple[str, str, Any], ...] = (
    (PURPLE, "h", (0, (3, 2))),
    (SKY, ">", (0, (7, 2))),
    (ORANGE, "v", (0, (2, 2))),
    (GREEN, "*", (0, (1, 3))),
    (BLUE, "8", (0, (4, 3))),
    (VERMILION, "H", (0, (9, 2, 2, 2))),
)


class Looks:
    """Gives each curve of a figure its look: the family's own, or a spare one when that is taken.

    Parameters
    ----------
    hollow
        Draw markers of protocol ``shared`` hollow.
    """

    def __init__(self, hollow: bool = True):
        self._taken: dict[tuple, dict[str, Any]] = {}
        self._spare = 0
        self._hollow = hollow

    def of(
        self, family: str, bands_per_cluster: str, variant: str = "", protocol: str = ""
    ) -> dict[str, Any]:
        """Return keyword arguments of `Axes.plot` for a curve.

        Parameters
        ----------
        family, bands_per_cluster, protocol
            As in rd.csv.
        variant
            Tells apart curves that are otherwise the same: the codec's name in the study.
        """
        base = f"{family} all" if bands_per_cluster == "all" and f"{family} all" in _LOOKS else family
        key = (base, variant)
        if key not in self._taken:
            used = [look for (taken, _), look in self._taken.items() if taken == base]
            if base in _LOOKS and not used:
                colour, marker, line = _LOOKS[base]
            else:
                colour, marker, line = _SPARE[self._spare % len(_SPARE)]
                self._spare += 1
                if used:
                    colour = used[0]["color"]
            self._taken[key] = {
                "color": colour,
                "marker": marker,
                "linestyle": line,
                "markeredgecolor": colour,
            }
        look = dict(self._taken[key])
        if self._hollow and protocol == "shared":
            look["markerfacecolor"] = "white"
        return look
