"""Resources that this process may use, and the machine's name."""

import os
import platform
import re
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

#: Environment variable that limits the threads of a process. The launcher ``envs/run`` applies it to BLAS, OpenMP,
#: numba and TensorFlow before any of them starts.
VARIABLE = "BANDPRESS_THREADS"
#: Variables that limit the threads of one library each, which reads them on import.
_OF_LIBRARIES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


def processors() -> int:
    """Return the number of threads that this process may use: the given limit, else its processors."""
    given = os.environ.get(VARIABLE, "")
    if given.isdecimal() and int(given):
        return int(given)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def limits(threads: int) -> dict[str, str]:
    """Return the environment variables that limit a new process to a number of threads."""
    return dict.fromkeys((VARIABLE, *_OF_LIBRARIES), str(threads))


def helpers(most: int) -> Executor:
    """Return a pool for work beside that of the calling thread: at most so many threads, none if there is but one."""
    beside = min(most, processors() - 1)
    return Threads(beside) if beside > 0 else _Inline()


class Threads(ThreadPoolExecutor):
    """Pool of threads for generators: closing the generator within ``with`` does not wait for the threads.

    The garbage collector may close an abandoned generator in any thread, for instance one that is just starting and
    holds a lock of `threading`; waiting there for another thread to end is a deadlock.
    """

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        """Shut down the pool; after an error, without the work that has not begun."""
        self.shutdown(wait=kind is not GeneratorExit, cancel_futures=kind is not None)


class _Inline(Executor):
    """Executor that runs functions at once, in the calling thread."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future:
        """Run a function and return its outcome."""
        future: Future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


def processor_name() -> str:
    """Return the name of the processor, as far as the system reports it."""
    try:
        found = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()
