"""Bits per sample of every scene, lossless and at each bound on the error. Writes .csv, .md and .tex.

Example:
  python scripts/table_bounds.py results/demo/rd.csv --output results/demo/tables/bounds.csv
"""

import argparse
import sys

from bandpress.study.figures import results, script
from bandpress.study.figures.tables import Column, save_table

NOTES = (
    "Bits of the file on disk, header and side information included, over samples of the scene. No sample is off by "
    "more than the error that the column names, in DN.",
)


def draw(args: argparse.Namespace) -> None:
    """Make the table."""
    wide = results.bounded(script.select(args)).pivot_table(
        "bps", ["scene", "label"], "max_error", "min", sort=False
    )
    errors = sorted(wide.columns)
    names = ["Lossless" if error == 0 else f"Error ≤ {error:.0f}" for error in errors]
    keys = [f"max_error_{error:.0f}" for error in errors]
    wide = wide[errors].set_axis(keys, axis=1).reset_index()
    columns = [Column(key, name, ".3f") for key, name in zip(keys, names, strict=True)]
    save_table(
        wide,
        [Column("scene", "Scene"), Column("label", "Codec"), *columns],
        args.output,
        script.caption(__file__),
        NOTES,
    )


main = script.table(__doc__, draw)

if __name__ == "__main__":
    sys.exit(main())
