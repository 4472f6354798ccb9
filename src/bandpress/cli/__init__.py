"""Command line: each command is one module, imported when it is called."""

import contextlib
import signal
import sys
import warnings
from importlib import import_module
from typing import Any

import click

from bandpress import environment
from bandpress.cli.printing import printable
from bandpress.errors import BandpressError, SceneWarning

#: Each command and its module below ``bandpress.cli``.
COMMANDS = {
    "bench": "bench",
    "clusters": "clusters",
    "compare": "compare",
    "compress": "compress",
    "convert": "convert",
    "data": "data",
    "decompress": "decompress",
    "evaluate": "evaluate",
    "info": "info",
    "models": "models",
    "quicklook": "quicklook",
    "synthesize": "synthesize",
    "train": "train",
    "train-contexts": "train_contexts",
    "verify": "verify",
}


class _Lazy(click.Group):
    """Command group that imports a command's module on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        return import_module(f"bandpress.cli.{COMMANDS[name]}").command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bandpress", message="%(package)s %(version)s")
def cli() -> None:
    """Compress hyperspectral images in clusters of bands.

    \b
    Example:
      bandpress compress scene.224_680_512_2_1_0.raw --codec jpeg2000 --rate 0.5
      bandpress decompress scene.bpk
    """


def _note(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a warning as one sentence."""
    click.echo(printable(f"bandpress: note: {message}"), err=True)


def _terminate(*_: Any) -> None:
    """End as if interrupted, so that nothing is left half written."""
    raise KeyboardInterrupt


def main(argv: list[str] | None = None) -> None:
    """Run the command line; exit with 0 when done, 1 on a stated failure, 2 on wrong usage, 130 when interrupted."""
    environment.is_program = argv is None
    if environment.is_program:
        with contextlib.suppress(ValueError):  # not in the main thread
            signal.signal(signal.SIGTERM, _terminate)
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
    except (click.Abort, KeyboardInterrupt):
        click.echo("bandpress: interrupted; no partial files were left", err=True)
        sys.exit(130)
