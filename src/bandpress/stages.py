"""Progress messages of long work, for display by the command line's bar."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: Stage of the first call of a kernel, which takes up to a minute.
COMPILING = "compiling, once only"

_LISTENER: ContextVar[Callable[[str], object] | None] = ContextVar("listener", default=None)


def at_stage(stage: str) -> None:
    """Report the current stage, such as ``"search 3, step 12.5"``, to the listener if there is one."""
    listener = _LISTENER.get()
    if listener is not None:
        listener(stage)


@contextmanager
def heard(listener: Callable[[str], object]) -> Iterator[None]:
    """Call a function with each stage that begins in this context, in this thread."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)
