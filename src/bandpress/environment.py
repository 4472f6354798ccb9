"""Switch to the TensorFlow environment for commands that need it.

TensorFlow 2.14 and Snakemake 9 cannot share an environment, so a checkout has one for each, made by ``make env``. If
this Python has no TensorFlow, the process replaces itself by the same command in the other environment.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from bandpress.errors import MissingDependencyError

#: Set in the new process, which must not switch again.
_TAKEN_OVER = "BANDPRESS_TAKEN_OVER"

#: True while this process is ``bandpress`` itself, not a program that calls it.
is_program = False


def checkout() -> Path | None:
    """Return the root of the checkout that this package runs from, or None for an installed package."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "envs" / "run").is_file() else None


def need_tensorflow(what: str) -> None:
    """Return if this Python has TensorFlow; otherwise continue in the environment that has it.

    Called before any work. Replaces the process (same arguments, standard streams, signals and exit code) if
    ``bandpress`` was started as a program and its checkout has the environment.

    Parameters
    ----------
    what
        Subject of the error message, for example ``"the codec learned"``.

    Raises
    ------
    MissingDependencyError
        If TensorFlow is neither here nor in the checkout's environment.
    """
    if find_spec("tensorflow") is not None and find_spec("tensorflow_compression") is not None:
        return
    root = checkout()
    if root is None:
        raise MissingDependencyError(
            f"{what} needs TensorFlow, which this Python does not have; expected pip install 'bandpress[tensorflow]' "
            "with Python 3.11"
        )
    if not (root / ".venvs" / "tensorflow" / "bin" / "python").is_file():
        raise MissingDependencyError(
            f"{what} needs TensorFlow, whose environment is missing; expected 'make env' in {root}"
        )
    if not is_program or _TAKEN_OVER in os.environ:
        raise MissingDependencyError(
            f"{what} needs TensorFlow, which this Python does not have; expected the Python of "
            f"{root / '.venvs' / 'tensorflow'}"
        )
    sys.stdout.flush()
    sys.stderr.flush()
    run = str(root / "envs" / "run")
    os.environ[_TAKEN_OVER] = "1"
    os.execv(run, [run, "tensorflow", "python", "-m", "bandpress", *sys.argv[1:]])


@contextmanager
def tensorflow_for(what: str) -> Iterator[None]:
    """Context for imports of TensorFlow: calls `need_tensorflow`, and lets Ctrl-C end the import at once.

    In the program, notes of TensorFlow about the processor are left out unless ``TF_CPP_MIN_LOG_LEVEL`` is set.
    Importing TensorFlow takes seconds, during which Python's own handler would wait. No file may be partly
    written then.

    Parameters
    ----------
    what
        See `need_tensorflow`.
    """
    need_tensorflow(what)
    if is_program:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if not is_program or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
