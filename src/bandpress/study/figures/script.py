"""Common parts of figure and table scripts: options, one-sentence errors, notes in place of empty figures."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from bandpress.errors import BandpressError
from bandpress.study.figures import results, tables
from bandpress.study.figures.results import NothingToShow
from bandpress.study.figures.style import save_note


def parser(doc: str | None) -> argparse.ArgumentParser:
    """Return the parser of a script: its docstring as help, and --output."""
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--output", type=Path, required=True, help="one of the files to write")
    return made


def add_selection(made: argparse.ArgumentParser) -> None:
    """Add arguments for rd.csv and the selection of its rows."""
    made.add_argument(
        "rd", nargs="+", type=Path, help="rd.csv of a study, or tables of some of its data sets"
    )
    made.add_argument("--sensor", help="only its scenes")
    made.add_argument("--scene", action="append", default=[], help="only this scene; may be repeated")
    made.add_argument("--protocol", choices=("equal", "shared"), help="of codecs run under both, this one")


def caption(file: str | Path) -> str:
    """Return the caption of a script's figure or table, plain text from captions/<script>.rst."""
    path = Path(file)
    return " ".join((path.parent / "captions" / f"{path.stem}.rst").read_text("utf-8").split())


def select(args: argparse.Namespace) -> pd.DataFrame:
    """Return the rows of rd.csv, or of all tables given, that the arguments of `add_selection` choose."""
    whole = pd.concat([results.read_rd(path) for path in args.rd], ignore_index=True)
    frame = results.of_sensor(whole, args.sensor, args.scene)
    return results.of_protocol(frame, args.protocol)


def run(
    draw: Callable[[], object], output: Path, note: Callable[[str, str | Path], object] = save_note
) -> int:
    """Make a figure or a table.

    Parameters
    ----------
    draw
        Writes the files of `output`.
    output
        The requested file.
    note
        Writes the same files with a sentence instead, if `draw` raises `NothingToShow`. Default: a figure.

    Returns
    -------
    int
        Exit status: 0 if the files were written, 1 if the input is not valid.
    """
    try:
        draw()
    except NothingToShow as reason:
        note(str(reason), output)
        print(f"{output}: {reason}", file=sys.stderr)
    except (BandpressError, OSError) as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        return 1
    return 0


def run_table(
    doc: str | None,
    draw: Callable[[argparse.Namespace], object],
    argv: list[str] | None,
    options: Callable[[argparse.ArgumentParser], object] = add_selection,
) -> int:
    """Run a table script: parse arguments, call `draw`; write a note if the table cannot be made.

    Parameters
    ----------
    doc
        Docstring of the script.
    draw
        Writes the table for the parsed arguments.
    argv
        Arguments; default: those of the command line.
    options
        Adds the script's arguments besides ``--output``. Default: rd.csv and the selection of its rows.
    """
    made = parser(doc)
    options(made)
    args = made.parse_args(argv)
    return run(lambda: draw(args), args.output, tables.save_note)
