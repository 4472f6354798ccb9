"""BD-rate and BD-PSNR against a reference, per scene and mean ± spread over scenes. Writes .csv, .md and .tex.

The reference is a codec of the study (--reference NAME), or, by default, RKLT + JPEG 2000 in the same clusters. If it
was run under both protocols, networks are compared with both, other codecs with that of their own protocol. Curves that
do not overlap are not compared; the table says why.

Example:
  python scripts/table_bd.py results/demo/rd.csv --reference rklt-k3 --output results/demo/tables/bd.csv
"""

import argparse
import sys

import pandas as pd

from bandpress.errors import StudyError
from bandpress.evaluation.bjontegaard import METHODS
from bandpress.study.figures import script
from bandpress.study.figures.gains import gains, one_codec, over_scenes, same_clusters
from bandpress.study.figures.results import lossy
from bandpress.study.figures.tables import Column, save_table, shown

COLUMNS = (
    Column("sensor", "Sensor"),
    Column("scene", "Scene"),
    Column("label", "Codec"),
    Column("reference_label", "Reference"),
    Column("protocol", "Protocol"),
    Column("pooling", "Pooling"),
    Column("bd_rate_text", "BD-rate (%)"),
    Column("bd_psnr_text", "BD-PSNR (dB)"),
)


def show(value: float, spread: float, counted: float, of_scenes: float, digits: int) -> str:
    """Format a difference with sign and spread, and the number of scenes if some are missing."""
    if pd.isna(value):
        return "–"
    text = f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", "−")
    text += "" if pd.isna(spread) else f" ± {spread:.{digits}f}"
    return text + (f" ({counted:.0f} of {of_scenes:.0f} scenes)" if counted < of_scenes else "")


def with_texts(per_scene: pd.DataFrame, labels: dict[str, str]) -> pd.DataFrame:
    """Join the rows of scenes and of their mean ± spread, and format the differences."""
    mean = over_scenes(per_scene).assign(scene="mean ± spread")
    rows = pd.concat([per_scene, mean[mean["of_scenes"] > 1]], ignore_index=True)
    for value, spread, counted, text, digits in (
        ("bd_rate_percent", "bd_rate_spread", "scenes_bd_rate", "bd_rate_text", 1),
        ("bd_psnr_db", "bd_psnr_spread", "scenes_bd_psnr", "bd_psnr_text", 2),
    ):
        columns = (
            rows.get(key, pd.Series(float("nan"), rows.index))
            for key in (value, spread, counted, "of_scenes")
        )
        rows[text] = [
            show(mean, std, count, scenes, digits) for mean, std, count, scenes in zip(*columns, strict=True)
        ]
    return rows.assign(reference_label=rows["reference"].map(labels))


def draw(args: argparse.Namespace) -> None:
    """Make the table."""
    frame = lossy(script.select(args))
    labels = dict(zip(frame["codec"], frame["label"], strict=True))
    if args.reference is not None and args.reference not in labels:
        raise StudyError(f"{args.rd[0]}: no codec {args.reference!r}; expected one of {', '.join(labels)}")
    references = same_clusters(frame) if args.reference is None else one_codec(frame, args.reference)
    per_scene = gains(frame, references, args.method, args.min_overlap, args.between)
    rows = with_texts(per_scene, labels)
    notes = [
        f"Averages over the range that both curves cover ({args.method} interpolation); negative BD-rate and positive "
        "BD-PSNR are gains over the reference. Spread: sample standard deviation over scenes."
    ]
    notes += [f"{n.scene}: {n.note}." for n in per_scene[per_scene["note"] != ""].itertuples()]
    columns = shown(COLUMNS, rows, ["sensor", "protocol"])
    data = rows.drop(columns=["bd_rate_text", "bd_psnr_text"])
    save_table(rows, columns, args.output, script.caption(__file__), list(dict.fromkeys(notes)), csv=data)


def options(parser: argparse.ArgumentParser) -> None:
    """Add the script's arguments."""
    script.add_selection(parser)
    parser.add_argument(
        "--reference", help="codec of the study (default: RKLT + JPEG 2000 in the same clusters)"
    )
    parser.add_argument("--method", choices=METHODS, default="pchip", help="interpolation")
    parser.add_argument(
        "--min-overlap",
        type=float,
        default=0.25,
        help="least overlap, as a share of the shorter curve (default: 0.25)",
    )
    parser.add_argument(
        "--between",
        type=float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="bits per sample to compare between (default: all that both curves cover)",
    )


main = script.table(__doc__, draw, options)

if __name__ == "__main__":
    sys.exit(main())
