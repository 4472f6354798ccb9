"""The headline: how the learned codec compares with RKLT + JPEG 2000 in the same clusters, in one sentence a sensor.

Writes .csv, .md and .tex.

Example:
  python scripts/table_headline.py results/demo/rd.csv --output results/demo/tables/headline.csv
"""

import argparse
import sys

import pandas as pd

from bandpress.figures import results, script
from bandpress.figures.gains import POOLINGS, gains, same_clusters
from bandpress.figures.tables import Column, save_note, save_table


def listed(items: list[str]) -> str:
    """Join with commas and a last "and"."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def sentence(sensor: str, protocol: str, rows: pd.DataFrame, frame: pd.DataFrame) -> str:
    """Say what the mean gains of a sensor are.

    Parameters
    ----------
    sensor, protocol
        What is said to be compared.
    rows
        Mean gains over scenes, one row a cluster size.
    frame
        The rows of rd.csv of the codecs compared.
    """
    scenes = frame["scene"].nunique()
    low, high = frame["bps"].min(), frame["bps"].max()
    parts = [
        f"{abs(row.bd_psnr_db):.1f} dB {'above' if row.bd_psnr_db >= 0 else 'below'} at k = {row.bands_per_cluster}"
        for row in rows.itertuples()
    ]
    how = " with rate shared across clusters" if protocol == "shared" else ""
    return (
        f"On {scenes} {sensor} scene{'s' * (scenes > 1)}{how}, the learned codec is on average {listed(parts)}, "
        f"compared with RKLT + JPEG 2000 in the same clusters "
        f"(BD-PSNR, peak 65,535, pooled MSE; learned codec at {low:.2f} to {high:.2f} bits per sample)."
    )


def draw(args: argparse.Namespace) -> None:
    """Make the table."""
    frame = script.select(args)
    frame = results.lossy(frame)
    learned = frame["family"] == "learned"
    if not learned.any():
        raise results.NothingToShow("The study has no learned codec to speak of.")
    found = gains(frame, same_clusters(frame))
    found = found[(found["family"] == "learned") & (found["pooling"] == POOLINGS["psnr"])]
    rows = []
    for (sensor, protocol), group in found.groupby(["sensor", "protocol"], sort=False):
        known = group[group["bd_psnr_db"].notna()]
        if known.empty:
            text = f"{sensor}: the curves cannot be compared ({group['note'].iloc[0]})."
            rows.append({"sensor": sensor, "protocol": protocol, "sentence": text})
            continue
        mean = known.groupby("bands_per_cluster", sort=False)["bd_psnr_db"].mean().reset_index()
        mean = mean.sort_values(
            "bands_per_cluster", key=lambda k: k.map(lambda v: float("inf") if v == "all" else int(v))
        )
        part = frame[learned & (frame["sensor"] == sensor) & (frame["protocol"] == protocol)]
        part = part[part["scene"].isin(known["scene"]) & part["codec"].isin(known["codec"])]
        gain = {f"bd_psnr_db_k{row.bands_per_cluster}": row.bd_psnr_db for row in mean.itertuples()}
        text = sentence(sensor, protocol, mean, part)
        rows.append({"sensor": sensor, "protocol": protocol, "sentence": text, **gain})
    if not rows:
        raise results.NothingToShow(
            "No learned codec has RKLT + JPEG 2000 in the same clusters to be compared with."
        )
    columns = [Column("sensor", "Sensor"), Column("sentence", "Headline")]
    save_table(pd.DataFrame(rows), columns, args.output, "What this study found.")


def main(argv: list[str] | None = None) -> int:
    """Run the script."""
    parser = script.parser(__doc__)
    script.add_selection(parser)
    args = parser.parse_args(argv)
    return script.run(lambda: draw(args), args.output, save_note)


if __name__ == "__main__":
    sys.exit(main())
