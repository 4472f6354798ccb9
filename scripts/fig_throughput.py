"""Measured throughput of encoders and decoders against bands per cluster. Writes .pdf, .svg, .png and .csv.

Example:
  python scripts/fig_throughput.py results/demo/speed.csv --output results/demo/figures/throughput.pdf
"""

import argparse
import sys

import matplotlib.pyplot as plt

from bandpress.study.figures import script, style
from bandpress.study.figures.axes import against_clusters, log_ticks, size_ticks
from bandpress.study.figures.speed import throughput


def draw(args: argparse.Namespace) -> None:
    """Draw the figure."""
    frame = script.select(args)
    speeds = throughput(frame, ("family", "bands_per_cluster", "protocol"))
    style.use()
    figure, rows = plt.subplots(2, 1, figsize=(style.COLUMN, 3.7), sharex=True)
    for ax, side in zip(rows, ("encode", "decode"), strict=True):
        against_clusters(ax, speeds, f"{side}_msps", f"{side}_msps_lowest", f"{side}_msps_highest")
        log_ticks(ax)
        ax.set_ylabel({"encode": "Encoding\n(Msamples/s)", "decode": "Decoding\n(Msamples/s)"}[side])
    size_ticks(rows[-1], speeds)
    scenes = frame["scene"].nunique()
    rows[0].set_title(f"Median over {scenes} scene{'s' * (scenes > 1)}", fontweight="normal")
    handles, labels = rows[0].get_legend_handles_labels()
    style.legend(figure, handles, labels)
    style.save(figure, speeds, args.output)


main = script.figure(__doc__, draw)

if __name__ == "__main__":
    sys.exit(main())
