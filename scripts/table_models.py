"""Networks of a study: widths, parameters, size, cost per sample. Writes .csv, .md and .tex.

Example:
  python scripts/table_models.py results/demo/models/*/q* --output results/demo/tables/models.csv
"""

import argparse
import sys
from pathlib import Path

from bandpress.study.figures import script
from bandpress.study.figures.models import describe_models
from bandpress.study.figures.tables import Column, save_table

COLUMNS = (
    Column("family", "Family"),
    Column("quality", "Quality"),
    Column("bands_per_cluster", "k", "d"),
    Column("hidden", "N"),
    Column("latent", "M", "d"),
    Column("hyper", "Hyper", "d"),
    Column("lambda", "λ"),
    Column("parameters", "Parameters", ",d"),
    Column("megabytes", "Size (MB)", ".2f"),
    Column("encoder_kmac_per_sample", "Encoder (kMAC per sample)", ".2f"),
    Column("decoder_kmac_per_sample", "Decoder (kMAC per sample)", ".2f"),
)
NOTE = (
    "k: bands per cluster. N, M: channels between stages and of the latents. Cost: multiply-accumulates of "
    "convolutions and GDN, counted from the architecture for a large image; the encoder includes the hyper-synthesis. "
    "A context model serves every k; N: units of its hidden layers; cost: one pass over all coefficients."
)


def draw(args: argparse.Namespace) -> None:
    """Make the table."""
    models = describe_models(args.models)
    models = models.assign(megabytes=models["bytes"] / 1e6)
    save_table(models, COLUMNS, args.output, script.caption(__file__), [NOTE])


def options(parser: argparse.ArgumentParser) -> None:
    """Add the script's arguments."""
    parser.add_argument("models", nargs="*", type=Path, help="model folders, …/<family>/<quality>")


main = script.table(__doc__, draw, options)

if __name__ == "__main__":
    sys.exit(main())
