r"""Training curves: rate and PSNR of training patches and of the validation scenes against steps.

Writes .pdf, .svg, .png and .csv.

Example:
  python scripts/fig_training.py demo-k3/gains=results/demo/models/demo-k3/gains.training/log.csv \
      --output results/demo/figures/training.pdf
"""

import argparse
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from bandpress.errors import StudyError
from bandpress.study.figures import script, style
from bandpress.study.figures.results import NothingToShow

PANELS = (
    ("bps", "Rate (bits per sample)"),
    ("psnr", "PSNR (dB, peak 65,535)"),
)


def read_log(item: str) -> pd.DataFrame:
    """Read the log of ``NAME=FILE``.

    Raises
    ------
    StudyError
        If it is missing or is not the log of a training.
    """
    name, _, path = item.rpartition("=")
    file = Path(path)
    if not file.is_file():
        raise StudyError(f"{path}: no such file; expected the log of a training")
    try:
        log = pd.read_csv(file)
    except pd.errors.EmptyDataError:
        log = pd.DataFrame()
    missing = [c for c in ("step", "train_bps", "train_psnr") if c not in log.columns]
    if missing:
        raise StudyError(f"{path}: column {missing[0]!r} is missing; expected the log of a training")
    restarts = log.index[log["step"].diff() < 0]
    if len(restarts):  # after a restart, the last training made the model
        log = log.loc[restarts[-1] :]
    log.insert(0, "model", name or file.parent.name)
    return log


def draw(args: argparse.Namespace) -> None:
    """Draw the figure."""
    if not args.logs:
        raise NothingToShow("The study trains no networks.")
    logs = [read_log(item) for item in args.logs]
    if all(len(log) and log["train_bps"].isna().all() for log in logs):
        raise NothingToShow("The study trains only context models; their logs hold no rates.")
    style.use()
    figure, rows = plt.subplots(2, 1, figsize=(style.COLUMN, 3.3 + 0.08 * len(logs)), sharex=True)
    for i, log in enumerate(logs):
        colour, marker = style.MARKS[i % len(style.MARKS)]
        name = log["model"].iloc[0] if len(log) else args.logs[i]
        for ax, (key, _) in zip(rows, PANELS, strict=True):
            ax.plot(log["step"], log[f"train_{key}"], color=colour, linewidth=0.7, linestyle=(0, (1, 1)))
            if f"validation_{key}" in log:
                known = log[log[f"validation_{key}"].notna()]
                every = max(len(known) // 8, 1)
                ax.plot(
                    known["step"],
                    known[f"validation_{key}"],
                    color=colour,
                    marker=marker,
                    markevery=every,
                    markersize=3,
                    label=name,
                )
    for ax, (_, label) in zip(rows, PANELS, strict=True):
        ax.set_ylabel(label)
    rows[0].set_title("Lines: validation scenes. Dots: training patches.", fontweight="normal", fontsize=6.5)
    rows[-1].set_xlabel("Step")
    rows[-1].set_xlim(left=0)
    style.legend(figure, *rows[0].get_legend_handles_labels())
    style.save(figure, pd.concat(logs), args.output)


def options(parser: argparse.ArgumentParser) -> None:
    """Add the script's arguments."""
    parser.add_argument("logs", nargs="*", metavar="NAME=FILE", help="logs of bandpress train")


main = script.figure(__doc__, draw, options)

if __name__ == "__main__":
    sys.exit(main())
