r"""Scenes of a study: geometry, type, range, licence. Writes .csv, .md and .tex.

Example:
  python scripts/table_datasets.py results/demo/scenes/*/* --output results/demo/tables/datasets.csv \
      --cards '{"IndianPines_test": {"role": "test", "sensor": "AVIRIS", "licence": "CC BY 3.0", "citation": "…"}}'
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from bandpress import read_scene
from bandpress.errors import StudyError
from bandpress.nodata.samples import ends, mask_of
from bandpress.study.figures import script
from bandpress.study.figures.tables import Column, save_table
from bandpress.study.scripting import only_file

COLUMNS = (
    Column("dataset", "Data set"),
    Column("role", "Role"),
    Column("sensor", "Sensor"),
    Column("scene", "Scene"),
    Column("bands", "Bands", "d"),
    Column("lines", "Lines", "d"),
    Column("samples", "Samples", "d"),
    Column("type", "Type"),
    Column("min", "Min", "g"),
    Column("max", "Max", "g"),
    Column("wavelengths", "Wavelengths (nm)"),
    Column("licence", "Licence"),
)


def draw(args: argparse.Namespace) -> None:
    """Make the table."""
    rows = []
    for folder in args.scenes:
        card = args.cards.get(folder.parent.name)
        if card is None:
            raise StudyError(
                f"{folder}: no data set {folder.parent.name!r} among the cards; "
                f"expected a folder …/<data set>/<scene> of {', '.join(args.cards)}"
            )
        scene = read_scene(only_file(folder))
        known = scene.wavelengths
        low, high = ends(scene.cube, scene.nodata)
        planes = ((band, mask_of(band, scene.nodata)) for band in scene.cube)
        measured = (band if gone is None else band[~gone] for band, gone in planes)
        rows.append(
            {
                "dataset": folder.parent.name,
                "role": card["role"],
                "sensor": card["sensor"],
                "scene": folder.name,
                "bands": scene.bands,
                "lines": scene.lines,
                "samples": scene.samples,
                "type": scene.dtype.name,
                "min": scene.dtype.type(low).item(),
                "max": scene.dtype.type(high).item(),
                "mean": float(np.mean([band.mean() for band in measured if band.size])),
                "wavelengths": f"{min(known):.0f}–{max(known):.0f}" if known else "not known",
                "licence": card["licence"],
                "citation": card["citation"],
            }
        )
    sources = dict.fromkeys(f"{row['dataset']}: {row['citation']}" for row in rows)
    save_table(pd.DataFrame(rows), COLUMNS, args.output, script.caption(__file__), list(sources))


def options(parser: argparse.ArgumentParser) -> None:
    """Add the script's arguments."""
    parser.add_argument("scenes", nargs="+", type=Path, help="prepared scenes, folders …/<data set>/<scene>")
    parser.add_argument(
        "--cards",
        type=json.loads,
        required=True,
        help="data set → role, sensor, licence, citation, JSON",
    )


main = script.table(__doc__, draw, options)

if __name__ == "__main__":
    sys.exit(main())
