r"""PSNR (or MSE) of each band at about the same rate, against wavelength if known.

Reads the per-band files beside the streams, …/<scene>/<codec>/<point>.bands.csv, of the point of each codec whose rate
is nearest to --rate. Writes .pdf, .svg, .png and .csv.

Example:
  python scripts/fig_per_band.py results/demo/rd.csv results/demo/streams/*/*/*/*.bands.csv \
      --scene indian-pines-test --rate 0.3 --output results/demo/figures/per_band_indian-pines-test.pdf
"""

import argparse
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from bandpress.errors import StudyError
from bandpress.study.figures import results, script, style
from bandpress.study.figures.lines import with_gaps
from bandpress.study.figures.looks import Looks

SUFFIX = ".bands.csv"
LABELS = {"psnr": "PSNR (dB, peak 65,535)", "mse": "MSE (squared units of the samples)"}


def find_bands(paths: list[Path], row: pd.Series) -> pd.DataFrame:
    """Read the per-band values of a row of rd.csv.

    Raises
    ------
    StudyError
        If they are not among `paths`.
    """
    wanted = (row["scene"], row["codec"], row["point"])
    for path in paths:
        if (*path.parts[-3:-1], path.name.removesuffix(SUFFIX)) == wanted:
            return pd.read_csv(path)
    raise StudyError(
        f"{'/'.join(wanted)}{SUFFIX}: not among the files given; expected it for its place in rd.csv"
    )


def draw(args: argparse.Namespace) -> None:
    """Draw the figure."""
    frame = results.of_sensor(results.read_rd(args.rd), scenes=[args.scene])
    frame = results.of_protocol(results.lossy(frame), args.protocol)
    if args.codec:
        frame = results.of_codecs(frame, args.codec)
    chosen = results.nearest_rate(frame, args.rate)
    style.use()
    figure, ax = plt.subplots(figsize=(style.COLUMN, 2.2 + 0.14 * len(chosen)))
    looks, plotted, known = Looks(), [], True
    for _, row in chosen.iterrows():
        bands = find_bands(args.bands, row)
        known = known and bool(bands["wavelength_nm"].notna().all())
        bands.insert(0, "codec", row["codec"])
        bands.insert(1, "label", row["label"])
        bands.insert(2, "point", row["point"])
        bands.insert(3, "bps", row["bps"])
        plotted.append(bands)
    for i, bands in enumerate(plotted):
        row = chosen.iloc[i]
        x, y = with_gaps(
            bands["wavelength_nm" if known else "band"].to_numpy(), bands[args.measure].to_numpy()
        )
        look = looks.of(row["family"], row["bands_per_cluster"], row["codec"], row["protocol"])
        every = (len(x) // 10 * i // len(plotted), max(len(x) // 10, 1))
        label = f"{row['label']} ({row['bps']:.2f} bps)"
        ax.plot(
            x,
            y,
            label=label,
            linewidth=0.9,
            markersize=3.2,
            markevery=every,
            zorder=9 - i % 7,
            **_plain(look),
        )
    if args.measure == "mse":
        ax.set_yscale("log")
    ax.set_xlabel("Wavelength (nm)" if known else "Band")
    ax.set_ylabel(LABELS[args.measure])
    ax.set_title(args.scene, fontweight="normal")
    style.legend(figure, *ax.get_legend_handles_labels())
    style.save(figure, pd.concat(plotted), args.output)


def _plain(look: dict) -> dict:
    """Draw long noisy lines solid or finely dashed: long dashes would hide single bands."""
    return look | {"linestyle": "-" if look["linestyle"] == "-" else (0, (2.5, 0.7))}


def options(parser: argparse.ArgumentParser) -> None:
    """Add the script's arguments."""
    parser.add_argument("rd", type=Path, help="rd.csv of a study")
    parser.add_argument("bands", nargs="+", type=Path, help="per-band files")
    parser.add_argument("--scene", required=True)
    parser.add_argument("--rate", type=float, required=True, help="in bits per sample")
    parser.add_argument("--codec", action="append", help="only this codec; may be repeated")
    parser.add_argument("--protocol", choices=("equal", "shared"), help="of codecs run under both, this one")
    parser.add_argument("--measure", choices=sorted(LABELS), default="psnr")


main = script.figure(__doc__, draw, options)

if __name__ == "__main__":
    sys.exit(main())
