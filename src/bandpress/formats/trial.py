"""Trial of a reader in a process of its own, for libraries that some damaged files crash, keep busy or bloat."""

import os
import signal
import sys
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from bandpress.files import most_memory

#: Processor seconds that a trial may take, and bytes of the file for each further one.
_SECONDS, _BYTES_A_SECOND = 4, 1_000_000
#: Times as much by the clock, after which a trial that waits is given up.
_PATIENCE = 10
#: Exit code of a trial that took more memory than the file can account for.
_GREEDY = 3


def try_out(path: Path, read: Callable[[], object], lock: AbstractContextManager) -> None:
    """Read a file in a fork of this process and forget the result.

    Python's exceptions are left to the real reading, and so is a file for which the trial only waits: for a slow disk,
    or for a lock that another thread held when the process forked.

    Parameters
    ----------
    path
        The file.
    read
        Function that reads it.
    lock
        Lock of the library, so that no other thread holds it in the fork.

    Raises
    ------
    ValueError
        If the fork crashed, computed for too long, or took more memory than `bandpress.files.most_memory`.
    """
    if not hasattr(os, "fork"):
        return
    with lock, warnings.catch_warnings(action="ignore"):
        child = os.fork()
        if not child:
            _end_after(path, read)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) != signal.SIGALRM:
        raise ValueError("a damaged file, on which the library crashes or never returns")
    if status == _GREEDY << 8:
        raise ValueError(
            "a damaged file, for which the library takes more memory than the file can account for"
        )


def _end_after(path: Path, read: Callable[[], object]) -> None:
    import faulthandler
    import resource

    def held() -> int:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else 1024 * most

    code, before = 0, held()
    try:
        faulthandler.disable()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        seconds = _SECONDS + path.stat().st_size // _BYTES_A_SECOND
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE * seconds)
        try:
            read()
        finally:
            code = _GREEDY if held() - before > most_memory(path.stat().st_size) else 0
    finally:
        os._exit(code)
