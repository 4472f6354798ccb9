"""Scenes of a study: geometry, type, range, licence. Writes .csv, .md and .tex.

Example:
  python scripts/table_datasets.py studies/demo.yaml results/demo/scenes/*/* --output results/demo/tables/datasets.csv
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from bandpress import read_scene
from bandpress.errors import StudyError
from bandpress.figures import script
from bandpress.figures.tables import Column, save_note, save_table
from bandpress.scripting import only_file
from bandpress.study_file import load_study

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
    study = load_study(args.study)
    rows = []
    for folder in args.scenes:
        dataset = study.datasets.get(folder.parent.name)
        if dataset is None:
            raise StudyError(
                f"{folder}: no data set {folder.parent.name!r} in {args.study}; "
                f"expected a folder …/<data set>/<scene> of {', '.join(study.datasets)}"
            )
        scene = read_scene(only_file(folder))
        known = scene.wavelengths
        rows.append(
            {
                "dataset": folder.parent.name,
                "role": dataset.role,
                "sensor": dataset.sensor,
                "scene": folder.name,
                "bands": scene.bands,
                "lines": scene.lines,
                "samples": scene.samples,
                "type": scene.dtype.name,
                "min": scene.cube.min().item(),
                "max": scene.cube.max().item(),
                "mean": float(np.mean([band.mean() for band in scene.cube])),
                "wavelengths": f"{min(known):.0f}–{max(known):.0f}" if known else "not known",
                "licence": dataset.licence,
                "citation": dataset.citation,
            }
        )
    sources = dict.fromkeys(f"{row['dataset']}: {row['citation']}" for row in rows)
    save_table(pd.DataFrame(rows), COLUMNS, args.output, "The scenes.", list(sources))


def main(argv: list[str] | None = None) -> int:
    """Run the script."""
    parser = script.parser(__doc__)
    parser.add_argument("study", type=Path, help="the study file")
    parser.add_argument("scenes", nargs="+", type=Path, help="prepared scenes, folders …/<data set>/<scene>")
    args = parser.parse_args(argv)
    return script.run(lambda: draw(args), args.output, save_note)


if __name__ == "__main__":
    sys.exit(main())
