"""Axes that several figures share, such as bands per cluster, with "all" at the end."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from bandpress.study.figures.looks import Looks
from bandpress.study.figures.results import name_of

#: Suffixes in legends for each protocol, if there are several.
SUFFIXES = {"equal": "", "shared": ", shared rate"}


def cluster_sizes(frame: pd.DataFrame) -> list[str]:
    """Return the cluster sizes in the data, sorted, with "all" last."""
    return sorted(
        set(frame["bands_per_cluster"].astype(str)), key=lambda k: (k == "all", k if k == "all" else int(k))
    )


def size_ticks(ax: Axes, frame: pd.DataFrame) -> None:
    """Label the axis of cluster sizes."""
    sizes = cluster_sizes(frame)
    ax.set_xticks(range(len(sizes)), sizes)
    ax.set_xlim(-0.5, len(sizes) - 0.5)
    ax.set_xlabel("Bands per cluster, k")


def log_ticks(ax: Axes) -> None:
    """Make the vertical axis logarithmic, with ticks at 1, 2 and 5 written out."""
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_locator(NullLocator())


def against_clusters(
    ax: Axes,
    frame: pd.DataFrame,
    value: str,
    lowest: str,
    highest: str,
    sizes: Sequence[str] | None = None,
    suffixes: dict[str, str] | None = None,
) -> None:
    """Plot a value against cluster size, one line per family and protocol, with bars from lowest to highest.

    Parameters
    ----------
    ax
        Axes to draw on.
    frame
        One row per mark: family, protocol, bands_per_cluster and the three columns.
    value, lowest, highest
        Names of the columns.
    sizes
        Cluster sizes along the axis. Default: those of `frame`.
    suffixes
        Suffixes in the legend for each protocol, if there are several.
    """
    places = list(cluster_sizes(frame) if sizes is None else sizes)
    looks = Looks()
    says = (suffixes or SUFFIXES) if frame["protocol"].nunique() > 1 else {}
    groups = list(frame.groupby(["family", "protocol"], sort=False))
    for number, ((family, protocol), group) in enumerate(groups):
        group = group.assign(x=group["bands_per_cluster"].astype(str).map(places.index)).sort_values("x")
        shift = (number - (len(groups) - 1) / 2) * 0.06
        label = name_of(family) + says.get(protocol, "")
        bars = [group[value] - group[lowest], group[highest] - group[value]]
        ax.errorbar(
            group["x"] + shift,
            group[value],
            yerr=bars,
            label=label,
            elinewidth=0.7,
            capsize=1.5,
            **looks.of(family, "", "", protocol),
        )
