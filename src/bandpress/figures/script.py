"""How a figure or table script runs: one sentence when it cannot, a note in place of what cannot exist."""

import sys
from collections.abc import Callable
from pathlib import Path

from bandpress.errors import BandpressError
from bandpress.figures.results import NothingToShow
from bandpress.figures.style import save_note


def run(
    draw: Callable[[], object], output: Path, note: Callable[[str, str | Path], object] = save_note
) -> int:
    """Make a figure or a table.

    Parameters
    ----------
    draw
        Makes the files of `output`.
    output
        The file that was asked for.
    note
        Makes the same files with a sentence instead, when `draw` raises `NothingToShow`. Default: as a figure.

    Returns
    -------
    int
        Exit status: 0 if the files are there, 1 if the input is not what it must be.
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
