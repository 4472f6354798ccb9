"""Progress messages of long work, for display by the command line's bar."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_LISTENER: ContextVar[Callable[[str], object] | None] = ContextVar("listener", default=None)


def at_stage(stage: str) -> None:
    """Say what is done from here on, as ``"search 3, step 12.5"``; nobody need listen."""
    listener = _LISTENER.get()
    if listener is not None:
        listener(stage)


@contextmanager
def heard(listener: Callable[[str], object]) -> Iterator[None]:
    """Have a function called with each stage that begins within this, in this thread."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)
