"""Bits per sample against the bound on the error, and these points among lossy ones.

Left: the rate at each bound; 0 is lossless. Right: PSNR against rate of these points, and of other points from half a
bit per sample on. Curves are means over the scenes common to all codecs.

Writes .pdf, .svg, .png and .csv.

Example:
  python scripts/fig_bound.py results/open/rd.csv --sensor AVIRIS --output results/open/figures/bound_aviris.pdf
"""

import argparse
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from bandpress.study.figures import results, script, style
from bandpress.study.figures.looks import Looks

#: Lowest rate of other lossy points; lower ones are far from any point with a bound.
LEAST_RATE = 0.5


def draw(args: argparse.Namespace) -> None:
    """Draw the figure."""
    frame = script.select(args)
    bounded = results.bounded(frame)
    scenes = results.common_scenes(bounded)
    keys = ["codec", "label", "family", "bands_per_cluster", "protocol", "max_error"]
    rates = bounded[bounded["scene"].isin(scenes)].groupby(keys, sort=False)["bps"].mean().reset_index()
    finite = frame[np.isfinite(frame["psnr"]) & frame["scene"].isin(scenes)]
    near = finite[results.bounds(finite).notna() | (finite["bps"] >= LEAST_RATE)]
    curves = results.mean_curves(near) if len(near) else near
    style.use()
    figure, (left, right) = plt.subplots(1, 2, figsize=(style.PAGE, 2.9))
    looks, handles = Looks(), {}
    for ax, part, x, y in ((left, rates, "max_error", "bps"), (right, curves, "bps", "psnr")):
        for _, curve in part.groupby(["codec", "protocol"], sort=False):
            first = curve.iloc[0]
            look = looks.of(first["family"], first["bands_per_cluster"], first["codec"], first["protocol"])
            ordered = curve.sort_values(x)
            handles[first["label"]] = ax.plot(ordered[x], ordered[y], clip_on=False, **look)[0]
    left.set_xlabel("Largest error allowed (DN; 0: lossless)")
    left.set_ylabel("Rate (bits per sample)")
    left.set_ylim(bottom=0)
    right.set_xlabel("Rate (bits per sample)")
    right.set_ylabel("PSNR (dB, peak 65,535)")
    style.title(figure, frame["sensor"], scenes)
    style.legend(figure, handles.values(), handles.keys())
    plotted = pd.concat([rates.assign(panel="rate at a bound"), curves.assign(panel="PSNR against rate")])
    style.save(figure, plotted.assign(scene_names=" ".join(scenes)).replace({np.nan: None}), args.output)


main = script.figure(__doc__, draw)

if __name__ == "__main__":
    sys.exit(main())
