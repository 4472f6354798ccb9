"""Style and writing of figures: reproducible PDF, SVG, PNG, and the plotted numbers."""

import textwrap
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
import seaborn
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from bandpress.files import atomic_path

#: Widths in inches: one and two columns of a journal page.
COLUMN = 3.35
PAGE = 6.85

#: Okabe & Ito's palette, distinguishable with every kind of colour vision.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILION, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#777777"
#: Colours that looks of codecs name.
COLOURS = {
    "black": BLACK,
    "orange": ORANGE,
    "sky": SKY,
    "green": GREEN,
    "blue": BLUE,
    "vermilion": VERMILION,
    "purple": PURPLE,
    "grey": GREY,
}
#: Colours and markers of lines that stand for no codec, in this order.
MARKS = (
    (BLUE, "o"),
    (VERMILION, "s"),
    (GREEN, "D"),
    (ORANGE, "^"),
    (PURPLE, "v"),
    (SKY, "P"),
    (BLACK, "X"),
)

_LEGEND_SIZE = 6.5
_METADATA = {
    ".pdf": {"CreationDate": None, "ModDate": None, "Producer": None, "Creator": None},
    ".svg": {"Date": None, "Creator": None},
    ".png": {"Software": None},
}


def use() -> None:
    """Activate bandpress's style: seaborn's for papers, with our sizes and colours."""
    plt.style.use("default")
    with resources.as_file(resources.files(__package__) / "bandpress.mplstyle") as path:
        own = matplotlib.rc_params_from_file(path, use_default_template=False)
    seaborn.set_theme("paper", "ticks", [colour for colour, _ in MARKS], rc=own)


def save(figure: Figure, numbers: pd.DataFrame, output: str | Path) -> list[Path]:
    """Write a figure as .pdf, .svg and .png (200 dpi) and its data as .csv, all with the stem of `output`.

    Parameters
    ----------
    figure
        The figure; it is closed.
    numbers
        The plotted numbers, one row per mark.
    output
        Any of the files to write.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    stem = Path(output).with_suffix("")
    paths = []
    for suffix, metadata in _METADATA.items():
        final = stem.with_suffix(suffix)
        with atomic_path(final) as part:
            figure.savefig(part, metadata=metadata)
        paths.append(final)
    plt.close(figure)
    paths.append(save_numbers(numbers, stem.with_suffix(".csv")))
    return paths


def title(figure: Figure, sensors: Iterable[str], scenes: Sequence[str]) -> None:
    """Write sensors and scenes above a figure."""
    what = scenes[0] if len(scenes) == 1 else f"mean of {len(scenes)} scenes"
    figure.suptitle(": ".join(filter(None, (", ".join(dict.fromkeys(sensors)), what))), fontsize=7.5)


def legend(
    figure: Figure, handles: Iterable[Artist], labels: Iterable[str], title: str | None = None
) -> None:
    """Put a legend below a figure, in as many columns as fit."""
    labels = list(labels)
    widest = max(map(len, labels), default=1)
    entry = _LEGEND_SIZE * (3.0 + 0.8 + 1.2 + 0.56 * widest)
    columns = int(min(max(figure.get_figwidth() * 72 // entry, 1), 4, len(labels)))
    figure.legend(
        list(handles),
        labels,
        loc="outside lower center",
        ncols=columns,
        title=title,
        title_fontsize=_LEGEND_SIZE,
    )


def save_numbers(numbers: pd.DataFrame, path: Path) -> Path:
    """Write numbers as CSV, atomically."""
    with atomic_path(path) as part:
        numbers.to_csv(part, index=False, lineterminator="\n")
    return path


def save_note(sentence: str, output: str | Path) -> list[Path]:
    """Write a note in place of a figure that cannot be made."""
    use()
    figure = plt.figure(figsize=(COLUMN, 1.2))
    figure.text(0.5, 0.5, textwrap.fill(sentence, 55), ha="center", va="center")
    return save(figure, pd.DataFrame({"note": [sentence]}), output)
