"""The command lines that the help of the program and the documentation give as examples."""

import re
import shlex
from collections.abc import Iterator

import click

from bandpress.cli import cli
from places import ROOT

#: Pages whose commands are not typed by a reader: written from the help, records of trainings, Python.
_NOT_TYPED = {"commands.md", "cards.md"}
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)

PAGES = [
    path
    for path in sorted([ROOT / "README.md", ROOT / "results/README.md", *(ROOT / "docs").glob("*.md")])
    if path.name not in _NOT_TYPED
]


def commands(group: click.Group = cli, name: str = "bandpress") -> Iterator[tuple[str, click.Command]]:
    """Every command with the words that call it, the groups included."""
    yield name, group
    context = click.Context(group)
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{name} {word}")
        else:
            yield f"{name} {word}", command


def of_help() -> list[str]:
    """Every example of every ``--help``, each once."""
    lines = (line.strip() for _, command in commands() for line in (command.help or "").splitlines())
    return list(dict.fromkeys(line for line in lines if line.startswith("bandpress ")))


def of_pages() -> dict[str, list[str]]:
    """The lines of each block of shell commands, by page and number."""
    found = {}
    for page in PAGES:
        for number, (kind, text) in enumerate(_FENCE.findall(page.read_text("utf-8")), 1):
            lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
            if kind == "sh" or any(line.startswith("bandpress ") for line in lines):
                found[f"{page.name}-{number}"] = lines
    return found


def of_sentences() -> list[str]:
    """Commands of bandpress in the sentences of the pages."""
    texts = (_FENCE.sub("", page.read_text("utf-8")) for page in PAGES)
    return sorted({found for text in texts for found in re.findall(r"`(bandpress [a-z][^`]*)`", text)})


def misused(line: str) -> str | None:
    """Say which command or option of a line does not exist, if any."""
    words = shlex.split(line, comments=True)[1:]
    command: click.Command = cli
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        inner = command.get_command(click.Context(command), words[0])
        if inner is None:
            return words[0]
        command, words = inner, words[1:]
    known = {
        option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
    }
    known |= {"-h", "--help", "--version"}
    used = {word.partition("=")[0] for word in words if re.match(r"--?[a-zA-Z]", word)}
    return next(iter(used - known), None)
