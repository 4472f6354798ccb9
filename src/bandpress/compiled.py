"""Compiled kernels: numba without the interpreter lock, cached on disk so that only the first call compiles.

Kernels are exact: integers, or IEEE operations in the order in which they are written. numba contracts and reorders
them only on request, which we make only where every operation is exact anyway. ``make env`` compiles all kernels
(`bandpress.kernels`); otherwise each is compiled on first use.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any


def _find_cache() -> None:
    """Set a writable cache folder if neither the package's nor the user's is writable."""
    home = Path("~").expanduser()
    if "NUMBA_CACHE_DIR" not in os.environ and not any(
        os.access(p, os.W_OK) for p in (Path(__file__).parent, home)
    ):
        user = os.getuid() if hasattr(os, "getuid") else "user"
        os.environ["NUMBA_CACHE_DIR"] = str(Path(tempfile.gettempdir()) / f"bandpress-kernels-{user}")


_find_cache()

import numba  # noqa: E402 - reads the environment when it is imported

from bandpress.stages import COMPILING, at_stage  # noqa: E402

#: Compilation options. Without `_nrt`, numba counts no references to arrays, which takes half of the time of kernels
#: that code sample by sample; kernels cannot allocate arrays then, so their callers do.
_OPTIONS: dict[str, Any] = {"nogil": True, "_nrt": False}
#: Compilation options of functions that only kernels call.
INLINE: dict[str, Any] = {
    **_OPTIONS,
    "forceinline": True,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}
#: Decorator of functions that only kernels call.
helper: Callable[..., Any] = numba.njit(**INLINE)


def kernel(signature: str) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function for one signature, or load it from the cache.

    A kernel is recompiled when any file in its folder changes, since its helpers are there. numba alone checks only the
    file of the kernel.

    Parameters
    ----------
    signature
        Types of arguments and result, in numba's notation.
    """

    def compiled(function: Callable[..., Any]) -> Any:
        made: Any = numba.njit(cache=True, **_OPTIONS)(function)
        index = made._cache._cache_file
        index._source_stamp = (index._source_stamp, _digest(Path(function.__code__.co_filename).parent))
        made._cache.load_overload = partial(_load, made._cache)
        made.compile(signature)
        made.disable_compile()
        return made

    return compiled


def _load(kept: Any, signature: str, context: Any) -> Any:
    """Load a kernel for this processor from its cache, or return None, so that numba compiles it.

    numba's own method imports its libraries for compilation first, which takes longer than loading all kernels.
    """
    found = kept._load_overload(signature, context)
    if found is None:
        at_stage(COMPILING)
    return found


@cache
def _digest(folder: Path) -> str:
    """Return a digest of the modules in a folder."""
    found = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()
