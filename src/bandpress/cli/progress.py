"""Progress bars on standard error, shown on a terminal only."""

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from bandpress.stages import COMPILING, heard


class _Time(ProgressColumn):
    """Column with the elapsed time and, once some work is done, its rate and the time left."""

    def __init__(self, size: float):
        super().__init__()
        self.size = size

    def render(self, task: Task) -> Text:
        elapsed = task.elapsed or 0.0
        if not task.completed or not task.total or elapsed < 0.1:
            return Text(_clock(elapsed))
        left = elapsed * (task.total - task.completed) / task.completed
        rate = self.size / 1e6 * task.completed / task.total / elapsed
        return Text(f"{_clock(elapsed)}  {rate:.3g} MB/s  {_clock(left)} left")


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


@contextmanager
def bands_bar(label: str, bands: int, size: float, unit: str = "bands") -> Iterator[Callable[[int], object]]:
    """Yield a function to call with the number of bands (or `unit`) done so far.

    Until the first is done, the bar pulses and shows the codec's stages, see `bandpress.stages`. Where there is no
    terminal, compilation is reported, once, and nothing else.

    Parameters
    ----------
    label
        Name of the file.
    bands
        Total number of bands.
    size
        Total size in bytes, from which the bar shows the mean rate.
    unit
        Name of the counted items.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[state]}"), _Time(size))
    shown = sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), disable=not shown) as progress:
        task = progress.add_task(label, total=None, state="")

        def done(count: int) -> None:
            progress.update(task, total=bands, completed=count, state=f"{count}/{bands} {unit}")

        @cache
        def log(stage: str) -> None:
            if stage == COMPILING:
                print(f"{label}: {stage}", file=sys.stderr, flush=True)

        with heard(lambda stage: progress.update(task, state=stage) if shown else log(stage)):
            yield done


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
