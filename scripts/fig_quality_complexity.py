r"""Gain over RKLT + JPEG 2000 in the same clusters against the cost of a network. Writes .pdf, .svg, .png and .csv.

Cost: analytic, encoder and decoder together. Gain: BD-PSNR of the pooled MSE, mean over scenes.

Example:
  python scripts/fig_quality_complexity.py results/demo/rd.csv --models results/demo/tables/models.csv \
      --family learned-k3=demo-k3 --output results/demo/figures/quality_complexity.pdf
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

from bandpress.errors import StudyError
from bandpress.study.figures import results, script, style
from bandpress.study.figures.gains import POOLINGS, SUFFIXES, gains, same_clusters
from bandpress.study.figures.models import read_models


def draw(args: argparse.Namespace) -> None:
    """Draw the figure."""
    models = read_models(args.models).groupby("family", sort=False).first()
    families = dict(item.split("=", 1) for item in args.family if "=" in item)
    unknown = [family for family in families.values() if family not in models.index]
    if unknown:
        raise StudyError(
            f"{args.models}: no family {unknown[0]!r}; expected one of {', '.join(models.index)}"
        )
    frame = script.select(args)
    found = gains(frame, same_clusters(frame))
    found = found[(found["pooling"] == POOLINGS["psnr"]) & found["codec"].isin(families)]
    found = found[found["bd_psnr_db"].notna()]
    if found.empty:
        raise results.NothingToShow(
            "No network can be compared with RKLT + JPEG 2000 in the same clusters here."
        )
    mean = found.groupby(["sensor", "codec", "label", "bands_per_cluster", "protocol"], sort=False)
    mean = mean.agg(bd_psnr_db=("bd_psnr_db", "mean"), scenes=("scene", "nunique")).reset_index()
    mean["model_family"] = mean["codec"].map(families)
    cost = models["encoder_kmac_per_sample"] + models["decoder_kmac_per_sample"]
    mean["kmac_per_sample"] = mean["model_family"].map(cost)
    if len(mean) < 3:
        raise results.NothingToShow(" ".join(_sentence(row) for row in mean.itertuples()))
    style.use()
    figure, ax = plt.subplots(figsize=(style.COLUMN, 2.6))
    ax.axhline(0, color="black", linewidth=0.6)
    both = mean["protocol"].nunique() > 1
    for i, ((sensor, protocol), group) in enumerate(mean.groupby(["sensor", "protocol"], sort=False)):
        colour, marker = style.MARKS[i % len(style.MARKS)]
        label = (sensor or "scenes") + (SUFFIXES.get(protocol, "") if both else "")
        ax.plot(
            group["kmac_per_sample"],
            group["bd_psnr_db"],
            label=label,
            color=colour,
            marker=marker,
            linestyle="none",
        )
        for row in group.itertuples():
            text = f"k = {row.bands_per_cluster}"
            place = (row.kmac_per_sample, row.bd_psnr_db)
            ax.annotate(
                text,
                place,
                (5, -2) if i % 2 else (-5, -2),
                textcoords="offset points",
                fontsize=6,
                ha="left" if i % 2 else "right",
            )
    ax.set_xscale("log")
    low, high = mean["kmac_per_sample"].min() / 1.8, mean["kmac_per_sample"].max() * 1.8
    ax.set_xlim(low, high)
    ticks = [t for d in range(-2, 5) for t in (10.0**d * m for m in (1, 1.5, 2, 3, 5, 7)) if low <= t <= high]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.minorticks_off()
    ax.margins(y=0.15)
    ax.set_xlabel("Encoder and decoder (kMAC per sample)")
    ax.set_ylabel("BD-PSNR over RKLT +\nJPEG 2000, same clusters (dB)")
    style.legend(figure, *ax.get_legend_handles_labels())
    style.save(figure, mean, args.output)


def _sentence(row: Any) -> str:
    """Say what one mark would show."""
    side = "above" if row.bd_psnr_db >= 0 else "below"
    return (
        f"{row.label}, {row.kmac_per_sample:.2f} kMAC per sample: BD-PSNR {abs(row.bd_psnr_db):.1f} dB {side} RKLT + "
        f"JPEG 2000 in the same clusters{SUFFIXES.get(row.protocol, '')}."
    )


def options(parser: argparse.ArgumentParser) -> None:
    """Add the script's arguments."""
    script.add_selection(parser)
    parser.add_argument("--models", type=Path, required=True, help="CSV file from table_models.py")
    parser.add_argument(
        "--family", action="append", default=[], metavar="CODEC=FAMILY", help="network of a codec"
    )


main = script.figure(__doc__, draw, options)

if __name__ == "__main__":
    sys.exit(main())
