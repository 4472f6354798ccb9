"""The page of a study, assembled and rendered."""

import json
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined

from bandpress import __version__
from bandpress.study.report import parts
from bandpress.study.report.stages import duration, read_stages

#: Packages whose versions the page shows; all others are in provenance.json.
SHOWN = (
    "python",
    "bandpress",
    "numpy",
    "scipy",
    "glymur",
    "tensorflow",
    "tensorflow-compression",
    "snakemake",
    "matplotlib",
)

#: Tables with a section of their own.
VERDICTS = ("comparison", "claims")
PROTOCOLS = {"equal": "equal rates, as in the paper", "shared": "rate allocated across bands"}


def render(
    results: Path,
    card: dict[str, Any],
    figures: dict[str, str],
    tables: list[str],
    captions: Path,
    pictures: dict[str, str],
) -> str:
    """Return the page of a study as HTML.

    Parameters
    ----------
    results
        Folder of the study's results.
    card
        The study: study, title, file, datasets.
    figures
        The script of each figure, by name, in order.
    tables
        Names of the tables, in order.
    captions
        Folder with ``fig_<script>.rst``.
    pictures
        Data URLs of pictures of some data sets, by name.

    Returns
    -------
    str
        Self-contained HTML; its links to files are relative to `results`.
    """
    rd = pd.read_csv(results / "rd.csv")
    made = {name: parts.table(results, name) for name in tables}
    drawn = [parts.figure(results, name, captions / f"fig_{script}.rst") for name, script in figures.items()]
    provenance = json.loads((results / "provenance.json").read_text("utf-8"))
    scenes = pd.read_csv(results / "tables/datasets.csv")
    text = resources.files(__package__).joinpath("page.html").read_text("utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["duration"] = duration
    return environment.from_string(text).render(
        card=card,
        version=__version__,
        headline=headline(results),
        tiles=tiles(results, rd),
        verdicts=[made[name] for name in VERDICTS if name in made],
        compared="comparison" in made,
        figures=sorted(drawn, key=lambda figure: figure.wide),
        tables=[table for name, table in made.items() if name not in (*VERDICTS, "headline")],
        cards=parts.data_cards(card, scenes, pictures),
        stages=read_stages(results / "benchmarks"),
        provenance=provenance,
        software=software(provenance),
    )


def headline(results: Path) -> list[str]:
    """Return the study's main results as sentences."""
    frame = pd.read_csv(results / "tables/headline.csv")
    column = "sentence" if "sentence" in frame else "note"
    return [str(text) for text in frame[column]]


def tiles(results: Path, rd: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the key numbers with their labels."""
    shown = []
    frame = pd.read_csv(results / "tables/headline.csv")
    sensors = frame["sensor"].nunique() if "sensor" in frame else 0
    for _, row in frame.iterrows():
        for column in [c for c in frame.columns if c.endswith("_pooled") and pd.notna(row[c])]:
            k = column.removeprefix("bd_psnr_db_k").removesuffix("_pooled")
            what = f"{row['subject']} over RKLT + JPEG 2000, k = {k}, {PROTOCOLS.get(row['protocol'], '')}"
            what += f", {row['sensor']}" if sensors > 1 else ""
            shown.append((f"{row[column]:+.1f} dB".replace("-", "−"), what))
    comparison = results / "tables/comparison.csv"
    if comparison.is_file():
        points = pd.read_csv(comparison)
        points = points[points["verdict"].notna()]
        agree = int((points["verdict"] == "agrees").sum())
        shown.append((f"{agree} of {len(points)}", "points agree with the reference results of this study"))
    scenes = rd[["dataset", "scene"]].drop_duplicates().shape[0]
    shown.append((f"{len(rd)}", f"files coded and decoded, of {scenes} scene{'s' * (scenes > 1)}"))
    return shown


def software(provenance: dict[str, Any]) -> list[tuple[str, str]]:
    """Return package and version of the tools used."""
    rows = []
    for name in SHOWN:
        versions = dict.fromkeys(
            {key.lower(): value for key, value in found.items()}[name]
            for found in provenance["environments"].values()
            if name in map(str.lower, found)
        )
        if versions:
            rows.append((name, ", ".join(versions)))
    return rows
