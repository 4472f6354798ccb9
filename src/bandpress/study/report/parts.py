"""Parts of a study's page, made from its files: figures, tables, data cards."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from markdown_it import MarkdownIt
from markupsafe import Markup
from PIL import Image

from bandpress import read_scene
from bandpress.pictures import colour_bands, stretch_of, to_rgb
from bandpress.study.scripting import only_file

#: Largest SVG in bytes; larger figures are embedded as PNG.
LARGE = 1_500_000

#: Widest PNG, in pixels, of a figure of one column; wider figures fill the page.
WIDE = 1000

#: Most rows of a table without scrolling.
LONG = 20

_QUICKLOOK_PIXELS = 400


@dataclass(frozen=True)
class Figure:
    """A figure with its caption; `note` replaces an empty figure, `wide` figures fill the page."""

    name: str
    title: str
    caption: str
    image: str
    note: str
    wide: bool
    files: Sequence[str]


@dataclass(frozen=True)
class Table:
    """A table as HTML with its caption and the notes below it."""

    name: str
    caption: str
    body: Markup
    notes: Markup
    long: bool
    files: Sequence[str]


def data_uri(content: bytes, kind: str) -> str:
    """Return content as a data URL."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def caption_of(path: Path) -> tuple[str, str]:
    """Return the first sentence of a caption, used as the title, and the rest."""
    title, _, rest = " ".join(path.read_text("utf-8").split()).partition(". ")
    return title.removesuffix("."), rest


def figure(results: Path, name: str, caption: Path) -> Figure:
    """Read a figure of a study.

    Parameters
    ----------
    results
        Folder of the study's results, to which links are relative.
    name
        Name of the figure.
    caption
        Its caption.
    """
    stem = results / "figures" / name
    title, rest = caption_of(caption)
    svg, png = stem.with_suffix(".svg"), stem.with_suffix(".png")
    if svg.stat().st_size <= LARGE:
        image = data_uri(svg.read_bytes(), "image/svg+xml")
    else:
        image = data_uri(png.read_bytes(), "image/png")
    with Image.open(png) as opened:
        wide = opened.width > WIDE
    files = [f"figures/{name}{suffix}" for suffix in (".pdf", ".svg", ".png", ".csv")]
    return Figure(name, title, rest, image, note_of(stem.with_suffix(".csv")), wide, files)


def note_of(numbers: Path) -> str:
    """Return the note that replaces a figure or table, or an empty string."""
    frame = pd.read_csv(numbers, nrows=1)
    return str(frame["note"].iloc[0]) if list(frame.columns) == ["note"] else ""


def table(results: Path, name: str) -> Table:
    """Read a table of a study from its Markdown: caption, table, notes."""
    text = results.joinpath("tables", f"{name}.md").read_text("utf-8")
    lines = text.splitlines()
    rows = [i for i, line in enumerate(lines) if line.startswith("|")]
    render = MarkdownIt("commonmark", {"html": False}).enable("table").render
    body = render("\n".join(lines[rows[0] : rows[-1] + 1]))
    notes = render("\n".join(lines[rows[-1] + 1 :]))
    files = [f"tables/{name}{suffix}" for suffix in (".csv", ".md", ".tex")]
    caption = " ".join(lines[: rows[0]]).strip()
    return Table(name, caption, Markup(body), Markup(notes), len(rows) - 2 > LONG, files)


def quicklook(folder: Path, bands: Sequence[int] | None) -> str:
    """Return a thumbnail of a prepared scene as a data URL.

    Parameters
    ----------
    folder
        Folder of the prepared scene.
    bands
        Bands for red, green and blue, counted from 1; default: those near their wavelengths.
    """
    scene = read_scene(only_file(folder))
    shown = tuple(band - 1 for band in bands) if bands else colour_bands(scene)
    step = max(1, max(scene.lines, scene.samples) // _QUICKLOOK_PIXELS)
    rgb = to_rgb(scene, shown, stretch_of(scene, shown))[::step, ::step]
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, format="PNG")
    return data_uri(file.getvalue(), "image/png")


def data_cards(card: dict[str, Any], scenes: pd.DataFrame, pictures: dict[str, str]) -> list[dict[str, Any]]:
    """Return the card of each data set of a study.

    Parameters
    ----------
    card
        The study, with its data sets by name.
    scenes
        The table of data sets.
    pictures
        Pictures of some of them, by name.
    """
    cards = []
    for name, entry in card["datasets"].items():
        known = scenes[scenes["dataset"] == name] if "dataset" in scenes else scenes.iloc[:0]
        crops = entry.get("scenes") or {}
        cards.append(
            {
                "name": name,
                **{key: entry[key] for key in ("role", "sensor", "licence", "citation")},
                "source": entry["source"],
                "scenes": [_of_table(row) for _, row in known.iterrows()]
                or [_of_entry(scene, crop or {}) for scene, crop in crops.items()],
                "picture": pictures.get(name),
            }
        )
    return cards


def _of_table(row: pd.Series) -> str:
    text = f"{row['scene']}: {row['bands']} bands × {row['lines']} lines × {row['samples']} samples, {row['type']}"
    text += f", values {row['min']} to {row['max']}"
    return text + (f", {row['wavelengths']} nm" if "–" in str(row["wavelengths"]) else "")


def _of_entry(scene: str, crop: dict[str, Any]) -> str:
    parts = [f"{key} {crop[key]}" for key in ("lines", "samples", "bands") if crop.get(key)]
    return ": ".join(filter(None, (scene, ", ".join(parts))))
