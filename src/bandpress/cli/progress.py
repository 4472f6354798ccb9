"""A progress bar on standard error, shown only to a person and only when the work takes a while."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text


class _Rate(ProgressColumn):
    """Bands (or `unit`) done per second."""

    def __init__(self, unit: str = "bands"):
        super().__init__()
        self.unit = unit

    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:.1f} {self.unit}/s")


@contextmanager
def bands_bar(label: str, bands: int, unit: str = "bands") -> Iterator[Callable[[int], object]]:
    """Yield a function to be called with the number of bands done so far."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, _Rate(unit), TimeRemainingColumn(), console=console, disable=not sys.stderr.isatty()
    ) as progress:
        task = progress.add_task(label, total=bands)
        yield lambda done: progress.update(task, completed=done)


@contextmanager
def busy(label: str) -> Iterator[None]:
    """Show a person that something of unknown length is going on."""
    console = Console(stderr=True)
    if not sys.stderr.isatty():
        yield
        return
    with console.status(label):
        yield
