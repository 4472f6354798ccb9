"""A progress bar on standard error, shown only to a person and only when the work takes a while."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text


class _Rate(ProgressColumn):
    """Bands done per second."""

    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:.1f} bands/s")


@contextmanager
def bands_bar(label: str, bands: int) -> Iterator[Callable[[int], object]]:
    """Yield a function to be called with the number of bands done so far."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, _Rate(), TimeRemainingColumn(), console=console, disable=not sys.stderr.isatty()
    ) as progress:
        task = progress.add_task(label, total=bands)
        yield lambda done: progress.update(task, completed=done)
