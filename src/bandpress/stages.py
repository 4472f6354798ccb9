"""What a long piece of work is at, in words, for whoever shows it: the bar of the command line."""

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
