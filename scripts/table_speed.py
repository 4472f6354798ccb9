"""Speed and memory of every codec. Writes .csv, .md and .tex.

Example:
  python scripts/table_speed.py results/demo/speed.csv --output results/demo/tables/speed.csv
"""

import argparse
import sys

from bandpress.study.figures import script
from bandpress.study.figures.speed import throughput
from bandpress.study.figures.tables import Column, save_table, shown

COLUMNS = (
    Column("sensor", "Sensor"),
    Column("label", "Codec"),
    Column("protocol", "Protocol"),
    Column("measurements", "Runs", "d"),
    Column("encode_msps", "Encoding (Msamples/s)", ".3g"),
    Column("decode_msps", "Decoding (Msamples/s)", ".3g"),
    Column("peak_memory_mb", "Peak memory (MB)", ".0f"),
    Column("threads", "Threads", "d"),
    Column("processor", "Processor"),
)
NOTE = (
    "Wall clock, from the scene in memory to the file on disk and back, with nothing else running; the second of two "
    "runs in one process. The first scene of each test set, at the point nearest to the rate of the figures; medians "
    "over test sets. Peak memory: the highest, of the whole process. Small scenes understate the speed of every codec."
)


def draw(args: argparse.Namespace) -> None:
    """Make the table."""
    speeds = throughput(script.select(args))
    columns = shown(COLUMNS, speeds, ["sensor", "protocol"])
    save_table(speeds, columns, args.output, script.caption(__file__), [NOTE])


main = script.table(__doc__, draw)

if __name__ == "__main__":
    sys.exit(main())
