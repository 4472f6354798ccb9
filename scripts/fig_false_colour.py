r"""False-colour original and reconstructions at about equal rate, one stretch for all; errors, one scale for all.

Reconstructions are given as CODEC/POINT=FILE, any number of them; of each codec the point whose rate is
nearest to --rate is shown. Error: root of the mean squared error over all bands, pixel by pixel. Writes
.pdf, .svg, .png and .csv.

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
from bandpress.figures import results, script, style
from bandpress.figures.images import default_bands, false_colour, stretch, window
from bandpress.scripting import only_file


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
    """Return the rows of rd.csv to show, with their reconstructions, in the order in which codecs were given."""
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


def _grid(columns: int, width: float, shape: float) -> tuple:
    """Return a figure with two rows of square-pixel cells, titles above the first; `shape` is lines over samples."""
    margin, gap, titles = 0.03, 0.04, 0.42
    cell = (width - 2 * margin - gap * (columns - 1)) / columns
    height = titles + 2 * cell * shape + gap + margin
    figure, grid = plt.subplots(2, columns, figsize=(width, height), squeeze=False, layout="none")
    figure.subplots_adjust(
        left=margin / width,
        right=1 - margin / width,
        bottom=margin / height,
        top=1 - titles / height,
        wspace=gap / cell,
        hspace=gap / (cell * shape),
    )
    return figure, grid


def together(label: str) -> str:
    """Keep together what should not be broken over lines."""
    for words in ("k = ", "JPEG 2000", "band by band", "all bands"):
        label = label.replace(words, words.replace(" ", "\N{NO-BREAK SPACE}"))
    return label


def draw(args: argparse.Namespace) -> None:
    """Draw the figure."""
    original = read_scene(only_file(args.original))
    args.scene = args.scene or original.name
    shown = choose(args)
    bands = [b - 1 for b in args.bands] if args.bands else default_bands(original)
    if max(bands) >= original.bands or min(bands) < 0:
        raise SceneError(
            f"{args.original}: band {max(bands) + 1} was asked for; expected 1 to {original.bands}"
        )
    part = window(original)
    limits = stretch(original, bands)

    style.use()
    columns = 1 + len(shown)
    width = style.COLUMN if columns <= 3 else style.PAGE
    lines, samples = (s.stop - s.start for s in part)
    figure, grid = _grid(columns, width, lines / samples)
    for ax in grid.flat:
        ax.set_axis_off()
    grid[0, 0].imshow(false_colour(original, bands, limits)[part])
    grid[0, 0].set_title("Original", fontweight="normal", fontsize=6.5)
    decoded = [read_scene(only_file(path)) for _, path in shown]
    errors = [rms_error(original, scene) for scene in decoded]
    top = max(float(np.percentile(error, 99)) for error in errors) or 1.0
    numbers = []
    letters = int(72 * width / columns / 4)  # of about 4 points each
    for ax, below, (row, path), scene, error in zip(
        grid[0, 1:], grid[1, 1:], shown, decoded, errors, strict=True
    ):
        ax.imshow(false_colour(scene, bands, limits)[part])
        title = (
            textwrap.fill(together(row["label"]), letters) + f"\n{row['bps']:.2f} bps, {row['psnr']:.1f} dB"
        )
        ax.set_title(title, fontweight="normal", fontsize=6.5)
        image = below.imshow(error[part], vmin=0, vmax=top)
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
    bar = figure.colorbar(image, cax=grid[1, 0].inset_axes((0.8, 0.02, 0.12, 0.96)), extend="max")
    bar.ax.yaxis.set_ticks_position("left")
    bar.ax.yaxis.set_label_position("left")
    bar.set_label("RMS error over bands\n(units of samples)", fontsize=6.5)
    style.save(figure, pd.DataFrame(numbers), args.output)


def main(argv: list[str] | None = None) -> int:
    """Run the script."""
    parser = script.parser(__doc__)
    parser.add_argument("rd", type=Path, help="rd.csv of a study")
    parser.add_argument("--original", type=Path, required=True)
    parser.add_argument("--scene", help="name of the scene in rd.csv (default: that of the file)")
    parser.add_argument("--reconstruction", action="append", required=True, metavar="CODEC/POINT=FILE")
    parser.add_argument("--bands", type=int, nargs=3, metavar=("R", "G", "B"), help="counted from 1")
    parser.add_argument("--rate", type=float, required=True, help="in bits per sample")
    args = parser.parse_args(argv)
    return script.run(lambda: draw(args), args.output)


if __name__ == "__main__":
    sys.exit(main())
