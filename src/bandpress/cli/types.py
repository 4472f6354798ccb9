"""Types of options that several commands share."""

from typing import Any

import click

from bandpress.clusters import BandsPerCluster


class ClusterSize(click.ParamType):
    """Bands per cluster: a positive integer, or ``all``."""

    name = "text"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> BandsPerCluster:
        """Parse the option."""
        if value == "all" or isinstance(value, int):
            return value
        if not value.isdecimal() or int(value) < 1:
            self.fail(f"{value!r} is not a positive integer or 'all'", param, ctx)
        return int(value)


class Widths(click.ParamType):
    """Channels of the three hidden stages: one number for all, ``64``, or three, ``16,64,128``."""

    name = "integer"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | tuple[int, ...]:
        """Parse the option."""
        parts = str(value).split(",")
        if len(parts) not in (1, 3) or not all(part.isdecimal() and int(part) for part in parts):
            self.fail(
                f"{value!r} is neither a positive integer nor three of them, such as 16,64,128", param, ctx
            )
        return int(parts[0]) if len(parts) == 1 else tuple(map(int, parts))
