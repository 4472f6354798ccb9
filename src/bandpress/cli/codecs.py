"""Codecs that commands name, and the environment that these need."""

from pathlib import Path
from typing import Any

import click

from bandpress.codecs import Codec, checked_option, defaults, make_codec, needs_tensorflow
from bandpress.environment import need_tensorflow


def named_codec(
    name: str | None, options: dict[str, Any], pairs: tuple[str, ...]
) -> tuple[Codec, dict[str, Any]]:
    """Return the codec that the options of a command describe, and those of them that are given or chosen.

    Parameters
    ----------
    name
        Name of the codec, or None.
    options
        Values of the command's options; None for those that are not given.
    pairs
        Further options, ``name=value``.
    """
    given = {key: value for key, value in options.items() if value is not None}
    name, given = defaults.chosen(name, given)
    go_where_it_runs(name)
    return make_codec(name, **given, **_further(name, pairs, given)), given


def go_where_it_runs(name: str, file: str | Path | None = None) -> None:
    """Continue in the TensorFlow environment if a codec, that of a file if one is given, needs it."""
    if needs_tensorflow(name):
        need_tensorflow(f"the codec {name}" if file is None else f"{file}: the codec {name}")


def _further(codec: str, pairs: tuple[str, ...], given: dict[str, Any]) -> dict[str, Any]:
    """Return the codec options given as pairs ``name=value``."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        name = name.replace("-", "_")
        if not equals:
            raise click.UsageError(f"-O {pair}; expected NAME=VALUE")
        if name in given or name in found:
            raise click.UsageError(f"the option {name} was given twice; expected it once")
        found[name] = checked_option(codec, name, text, text=True)
    return found
