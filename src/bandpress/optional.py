"""Import of optional packages, those of bandpress's extras."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from bandpress.errors import MissingDependencyError


def require(module: str, user: Path | str, extra: str = "formats") -> Any:
    """Import a module of an optional package.

    Parameters
    ----------
    module
        Name of the module.
    user
        Subject of the error message: the file, the address or the task that needs it.
    extra
        The extra of bandpress that brings the package.

    Raises
    ------
    MissingDependencyError
        If the package is not installed.
    """
    with needed(user, extra):
        return import_module(module)


@contextmanager
def needed(user: Path | str, extra: str) -> Iterator[None]:
    """Import optional packages within, so that a missing one raises a MissingDependencyError; see `require`."""
    try:
        yield
    except ImportError as error:
        package = (error.name or str(error)).partition(".")[0]
        raise MissingDependencyError(
            f"{user}: the package {package} is needed here, but is not installed; "
            f"expected it from pip install 'bandpress[{extra}]'"
        ) from None
