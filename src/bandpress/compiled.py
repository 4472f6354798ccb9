"""Compiled kernels: numba without the interpreter lock, kept on disk so that only the first call ever compiles.

Kernels are exact: integers, or IEEE operations in the order in which they are written. numba contracts and reorders
none of them unless it is told to, which is done only where every operation is exact anyway. A kernel and the helpers
that it calls are in one file: numba notices changes of the file that a kernel is in, and of no other.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _find_cache() -> None:
    """Name a folder that can be written to where neither the package's nor the user's can be."""
    home = Path("~").expanduser()
    if "NUMBA_CACHE_DIR" not in os.environ and not any(
        os.access(p, os.W_OK) for p in (Path(__file__).parent, home)
    ):
        user = os.getuid() if hasattr(os, "getuid") else "user"
        os.environ["NUMBA_CACHE_DIR"] = str(Path(tempfile.gettempdir()) / f"bandpress-kernels-{user}")


_find_cache()

import numba  # noqa: E402 - reads the environment when it is imported

#: Compile what only kernels of the same file call.
helper: Callable[..., Any] = numba.njit(nogil=True)


def kernel(signature: str) -> Callable[..., Any]:
    """Compile a function for one signature, or load what was compiled before.

    Parameters
    ----------
    signature
        Its types, as numba writes them.
    """
    return numba.njit(signature, nogil=True, cache=True)
