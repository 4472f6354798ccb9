"""Command line: each command is one module, imported when it is called."""

import signal
import sys
import warnings
from importlib import import_module
from typing import Any

import click

from bandpress import environment, interrupts
from bandpress.cli.printing import printable
from bandpress.errors import BandpressError, SceneWarning

#: Commands, each named like its module below ``bandpress.cli``, and their descriptions in the list of commands.
COMMANDS = {
    "bench": "Time codecs and training on synthetic scenes.",
    "clusters": "Cut scenes into files of a few bands each, and merge them again.",
    "compare": "Compare a scene with a restored one or a .bpk file; draw both.",
    "compress": "Compress scenes, each into one .bpk file.",
    "convert": "Write a scene in another format.",
    "data": "List, fetch and check the data sets and models of a study.",
    "decompress": "Decompress .bpk files into scenes.",
    "evaluate": "Code, decode and measure scenes; write a CSV file.",
    "info": "Describe a scene or a .bpk file.",
    "models": "List and copy models, or import the authors' models.",
    "quicklook": "Write a picture of a scene.",
    "synthesize": "Write a synthetic scene.",
    "train": "Train a network.",
    "train-contexts": "Train a context model.",
    "verify": "Check the checksums of .bpk files.",
}


class _Lazy(click.Group):
    """Command group that imports a command's module on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        return import_module(f"bandpress.cli.{name.replace('-', '_')}").command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bandpress", message="%(package)s %(version)s")
def cli() -> None:
    """Compress hyperspectral images in clusters of bands.

    \b
    Examples:
      bandpress compress scene.hdr --rate 0.2
      bandpress compare scene.hdr scene.bpk
      bandpress decompress scene.bpk -o restored.hdr
    """


def _note(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a warning as one sentence."""
    click.echo(printable(f"bandpress: note: {message}"), err=True)


def main(argv: list[str] | None = None) -> None:
    """Run the command line; exit with 0 when done, 1 on a stated failure, 2 on wrong usage, 130 when interrupted."""
    environment.is_program = argv is None
    if environment.is_program:
        interrupts.answer()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", SceneWarning)
            warnings.showwarning = _note
            cli.main(args=argv, prog_name="bandpress", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code if isinstance(error, click.UsageError) else 1)
    except (BandpressError, OSError, MemoryError) as error:
        click.echo(printable(f"bandpress: {error}"), err=True)
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt) as error:
        terminated = isinstance(error.__cause__, interrupts.Terminated)
        if environment.is_program:
            interrupts.end(signal.SIGTERM if terminated else signal.SIGINT)
        click.echo(interrupts.SAID[signal.SIGINT], err=True)
        sys.exit(130)
