"""Checks of a network's card, gains and tables when a model is loaded, since it may come from anyone."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from bandpress.errors import ModelError
from bandpress.hyperprior.architecture import Architecture

_MOST_BITS = 16
#: Largest magnitude of the first and last integer of a table.
_FARTHEST = 1 << 16
#: Largest gain, and largest inverse of a gain.
_MOST_GAIN = 1e6
#: Largest lambda and reference range of a card.
_LARGEST = 1e30


def check_card(card: Mapping[str, Any], architecture: Architecture) -> None:
    """Check the entries of a card that coding uses.

    Raises
    ------
    ModelError
        If an entry has another type or is out of range.
    """
    lambda_ = card.get("lambda")
    values = lambda_ if isinstance(lambda_, list) else [lambda_]
    expected = architecture.qualities if isinstance(lambda_, list) else 1
    positive = len(values) == expected and all(map(_is_positive, values))
    if lambda_ is not None and not (positive and all(a < b for a, b in pairwise(values))):
        raise ModelError(
            f"card: lambda is {_short(lambda_)}; expected {architecture.qualities} positive numbers, lowest first"
        )
    reference = card.get("reference_range")
    if reference is not None and not _is_positive(reference):
        raise ModelError(f"card: reference_range is {_short(reference)}; expected a positive number")


def check_weights(weights: Mapping[str, np.ndarray]) -> None:
    """Check the gains of a network whose arrays have the right shapes.

    Raises
    ------
    ModelError
        If a gain is not a positive number within limits.
    """
    for name, array in weights.items():
        if name.startswith("gains/") and not ((array >= 1 / _MOST_GAIN) & (array <= _MOST_GAIN)).all():
            raise ModelError(
                f"weights: {name} holds {array.min():g} to {array.max():g}; "
                f"expected numbers from {1 / _MOST_GAIN:g} to {_MOST_GAIN:g}"
            )


def check_tables(tables: Mapping[str, np.ndarray], architecture: Architecture) -> None:
    """Check the tables of the range coder, see `bandpress.hyperprior.tables.build_tables`.

    Raises
    ------
    ModelError
        If one is missing, or is not a table of cumulative frequencies.
    """
    for name, count in (("y", architecture.scales), ("z", architecture.hyper)):
        cdf, offset = (_integers(tables, f"{name}/{part}") for part in ("cdf", "offset"))
        if offset.shape != (count,):
            raise ModelError(f"tables: {name}/offset has shape {offset.shape}; expected {(count,)}")
        starts = np.flatnonzero(cdf < 0)
        if len(starts) != count or starts[0] != 0:
            raise ModelError(f"tables: {name}/cdf holds {len(starts)} tables; expected {count}")
        for number, table in enumerate(np.split(cdf, starts[1:])):
            bits = -int(table[0])
            if not (
                bits <= _MOST_BITS
                and len(table) >= 3
                and table[1] == 0
                and table[-1] == 1 << bits
                and (np.diff(table[1:]) > 0).all()
            ):
                raise ModelError(
                    f"tables: table {number} of {name}/cdf does not rise from 0 to a power of 2; "
                    "expected cumulative frequencies"
                )
            if max(abs(int(offset[number])), abs(int(offset[number]) + len(table))) > _FARTHEST:
                raise ModelError(
                    f"tables: {name}/offset holds {offset[number]}; expected integers within {_FARTHEST}"
                )


def _integers(tables: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    found = tables.get(name)
    if found is None or found.dtype != np.int32 or found.ndim != 1 or not found.size:
        what = "is missing" if found is None else f"has type {found.dtype} and shape {found.shape}"
        raise ModelError(f"tables: {name} {what}; expected a list of int32")
    return found


def _is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _LARGEST


def _short(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
