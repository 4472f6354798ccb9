r"""Rates of clusters against their bands, at about the same total rate.

Writes .pdf, .svg, .png and .csv. Reads the streams that rd.csv names. The rate of a cluster is
that of its chunk; the header is left out.

Example:
  python scripts/fig_rate_map.py results/demo/rd.csv --scene indian_pines_south --rate 0.2 \
      --output results/demo/figures/rate_map.pdf
"""

import argparse
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from bandpress.container.bitstream import Reader
from bandpress.study.figures import results, script, style
from bandpress.study.figures.looks import Looks


def cluster_rates(path: Path) -> pd.DataFrame:
    """Return first and last band (counted from 1), wavelengths and bits per sample of each cluster of a stream."""
    with Reader(path) as reader:
        header = reader.header
        pixels = header.lines * header.samples
        known = header.metadata.get("wavelengths")
        return pd.DataFrame(
            {
                "first_band": cluster.first + 1,
                "last_band": cluster.stop,
                "first_nm": known[cluster.first] if known else np.nan,
                "last_nm": known[cluster.stop - 1] if known else np.nan,
                "bytes": size,
                "bps": size * 8 / (pixels * cluster.count),
            }
            for cluster, size in zip(reader.clusters, reader.chunk_bytes, strict=True)
        )


def draw(args: argparse.Namespace) -> None:
    """Draw the figure."""
    frame = script.select(args)
    scene = frame["scene"].iloc[0]
    frame = results.lossy(frame[frame["scene"] == scene])
    if args.codec:
        frame = results.of_codecs(frame, args.codec)
    chosen = results.nearest_rate(frame, args.rate)
    style.use()
    figure, ax = plt.subplots(figsize=(style.COLUMN, 2.2 + 0.14 * len(chosen)))
    looks, numbers = Looks(), []
    for i, (_, row) in enumerate(chosen.iterrows()):
        rates = cluster_rates(args.root / row["file"])
        look = looks.of(row["family"], row["bands_per_cluster"], row["codec"], row["protocol"])
        edges = np.append(rates["first_band"] - 0.5, rates["last_band"].iloc[-1] + 0.5)
        ax.stairs(rates["bps"], edges, baseline=None, color=look["color"], linewidth=0.8, zorder=9 - i % 7)
        middle = (rates["first_band"] + rates["last_band"]) / 2
        step = max(len(rates) // 8, 1)
        marks = slice(min(step * i // len(chosen), len(rates) - 1), None, step)
        label = f"{row['label']} ({row['bps']:.2f} bps)"
        look |= {"linestyle": "-", "linewidth": 0.8, "markersize": 3.2}
        ax.plot([], [], label=label, **look)
        ax.plot(middle[marks], rates["bps"][marks], **look | {"linestyle": "none"}, zorder=9 - i % 7)
        about = {"scene": scene, "codec": row["codec"], "label": row["label"], "point": row["point"]}
        numbers.append(pd.DataFrame([about]).merge(rates, how="cross"))
    ax.set_ylim(bottom=0)
    ax.set_xlabel("Band")
    ax.set_ylabel("Rate of cluster (bits per sample)")
    ax.set_title(scene, fontweight="normal")
    style.legend(figure, *ax.get_legend_handles_labels())
    style.save(figure, pd.concat(numbers), args.output)


def options(parser: argparse.ArgumentParser) -> None:
    """Add the script's arguments."""
    script.add_selection(parser)
    parser.add_argument("--codec", action="append", help="only this codec; may be repeated")
    parser.add_argument("--rate", type=float, required=True, help="in bits per sample")
    parser.add_argument(
        "--root", type=Path, default=Path(), help="folder that the files in rd.csv are relative to"
    )


main = script.figure(__doc__, draw, options)

if __name__ == "__main__":
    sys.exit(main())
