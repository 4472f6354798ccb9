r"""Compare a run with the kept reference results. Writes .csv, .md and .tex.

One row per point. Notes below the table name each difference, also of the other tables; the CSV has a row for each.

Example:
  python scripts/table_comparison.py results/demo --reference results/reference/demo \
      --claims results/reference/claims.yaml --output results/demo/tables/comparison.csv
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

from bandpress.study.claims import read_claims
from bandpress.study.comparison import Tolerance, compare
from bandpress.study.figures import script
from bandpress.study.figures.tables import Column, save_table, shown

COLUMNS = (
    Column("scene", "Scene"),
    Column("codec", "Codec"),
    Column("point", "Point"),
    Column("model", "Model"),
    Column("bps", "Rate (bps)", ".4f"),
    Column("bps_expected", "Expected", ".4f"),
    Column("psnr", "PSNR (dB)", ".3f"),
    Column("psnr_expected", "Expected", ".3f"),
    Column("verdict", "Verdict"),
    Column("claims", "Speaks to"),
)


def within(tolerance: Tolerance) -> str:
    """Format a tolerance."""
    return f"rate within {100 * tolerance.rate:g} %, PSNR within {tolerance.psnr:g} dB"


def notes_of(points: pd.DataFrame, differences: list[str], tolerances: dict[str, Tolerance]) -> list[str]:
    """Return the sentences below the table."""
    agree = points["verdict"] == "agrees"
    anew = points["model"] == "retrained"
    notes = [
        f"{agree.sum()} of {len(points)} points agree, {points['identical'].sum()} of them to the last byte. "
        f"Without a network or with the reference's own: {within(tolerances['same'])}."
    ]
    if anew.any():
        notes.append(f"With a network that was trained anew: {within(tolerances['retrained'])}.")
    return [*notes, *(f"Differs: {sentence}." for sentence in differences)]


def draw(args: argparse.Namespace) -> None:
    """Make the table."""
    found = compare(args.run, args.reference)
    claims = read_claims(args.claims)
    points = found.points
    points["claims"] = [
        " ".join(
            name
            for name, claim in claims.items()
            if claim.about(row.sensor, row.family, str(row.bands_per_cluster))
        )
        for row in points.itertuples()
    ]
    sentences = [str(difference) for difference in found.differences]
    tolerances = {"same": found.tolerances.same, "retrained": found.tolerances.retrained}
    notes = notes_of(points, sentences, tolerances)
    if (points["model"] == "retrained").any():
        notes.insert(2, f"Measured spread of trainings: {found.tolerances.measured.strip().rstrip('.')}.")
    columns = shown(COLUMNS, points, ["scene", "model", "claims"])
    data = pd.concat([points, pd.DataFrame({"difference": sentences})], ignore_index=True)
    save_table(points, columns, args.output, script.caption(__file__), notes, csv=data)


def options(parser: argparse.ArgumentParser) -> None:
    """Add the script's arguments."""
    parser.add_argument("run", type=Path, help="results of a study")
    parser.add_argument("--reference", type=Path, required=True, help="the kept reference results")
    parser.add_argument("--claims", type=Path, required=True, help="claims of the paper, YAML")


main = script.table(__doc__, draw, options)

if __name__ == "__main__":
    sys.exit(main())
