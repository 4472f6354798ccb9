"""Helpers of the workflow's scripts: error reporting, and lookup of prepared scenes."""

import functools
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from bandpress import interrupts
from bandpress.errors import BandpressError, SceneError

P = ParamSpec("P")
T = TypeVar("T")


def stated_failures(function: Callable[P, T]) -> Callable[P, T]:
    """Decorate a script's main: a stated failure is one sentence on standard error and exit code 1.

    Called without arguments, as a program, it answers signals as the command line does: no partial file stays.
    """

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        is_program = not args and not kwargs
        if is_program:
            interrupts.answer()
        try:
            return function(*args, **kwargs)
        except (BandpressError, OSError) as error:
            sys.exit(str(error))
        except KeyboardInterrupt as error:
            if is_program:
                interrupts.end(signal.SIGTERM if isinstance(error, interrupts.Terminated) else signal.SIGINT)
            raise

    return wrapped


def only_file(path: Path) -> Path:
    """Return the one ``.raw`` file in a folder, or the file itself where `path` is one.

    Raises
    ------
    SceneError
        If there is none, or more than one.
    """
    if path.is_file():
        return path
    found = sorted(path.glob("*.raw"))
    if len(found) != 1:
        raise SceneError(f"{path}: {len(found)} files named *.raw; expected one, a prepared scene")
    return found[0]
