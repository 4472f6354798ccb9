"""Write docs/commands.md, the reference of the command line, from the commands' help. Called by ``make docs``."""

from collections.abc import Iterator
from pathlib import Path

import click

from bandpress.cli import cli

TARGET = Path(__file__).parent / "commands.md"
WIDTH = 100
INTRODUCTION = """# Commands

What `bandpress COMMAND --help` says, for every command. Written by `make docs`; do not edit.

Every command exits with 0 when it is done, 1 on a failure that it states in one sentence, 2 on wrong usage, 130 when
it is interrupted; it leaves no half-written file. Scenes are read and written in the formats of
[datasets.md](datasets.md#formats), codecs are explained in [codecs.md](codecs.md), training in [models.md](models.md).
"""


def commands(
    command: click.Command, name: str, parent: click.Context | None = None
) -> Iterator[tuple[str, str]]:
    """Yield each command with its help text, groups before their members."""
    widths = {"terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(command, info_name=name, parent=parent, **{**command.context_settings, **widths})
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for member in command.list_commands(context):
            found = command.get_command(context, member)
            if found is not None and not found.hidden:
                yield from commands(found, member, context)


def text() -> str:
    """Return the whole page."""
    parts = [f"## {name}\n\n```text\n{said.rstrip()}\n```\n" for name, said in commands(cli, "bandpress")]
    return "\n".join([INTRODUCTION, *parts])


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
