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

Draw = Callable[[argparse.Namespace], object]
Options = Callable[[argparse.ArgumentParser], object]
Note = Callable[[str, str | Path], object]
Main = Callable[..., int]


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


def figure(doc: str | None, draw: Draw, options: Options = add_selection, note: Note = save_note) -> Main:
    """Return the main function of a figure script: parse arguments, call `draw`.

    Parameters
    ----------
    doc
        Docstring of the script.
    draw
        Writes the files of ``--output`` for the parsed arguments.
    options
        Adds the script's arguments besides ``--output``. Default: rd.csv and the selection of its rows.
    note
        Writes the same files with a sentence instead, if `draw` raises `NothingToShow`.

    Returns
    -------
    callable
        Takes a list of arguments, by default those of the command line. Returns the exit status: 0 if the files were
        written, 1 if the input is not valid.
    """

    def main(argv: list[str] | None = None) -> int:
        made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
        made.add_argument("--output", type=Path, required=True, help="one of the files to write")
        options(made)
        args = made.parse_args(argv)
        try:
            draw(args)
        except NothingToShow as reason:
            note(str(reason), args.output)
            print(f"{args.output}: {reason}", file=sys.stderr)
        except (BandpressError, OSError) as error:
            print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
            return 1
        return 0

    return main


def table(doc: str | None, draw: Draw, options: Options = add_selection) -> Main:
    """Return the main function of a table script, as `figure` does."""
    return figure(doc, draw, options, tables.save_note)
