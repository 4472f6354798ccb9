"""Complexity of the networks against bands per cluster: computed from the architecture, for encoder and decoder.

Writes .pdf, .svg, .png and .csv.

Example:
  python scripts/fig_complexity.py results/demo/tables/models.csv --output results/demo/figures/complexity.pdf
"""

import argparse
import sys
from pathlib import Path

import matplotlib.pyplot as plt

from bandpress.study.figures import script, style
from bandpress.study.figures.models import read_models
from bandpress.study.figures.results import NothingToShow

SIDES = {"encoder": ("-", "full"), "decoder": ((0, (4, 1.5)), "none")}


def draw(args: argparse.Namespace) -> None:
    """Draw the figure."""
    models = read_models(args.models)
    shapes = ["bands_per_cluster", "hidden", "latent", "hyper"]
    models = models[models["bands_per_cluster"].notna()]  # contexts cost the same for every k
    if models.empty:
        raise NothingToShow("The study has no networks whose cost depends on bands per cluster.")
    models = models.astype(dict.fromkeys(("bands_per_cluster", "latent", "hyper"), int))
    networks = models.drop_duplicates(shapes).sort_values(shapes)
    if len(networks) == 1:
        only = networks.iloc[0]
        raise NothingToShow(
            f"The study has one network, with N = {only['hidden']}, M = {only['latent']} and clusters of "
            f"{only['bands_per_cluster']} bands: {only['encoder_kmac_per_sample']:.2f} kMAC per sample in the encoder, "
            f"{only['decoder_kmac_per_sample']:.2f} in the decoder."
        )
    style.use()
    figure, ax = plt.subplots(figsize=(style.COLUMN, 2.6))
    for i, (widths, group) in enumerate(networks.groupby(["hidden", "latent", "hyper"], sort=False)):
        colour, marker = style.MARKS[i % len(style.MARKS)]
        for side, (line, fill) in SIDES.items():
            label = f"{side.capitalize()}, N = {widths[0]}, M = {widths[1]}"
            label += "" if widths[1] == widths[2] else f", hyper {widths[2]}"
            ax.plot(
                group["bands_per_cluster"],
                group[f"{side}_kmac_per_sample"],
                linestyle=line,
                marker=marker,
                fillstyle=fill,
                color=colour,
                label=label,
            )
    ax.set_xticks(sorted(set(networks["bands_per_cluster"])))
    ax.margins(x=0.15)
    ax.set_ylim(0, 1.12 * networks[["encoder_kmac_per_sample", "decoder_kmac_per_sample"]].max(axis=None))
    ax.set_xlabel("Bands per cluster, k")
    ax.set_ylabel("kMAC per sample")
    style.legend(figure, *ax.get_legend_handles_labels())
    columns = [*shapes, "encoder_kmac_per_sample", "decoder_kmac_per_sample"]
    style.save(figure, networks[columns], args.output)


def options(parser: argparse.ArgumentParser) -> None:
    """Add the script's arguments."""
    parser.add_argument("models", type=Path, help="CSV file from table_models.py")


main = script.figure(__doc__, draw, options)

if __name__ == "__main__":
    sys.exit(main())
