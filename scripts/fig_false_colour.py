r"""False-colour pictures and error maps of reconstructions at about equal rate, on common scales.

Give any number of reconstructions as CODEC/POINT=FILE; the figure shows the point of each codec whose rate is nearest
to --rate. Error: root mean squared error of each pixel over all bands. Writes .pdf, .svg, .png and .csv.

Example:
  python scripts/fig_false_colour.py results/demo/rd.csv --original scene.200_145_64_2_1_0.raw --rate 0.3 \
      --reconstruction learned-k3/q2=learned.200_145_64_2_1_0.raw \
      --reconstruction rklt-k3/r0.3=rklt.200_145_64_2_1_0.raw \
      --output results/demo/figures/false_colour_scene.pdf
"""

import argparse
import sys
import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from bandpress import Scene, read_scene
from bandpress.errors import SceneError, StudyError
from bandpress.pictures import colour_bands, stretch_of, to_rgb, window
from bandpress.study.figures import results, script, style
from bandpress.study.scripting import only_file


def rms_error(original: Scene, decoded: Scene) -> np.ndarray:
    """Return the root mean squared error over bands of each pixel, shape (lines, samples)."""
    if original.cube.shape != decoded.cube.shape:
        raise SceneError(
            f"{decoded.name}: shape {decoded.cube.shape}; expected {original.cube.shape}, that of {original.name}"
        )
    total = np.zeros(original.cube.shape[1:])
    for x, y in zip(original.cube, decoded.cube, strict=True):
        error = y.astype(np.float64) - x
        total += error * error
    return np.sqrt(total / original.bands)


def choose(args: argparse.Namespace) -> list[tuple[pd.Series, Path]]:
    """Return the rows of rd.csv to show, with their reconstructions, in the given order of codecs."""
    files: dict[tuple[str, str], Path] = {}
    for item in args.reconstruction:
        name, _, path = item.partition("=")
        codec, _, point = name.partition("/")
        if not (codec and point and path):
            raise StudyError(f"--reconstruction {item}: expected CODEC/POINT=FILE")
        files[codec, point] = Path(path)
    frame = results.of_sensor(results.read_rd(args.rd), scenes=[args.scene])
    given = [pair in files for pair in zip(frame["codec"], frame["point"], strict=True)]
    if not any(given):
        raise StudyError(
            f"{args.rd}: no row of scene {args.scene} is among the reconstructions that were given"
        )
    chosen = results.nearest_rate(frame[given], args.rate)
    order = list(dict.fromkeys(codec for codec, _ in files))
    rows = sorted((row for _, row in chosen.iterrows()), key=lambda row: order.index(row["codec"]))
    return [(row, files[row["codec"], row["point"]]) for row in rows]


#: Ratio of width to height above which scenes are stacked vertically.
WIDE = 1.6


def _cells(count: int, shape: float) -> tuple[plt.Figure, list[tuple[plt.Axes, plt.Axes]], float]:
    """Return a figure with a pair of square-pixel cells for each of `count` images: the image, and its error.

    The error is below the image, or beside it where scenes are wide; `shape` is lines over samples. The last item is
    the width of a cell in inches.
    """
    margin, gap = 0.03, 0.04
    wide = shape * WIDE < 1
    rows, columns = (count, 2) if wide else (2, count)
    width = style.COLUMN if columns <= 3 and not wide else style.PAGE
    titles = 0.2 if wide else 0.42
    between = titles if wide else gap
    cell = (width - 2 * margin - gap * (columns - 1)) / columns
    height = titles + rows * cell * shape + between * (rows - 1) + margin
    figure, grid = plt.subplots(rows, columns, figsize=(width, height), squeeze=False, layout="none")
    figure.subplots_adjust(
        left=margin / width,
        right=1 - margin / width,
        bottom=margin / height,
        top=1 - titles / height,
        wspace=gap / cell,
        hspace=between / (cell * shape),
    )
    for ax in grid.flat:
        ax.set_axis_off()
    return figure, [tuple(pair) for pair in (grid if wide else grid.T)], cell


def together(label: str) -> str:
    """Replace spaces that must not be broken over lines."""
    for words in ("k = ", "JPEG 2000", "band by band", "all bands"):
        label = label.replace(words, words.replace(" ", "\N{NO-BREAK SPACE}"))
    return label


def draw(args: argparse.Namespace) -> None:
    """Draw the figure."""
    original = read_scene(only_file(args.original))
    args.scene = args.scene or original.name
    shown = choose(args)
    bands = [b - 1 for b in args.bands] if args.bands else colour_bands(original)
    if max(bands) >= original.bands or min(bands) < 0:
        raise SceneError(
            f"{args.original}: band {max(bands) + 1} was asked for; expected 1 to {original.bands}"
        )
    part = window(original)
    limits = stretch_of(original, bands)

    style.use()
    lines, samples = (s.stop - s.start for s in part)
    figure, cells, width = _cells(1 + len(shown), lines / samples)
    cells[0][0].imshow(to_rgb(original, bands, limits)[part])
    cells[0][0].set_title("Original", fontweight="normal", fontsize=6.5)
    decoded = [read_scene(only_file(path)) for _, path in shown]
    errors = [rms_error(original, scene) for scene in decoded]
    top = max(float(np.percentile(error, 99)) for error in errors) or 1.0
    numbers = []
    letters = int(72 * width / 4)  # of about 4 points each
    for (ax, beside), (row, path), scene, error in zip(cells[1:], shown, decoded, errors, strict=True):
        ax.imshow(to_rgb(scene, bands, limits)[part])
        label, measures = together(row["label"]), f"{row['bps']:.2f} bps, {row['psnr']:.1f} dB"
        one_line = f"{label}: {measures}"
        title = one_line if len(one_line) < letters else f"{textwrap.fill(label, letters)}\n{measures}"
        ax.set_title(title, fontweight="normal", fontsize=6.5)
        image = beside.imshow(error[part], vmin=0, vmax=top)
        numbers.append(
            {
                "scene": args.scene,
                "codec": row["codec"],
                "label": row["label"],
                "point": row["point"],
                "bps": row["bps"],
                "psnr": row["psnr"],
                "bands": " ".join(str(b + 1) for b in bands),
                "stretch": " ".join(f"{low:g}-{high:g}" for low, high in limits),
                "first_line": part[0].start + 1,
                "last_line": part[0].stop,
                "error_mean": error.mean(),
                "error_median": np.median(error),
                "error_p99": np.percentile(error, 99),
                "error_max": error.max(),
                "error_scale_top": top,
                "file": str(path),
            }
        )
    bar = figure.colorbar(
        image, cax=cells[0][1].inset_axes((0.1, 0.45, 0.8, 0.12)), extend="max", orientation="horizontal"
    )
    bar.set_label("RMS error over bands (units of samples)", fontsize=6.5)
    style.save(figure, pd.DataFrame(numbers), args.output)


def options(parser: argparse.ArgumentParser) -> None:
    """Add the script's arguments."""
    parser.add_argument("rd", type=Path, help="rd.csv of a study")
    parser.add_argument("--original", type=Path, required=True)
    parser.add_argument("--scene", help="name of the scene in rd.csv (default: that of the file)")
    parser.add_argument("--reconstruction", action="append", required=True, metavar="CODEC/POINT=FILE")
    parser.add_argument("--bands", type=int, nargs=3, metavar=("R", "G", "B"), help="counted from 1")
    parser.add_argument("--rate", type=float, required=True, help="in bits per sample")


main = script.figure(__doc__, draw, options)

if __name__ == "__main__":
    sys.exit(main())
