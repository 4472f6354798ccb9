"""Gain over RKLT + JPEG 2000 in the same clusters (BD-PSNR) against bands per cluster.

Writes .pdf, .svg, .png and .csv.

Marks are means over scenes, bars go from the lowest to the highest scene. Codecs that predict clusters from others are
left out: what they gain is not a matter of the cluster's size.

Example:
  python scripts/fig_gain.py results/demo/rd.csv --output results/demo/figures/gain.pdf
"""

import argparse
import sys

import matplotlib.pyplot as plt

from bandpress.evaluation.bjontegaard import METHODS
from bandpress.study.figures import results, script, style
from bandpress.study.figures.axes import against_clusters, cluster_sizes, size_ticks
from bandpress.study.figures.gains import POOLINGS, SUFFIXES, gains, same_clusters


def draw(args: argparse.Namespace) -> None:
    """Draw the figure."""
    frame = script.select(args)
    frame = frame[~frame["family"].map(results.predicts)]
    per_scene = gains(frame, same_clusters(frame), args.method)
    per_scene = per_scene[per_scene["pooling"] == POOLINGS[args.metric]]
    found = per_scene[per_scene["bd_psnr_db"].notna()]
    if found.empty:
        raise results.NothingToShow(
            f"No curve can be compared with its reference: {per_scene['note'].iloc[0]}."
        )
    keys = ["sensor", "family", "protocol", "bands_per_cluster", "codec", "reference", "pooling"]
    values = found.groupby(keys, sort=False)["bd_psnr_db"]
    mean = values.agg(bd_psnr_db="mean", lowest="min", highest="max", scenes="count").reset_index()
    sensors = list(dict.fromkeys(mean["sensor"]))
    style.use()
    figure, rows = plt.subplots(
        len(sensors), 1, figsize=(style.COLUMN, 0.9 + 1.5 * len(sensors)), sharex=True, squeeze=False
    )
    for ax, sensor in zip(rows[:, 0], sensors, strict=True):
        ax.axhline(0, color="black", linewidth=0.6)
        part = mean[mean["sensor"] == sensor]
        against_clusters(ax, part, "bd_psnr_db", "lowest", "highest", cluster_sizes(mean), SUFFIXES)
        ax.set_ylabel("BD-PSNR (dB)")
        most = part["scenes"].max()
        ax.set_title(
            f"{sensor}: mean of {most} scenes" if most > 1 else f"{sensor}: one scene", fontweight="normal"
        )
    size_ticks(rows[-1, 0], mean)
    handles = {
        label: handle
        for ax in rows[:, 0]
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)
    }
    title = "Over RKLT + JPEG 2000 in the same clusters"
    title += "\n(bars: lowest and highest scene)" if mean["scenes"].max() > 1 else ""
    style.legend(figure, handles.values(), handles.keys(), title)
    style.save(figure, mean, args.output)


def options(parser: argparse.ArgumentParser) -> None:
    """Add the script's arguments."""
    script.add_selection(parser)
    parser.add_argument("--metric", choices=sorted(POOLINGS), default="psnr", help="pooling of the PSNR")
    parser.add_argument("--method", choices=METHODS, default="pchip", help="interpolation")


main = script.figure(__doc__, draw, options)

if __name__ == "__main__":
    sys.exit(main())
