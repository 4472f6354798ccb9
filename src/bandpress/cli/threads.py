"""Option ``--threads`` of the commands that code."""

import os
import sys

import click

from bandpress import environment
from bandpress.machine import limits


def _limit(ctx: click.Context, param: click.Parameter, threads: int | None) -> None:
    """Restart the program with the limits in its environment, since libraries read them on import."""
    if threads is None or not environment.is_program:  # a program that calls the command has its own limits
        return
    limited = os.environ | limits(threads)
    if limited != os.environ:
        os.execve(sys.executable, [sys.executable, "-m", "bandpress", *sys.argv[1:]], limited)


threads_option = click.option(
    "--threads",
    type=click.IntRange(1, 256),
    callback=_limit,
    expose_value=False,
    is_eager=True,
    help="Default: one per processor.",
)
