"""Import of packages that only some formats need."""

from importlib import import_module
from pathlib import Path
from typing import Any

from bandpress.errors import MissingDependencyError


def require(module: str, path: Path | str, extra: str = "formats") -> Any:
    """Import a module that a format needs.

    Raises
    ------
    MissingDependencyError
        If its package is not installed.
    """
    try:
        return import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise MissingDependencyError(
            f"{path}: the package {package}, which this file needs, is not installed; "
            f"expected it from pip install 'bandpress[{extra}]'"
        ) from None
