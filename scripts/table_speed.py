"""Speed and memory of every codec. Writes .csv, .md and .tex.

Example:
  python scripts/table_speed.py results/demo/rd.csv --output results/demo/tables/speed.csv
"""

import argparse
import sys

from bandpress.study.figures import script
from bandpress.study.figures.speed import throughput
from bandpress.study.figures.tables import Column, save_table

COLUMNS = (
    Column("sensor", "Sensor"),
    Column("label", "Codec"),
    Column("protocol", "Protocol"),
    Column("measurements", "Runs", "d"),
    Column("encode_msps", "Encoding (Msamples/s)", ".3g"),
    Column("decode_msps", "Decoding (Msamples/s)", ".3g"),
    Column("peak_memory_mb", "Peak memory (MB)", ".0f"),
)
NOTE = (
    "Median over scenes and operating points, wall clock, from the scene in memory to the file on disk and back; "
    "loading of a network counts. Peak memory: the highest of any run, of the whole process. Small scenes understate "
    "the speed of every codec."
)


def draw(args: argparse.Namespace) -> None:
    """Make the table."""
    speeds = throughput(script.select(args))
    columns = [c for c in COLUMNS if speeds[c.key].notna().any()]
    columns = [c for c in columns if c.key not in ("sensor", "protocol") or speeds[c.key].nunique() > 1]
    save_table(speeds, columns, args.output, script.caption(__file__), [NOTE])


def main(argv: list[str] | None = None) -> int:
    """Run the script."""
    return script.run_table(__doc__, draw, argv)


if __name__ == "__main__":
    sys.exit(main())
