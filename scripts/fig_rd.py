"""Rate-distortion curves: PSNR against bits per sample, one panel per cluster size.

Codecs that use one band or all bands appear in every panel. Curves are means over the scenes common to all codecs.
Writes .pdf, .svg, .png and .csv.

Example:
  python scripts/fig_rd.py results/demo/rd.csv --sensor AVIRIS --output results/demo/figures/rd_aviris.pdf
"""

import argparse
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from bandpress.study.figures import results, script, style
from bandpress.study.figures.looks import Looks

AXES = {
    "psnr": "PSNR (dB, peak 65,535)",
    "psnr_cluster_mean": "Mean PSNR of clusters (dB, peak 65,535)",
    "psnr_range": "PSNR (dB, peak: range of scene)",
    "ssim_range": "SSIM (range of scene)",
    "sam_mean": "Mean spectral angle (degrees)",
}


def panels_of(curves: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return (cluster size, curves) for each panel; the size is empty for a single panel without clusters."""
    everywhere = (curves["bands_per_cluster"] == "all") | (
        curves["family"].map(results.band_by_band) & (curves["bands_per_cluster"] == "1")
    )
    sizes = sorted(set(curves.loc[~everywhere, "bands_per_cluster"]), key=float)
    if not sizes:
        return [("", curves)]
    return [(k, curves[everywhere | (curves["bands_per_cluster"] == k)]) for k in sizes]


def identify(
    first: pd.Series, panel: pd.DataFrame, k: str, looks: Looks, protocols: pd.Series
) -> tuple[str, dict]:
    """Return the name and the look of a curve, the same in every panel for the same kind of codec.

    `protocols` is the number of protocols that each family has in the whole figure.
    """
    size, protocol = first["bands_per_cluster"], first["protocol"]
    alike = panel[(panel["family"] == first["family"]) & (panel["bands_per_cluster"] == size)]
    alone = alike.loc[alike["protocol"] == protocol, "codec"].nunique() == 1
    look = looks.of(first["family"], size, "" if alone else first["codec"], protocol)
    if not (alone and k):
        return first["label"], look
    label = results.describe(first["family"], size).removesuffix(f", k = {k}")
    if protocols[first["family"]] > 1 and protocol == "shared":
        label += ", shared rate"
    return label, look


def draw(args: argparse.Namespace) -> None:
    """Draw the figure."""
    frame = results.lossy(script.select(args))
    aimed = frame[results.bounds(frame).isna()]
    frame = (
        frame if aimed.empty else aimed
    )  # points with a bound lie at many times these rates: see fig_bound
    scenes = results.common_scenes(frame)
    curves = results.mean_curves(frame, args.metric)
    if args.most_rate is not None:
        curves = curves[curves["bps"] <= args.most_rate]
    panels = panels_of(curves)
    style.use()
    columns = min(len(panels), 2)
    rows = -(-len(panels) // columns)
    width = style.COLUMN if columns == 1 else style.PAGE
    figure, grid = plt.subplots(
        rows, columns, figsize=(width, 2.3 * rows + 0.62), sharex=True, sharey=True, squeeze=False
    )
    looks, handles = Looks(), {}
    plotted: list[pd.DataFrame] = []
    several = len(panels) > 1
    protocols = curves.groupby("family")["protocol"].nunique()
    for ax, (k, part) in zip(grid.flat, panels, strict=False):
        for _, curve in part.groupby(["codec", "protocol"], sort=False):
            label, look = identify(curve.iloc[0], part, k if several else "", looks, protocols)
            line = ax.plot(
                curve["bps"], curve[args.metric], clip_on=False, zorder=9 - len(plotted) % 7, **look
            )
            line[0].set_gid(curve["family"].iloc[0])
            handles[label] = line[0]
            plotted.append(curve.assign(panel=k, curve=label))
        if several:
            ax.set_title(f"k = {k}" + (" band per cluster" if k == "1" else " bands per cluster"))
        ax.set_xlim(left=0)
    for ax in grid.flat[len(panels) :]:
        ax.set_axis_off()
    for ax in list(grid.flat)[: len(panels)][-columns:]:
        ax.set_xlabel("Rate (bits per sample)")
        ax.tick_params(labelbottom=True)
    for ax in grid[:, 0]:
        ax.set_ylabel(AXES.get(args.metric, args.metric))
    style.title(figure, frame["sensor"], scenes)
    order = list(dict.fromkeys(curves["family"]))
    names = sorted(handles, key=lambda name: (order.index(handles[name].get_gid()), "all bands" in name))
    style.legend(figure, [handles[name] for name in names], names)
    numbers = pd.concat(plotted).assign(scene_names=" ".join(scenes))
    style.save(figure, numbers.replace({np.nan: None}), args.output)


def options(parser: argparse.ArgumentParser) -> None:
    """Add the script's arguments."""
    script.add_selection(parser)
    parser.add_argument("--metric", default="psnr", help="column of rd.csv (default: psnr)")
    parser.add_argument(
        "--most-rate", type=float, help="leave out points above this rate, in bits per sample"
    )


main = script.figure(__doc__, draw, options)

if __name__ == "__main__":
    sys.exit(main())
