"""Main result: the learned codec against RKLT + JPEG 2000 in the same clusters, one sentence per sensor.

Writes .csv, .md and .tex.

Example:
  python scripts/table_headline.py results/demo/rd.csv --output results/demo/tables/headline.csv
"""

import argparse
import math
import sys
from typing import Any

import pandas as pd

from bandpress.study.figures import results, script
from bandpress.study.figures.axes import cluster_sizes
from bandpress.study.figures.gains import POOLINGS, gains, same_clusters
from bandpress.study.figures.tables import Column, save_table


def listed(items: list[str]) -> str:
    """Join with commas and a last "and"."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def compared(gain: pd.Series) -> str:
    """Return the gain or loss at each cluster size, in words."""
    return listed([f"{abs(v):.1f} dB {'above' if v >= 0 else 'below'} at k = {k}" for k, v in gain.items()])


#: Description of the reference's rate allocation.
PROTOCOLS = {
    "equal": "with the same rate for every cluster, as in the paper",
    "shared": "with rate allocated across clusters",
}


#: Name, in the sentence, of each learned family that is compared with RKLT + JPEG 2000.
SUBJECTS = {
    "wavelet-learned": "the context codec",
    "learned": "the paper's network",
}


def sentence(family: str, sensor: str, protocol: str, gain: dict[str, pd.Series], frame: pd.DataFrame) -> str:
    """Return the mean gains of a sensor in one sentence.

    Parameters
    ----------
    family, sensor, protocol
        Subject of the sentence: family, sensor and protocol.
    gain
        Mean gains over scenes by cluster size, under each pooling.
    frame
        The rows of rd.csv of the codecs compared.
    """
    scenes = frame["scene"].nunique()
    low, high = frame["bps"].min(), frame["bps"].max()
    pooled, clusters = (gain.get(POOLINGS[key]) for key in ("psnr", "psnr_cluster_mean"))
    how = f", {PROTOCOLS[protocol]}" if protocol in PROTOCOLS else ""
    text = (
        f"On {scenes} {sensor} scene{'s' * (scenes > 1)}, at {low:.2f} to {high:.2f} bits per sample, "
        f"{SUBJECTS[family]} is {'on average ' * (scenes > 1)}{compared(pooled)}, "
        f"compared with RKLT + JPEG 2000 in the same clusters{how} (BD-PSNR of the pooled MSE, peak 65,535)"
    )
    if clusters is not None:
        text += f"; by the mean of the PSNRs of clusters it is {compared(clusters)}"
    return text + "."


def draw(args: argparse.Namespace) -> None:
    """Make the table."""
    frame = script.select(args)
    frame = results.lossy(frame)
    if not frame["family"].isin(list(SUBJECTS)).any():
        raise results.NothingToShow("The study has no learned codec.")
    found = gains(frame, same_clusters(frame))
    found = found[found["family"].isin(list(SUBJECTS))]
    rows: list[dict[str, Any]] = []
    best: dict[int, float] = {}
    for (family, sensor, protocol), group in found.groupby(["family", "sensor", "protocol"], sort=False):
        known = group[group["bd_psnr_db"].notna()]
        row = {"family": family, "subject": SUBJECTS[family], "sensor": sensor, "protocol": protocol}
        if not (known["pooling"] == POOLINGS["psnr"]).any():
            rows.append(
                {**row, "sentence": f"{sensor}: the curves cannot be compared ({group['note'].iloc[0]})."}
            )
            continue
        order = cluster_sizes(known)
        gain = {
            pooling: part.groupby("bands_per_cluster")["bd_psnr_db"].mean().reindex(order).dropna()
            for pooling, part in known.groupby("pooling", sort=False)
        }
        part = frame[
            (frame["sensor"] == sensor)
            & frame["scene"].isin(known["scene"])
            & frame["codec"].isin(known["codec"])
        ]
        numbers = {
            f"bd_psnr_db_k{k}_{'pooled' if pooling == POOLINGS['psnr'] else 'clusters'}": value
            for pooling, values in gain.items()
            for k, value in values.items()
        }
        rows.append({**row, "sentence": sentence(family, sensor, protocol, gain, part), **numbers})
        best[len(rows) - 1] = max(gain[POOLINGS["psnr"]])
    if not rows:
        raise results.NothingToShow(
            "The study has no RKLT + JPEG 2000 in the same clusters to compare a learned codec with."
        )
    rows = [rows[i] for i in sorted(range(len(rows)), key=lambda i: -best.get(i, -math.inf))]
    columns = [Column("sensor", "Sensor"), Column("sentence", "Headline")]
    save_table(pd.DataFrame(rows), columns, args.output, script.caption(__file__))


main = script.table(__doc__, draw)

if __name__ == "__main__":
    sys.exit(main())
