"""Progress bars on standard error, shown on a terminal only."""

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

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
def bands_bar(
    label: str, bands: int, unit: str = "bands", *, search: bool = False
) -> Iterator[Callable[[int], object]]:
    """Yield a function that takes the number of bands done so far.

    With `search`, the bar pulses while the codec searches for an operating point, before the first band is done.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[state]}"),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, _Rate(unit), TimeRemainingColumn(), console=console, disable=not sys.stderr.isatty()
    ) as progress:
        state = "searching for the operating point" if search else f"0/{bands}"
        task = progress.add_task(label, total=None if search else bands, state=state)
        yield lambda done: progress.update(task, total=bands, completed=done, state=f"{done}/{bands}")


@contextmanager
def training_bar(label: str) -> Iterator[tuple[Callable[[Any], object], Callable[[str], object]]]:
    """Yield a function that takes each step's `Progress`, and one that takes messages.

    A terminal shows a bar with rate, PSNR and time left; a log file gets only the messages.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %  step {task.fields[step]}  {task.fields[bps]:.3f} bps"),
        TextColumn("{task.fields[psnr]} dB  {task.fields[left]} left"),
    )
    hidden = not sys.stderr.isatty()
    with Progress(*columns, console=console, disable=hidden, refresh_per_second=2) as progress:
        task = progress.add_task(label, total=1.0, step=0, bps=0.0, psnr="?", left="?")

        def report(now: Any) -> None:
            minutes, seconds = divmod(int(now.seconds_left), 60)
            progress.update(
                task,
                completed=now.done,
                step=now.step,
                bps=now.bps,
                psnr="–" if math.isnan(now.psnr) else f"{now.psnr:.2f}",
                left=f"{minutes}:{seconds:02}",
            )

        def say(line: str) -> None:
            if hidden:
                print(f"{label}: {line}", file=sys.stderr, flush=True)
            else:
                progress.console.print(f"{label}: {line}", highlight=False)

        yield report, say


@contextmanager
def busy(label: str) -> Iterator[None]:
    """Show a spinner on a terminal during work of unknown length."""
    console = Console(stderr=True)
    if not sys.stderr.isatty():
        yield
        return
    with console.status(label):
        yield
