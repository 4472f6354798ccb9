r"""Spectra of a few pixels before and after coding. Writes .pdf, .svg, .png and .csv.

Without --pixel: those at the 10th, 50th and 90th percentile of the sum over bands.

Example:
  python scripts/fig_spectra.py results/demo/rd.csv --original results/demo/scenes/IndianPines_test/indian_pines_south \
      --reconstruction learned-k3/q2=results/demo/decoded/IndianPines_test/indian_pines_south/learned-k3/q2 \
      --output results/demo/figures/spectra.pdf
"""

import argparse
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from bandpress import Scene, read_scene
from bandpress.errors import SceneError, StudyError
from bandpress.study.figures import results, script, style
from bandpress.study.figures.lines import with_gaps
from bandpress.study.scripting import only_file

LOOKS = (
    (style.BLUE, (0, (4, 1)), "o"),
    (style.VERMILION, (0, (1, 1)), "s"),
    (style.GREEN, (0, (5, 1, 1, 1)), "D"),
    (style.ORANGE, (0, (2, 1)), "v"),
)


def typical_pixels(scene: Scene) -> list[tuple[int, int]]:
    """Return a dark, a median and a bright pixel as (line, sample), counted from 0."""
    total = sum(band.astype(np.float64) for band in scene.cube)
    order = np.argsort(total, axis=None, kind="stable")
    picks = order[[int(share * (order.size - 1)) for share in (0.1, 0.5, 0.9)]]
    return [(int(p // scene.samples), int(p % scene.samples)) for p in picks]


def pixel(text: str) -> tuple[int, int]:
    """Read LINE,SAMPLE, counted from 1."""
    line, _, sample = text.partition(",")
    return int(line) - 1, int(sample) - 1


def names(rd: Path | None, scene: str) -> dict[str, str]:
    """Return, for each CODEC/POINT of a scene, the codec's label and the rate."""
    if rd is None:
        return {}
    frame = results.of_sensor(results.read_rd(rd), scenes=[scene])
    return {f"{row.codec}/{row.point}": f"{row.label} ({row.bps:.2f} bps)" for row in frame.itertuples()}


def draw(args: argparse.Namespace) -> None:
    """Draw the figure."""
    original = read_scene(only_file(args.original))
    known_names = names(args.rd, args.scene or original.name)
    decoded = {}
    for item in args.reconstruction:
        label, _, path = item.rpartition("=")
        label = known_names.get(label, label)
        if not label:
            raise StudyError(f"--reconstruction {item}: expected NAME=FILE")
        decoded[label] = read_scene(only_file(Path(path)))
        if decoded[label].cube.shape != original.cube.shape:
            raise SceneError(f"{path}: shape {decoded[label].cube.shape}; expected {original.cube.shape}")
    pixels = args.pixel or typical_pixels(original)
    for line, sample in pixels:
        if not (0 <= line < original.lines and 0 <= sample < original.samples):
            raise SceneError(
                f"{args.original}: pixel {line + 1},{sample + 1} was asked for; "
                f"expected one within {original.lines},{original.samples}"
            )
    known = original.wavelengths is not None
    x = np.asarray(original.wavelengths if known else np.arange(1, original.bands + 1), float)
    style.use()
    figure, rows = plt.subplots(
        len(pixels), 1, figsize=(style.COLUMN, 0.8 + 1.15 * len(pixels)), sharex=True, squeeze=False
    )
    numbers = []
    for ax, (line, sample) in zip(rows[:, 0], pixels, strict=True):
        for i, (label, scene) in enumerate({"Original": original, **decoded}.items()):
            values = scene.cube[:, line, sample].astype(float)
            look = {"color": "black", "linewidth": 1.4, "alpha": 0.55}
            if i:
                colour, dashes, marker = LOOKS[(i - 1) % len(LOOKS)]
                every = (5 * i, max(len(x) // 8, 1))
                look = {"color": colour, "linestyle": dashes, "marker": marker, "markevery": every}
                look |= {"linewidth": 0.9, "markersize": 2.5}
            ax.plot(*with_gaps(x, values), label=label, **look)
            numbers.append(
                pd.DataFrame(
                    {
                        "line": line + 1,
                        "sample": sample + 1,
                        "curve": label,
                        "band": np.arange(1, original.bands + 1),
                        "wavelength_nm": x if known else np.nan,
                        "value": values,
                    }
                )
            )
        ax.set_title(
            f"line {line + 1}, sample {sample + 1}", fontweight="normal", fontsize=6.5, loc="left", pad=2
        )
    rows[-1, 0].set_xlabel("Wavelength (nm)" if known else "Band")
    figure.supylabel("Value (units of the samples)", fontsize=7)
    style.legend(figure, *rows[0, 0].get_legend_handles_labels())
    style.save(figure, pd.concat(numbers), args.output)


def options(parser: argparse.ArgumentParser) -> None:
    """Add the script's arguments."""
    parser.add_argument("--original", type=Path, required=True, help="scene, or the folder of one")
    parser.add_argument(
        "--reconstruction",
        action="append",
        required=True,
        metavar="NAME=FILE",
        help="NAME: CODEC/POINT, or any text",
    )
    parser.add_argument(
        "rd", nargs="?", type=Path, help="rd.csv, to name CODEC/POINT as the other figures do"
    )
    parser.add_argument("--scene", help="name of the scene in rd.csv (default: that of the file)")
    parser.add_argument("--pixel", action="append", type=pixel, metavar="LINE,SAMPLE", help="counted from 1")


main = script.figure(__doc__, draw, options)

if __name__ == "__main__":
    sys.exit(main())
