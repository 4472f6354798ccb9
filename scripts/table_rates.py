"""Rate and quality of every operating point of every scene. Writes .csv, .md and .tex.

Example:
  python scripts/table_rates.py results/demo/rd.csv --output results/demo/tables/rates.csv
"""

import argparse
import sys

from bandpress.study.figures import script
from bandpress.study.figures.tables import Column, save_table, shown

COLUMNS = (
    Column("scene", "Scene"),
    Column("label", "Codec"),
    Column("point", "Point"),
    Column("protocol", "Protocol"),
    Column("bps", "Rate (bps)", ".3f"),
    Column("psnr", "PSNR (dB)", ".2f"),
    Column("psnr_range", "PSNR, range (dB)", ".2f"),
    Column("psnr_cluster_mean", "Mean of clusters (dB)", ".2f"),
    Column("snr", "SNR (dB)", ".2f"),
    Column("mae", "MAE", ".2f"),
    Column("pae", "PAE", ".0f"),
    Column("ssim_range", "SSIM", ".4f"),
    Column("sam_mean", "SAM (degrees)", ".3f"),
    Column("sam_p95", "SAM, 95 % (degrees)", ".3f"),
)
NOTES = (
    "Rate: bits of the file on disk, header and side information included, over samples of the scene. "
    "PSNR: of the MSE pooled over all samples, peak 65,535; range: peak is the range of the scene; "
    "mean of clusters: mean of the PSNRs of the clusters, peak 65,535. SSIM: mean over bands, dynamic "
    "range of the scene. SAM: spectral angle.",
)


def draw(args: argparse.Namespace) -> None:
    """Make the table."""
    frame = script.select(args)
    save_table(frame, shown(COLUMNS, frame, ["protocol"]), args.output, script.caption(__file__), NOTES)


main = script.table(__doc__, draw)

if __name__ == "__main__":
    sys.exit(main())
