r"""The paper's claims and a study's verdict on each. Writes .csv, .md and .tex.

Example:
  python scripts/table_claims.py results/demo/rd.csv --scenes results/demo/tables/datasets.csv \
      --claims results/reference/claims.yaml --output results/demo/tables/claims.csv
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

from bandpress.study.claims import judge, read_claims
from bandpress.study.figures import script
from bandpress.study.figures.tables import Column, save_table

COLUMNS = (
    Column("claim", "Claim"),
    Column("pooling", "Pooling"),
    Column("claimed_db", "Claimed (dB)", ".0f"),
    Column("found", "Found"),
    Column("protocol", "Protocol"),
    Column("verdict", "Verdict"),
    Column("reason", "Because"),
)


def draw(args: argparse.Namespace) -> None:
    """Make the table."""
    claims = read_claims(args.claims)
    judged = judge(claims, script.select(args), pd.read_csv(args.scenes))
    notes = [f"{name}: {claim.says} ({claim.source})." for name, claim in claims.items()]
    save_table(judged, COLUMNS, args.output, script.caption(__file__), notes)


def options(parser: argparse.ArgumentParser) -> None:
    """Add the script's arguments."""
    script.add_selection(parser)
    parser.add_argument("--scenes", type=Path, required=True, help="CSV file from table_datasets.py")
    parser.add_argument("--claims", type=Path, required=True, help="claims of the paper, YAML")


main = script.table(__doc__, draw, options)

if __name__ == "__main__":
    sys.exit(main())
