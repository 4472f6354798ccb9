"""Table of a study's missing data and the action that each item needs."""

from collections.abc import Iterable

from bandpress.datasets.inventory import Item

#: Text for a source that is not on this machine, by `Item.action`.
_ACTIONS = {
    "hand": "put it there by hand",
    "consent": "large: needs consent",
    "install": "install its package",
    "download": "downloaded",
    "page": "found on the page and downloaded",
}


def must_be_brought(items: Iterable[Item]) -> bool:
    """Say whether the study needs action by hand before it can run."""
    return any(item.action in ("hand", "consent", "install") for item in items)


def missing_table(study: str, items: Iterable[Item]) -> str:
    """Return a table of missing items: names, folder, action, and where they are offered.

    Parameters
    ----------
    study
        Name of the study.
    items
        Missing items. Items of the same folder share a row.
    """
    items = list(items)
    rows: dict[tuple[str, str, str], list[str]] = {}
    for item in items:
        place = (str(item.folder), _ACTIONS[item.action], " or ".join(item.addresses))
        rows.setdefault(place, []).append(item.name)
    lines = [("missing", "folder", "action", "offered on")]
    lines += [(", ".join(names), *place) for place, names in rows.items()]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(
        [
            f"{study}: {len(items)} sources are not on this machine"
            + ("; nothing was started." if must_be_brought(items) else "."),
            *(f"  {line.rstrip()}" for line in table),
            *(f"cannot be fetched: {why}" for why in dict.fromkeys(item.obstacle for item in items) if why),
            "BANDPRESS_DATA names the data folder, by default data/ in the working directory (docs/datasets.md).",
        ]
    )
