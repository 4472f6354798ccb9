"""Compiled contexts of signs: the column of a place, and frequencies that adapt. See `bandpress.contexts.signs`."""

import numpy as np

from bandpress.compiled import helper
from bandpress.contexts.kernels.constants import LEAST, WHOLE

_FAST, _SLOW, _EARLY = 4, 5, 16  # shifts by which frequencies adapt, and how often with the first


@helper
def _sign(value):
    """Return -1, 0 or 1."""
    return np.int64(value > 0) - np.int64(value < 0)


@helper
def column_of(values, y, x, turn):
    """Return the column of a place, see `bandpress.contexts.signs`."""
    column = np.int64(0)
    last_line, last_sample = values.shape[0] - 1, values.shape[1] - 1
    if turn[0] != turn[1]:
        if x:
            column += 5 * _sign(values[y, x - 1])
        if x < last_sample:
            column += 5 * _sign(values[y, x + 1])
        if y:
            column += _sign(values[y - 1, x])
        if y < last_line:
            column += _sign(values[y + 1, x])
    elif turn[0]:
        column += 5 * _sign(values[y - 1, x - 1]) + (_sign(values[y - 1, x + 1]) if x < last_sample else 0)
        if y < last_line:
            column += _sign(values[y + 1, x - 1]) + (
                5 * _sign(values[y + 1, x + 1]) if x < last_sample else 0
            )
    else:
        if x:
            column += 5 * _sign(values[y, x - 2])
        if y:
            column += _sign(values[y - 2, x])
    return column


@helper
def frequency_against(signs, row, column):
    """Return the frequency of a sign against its column."""
    return signs[0, row, abs(column) - 1] if column else np.int64(WHOLE // 2)


@helper
def learn(signs, row, column, against):
    """Adapt the frequency of a column to a sign."""
    if column:
        place = abs(column) - 1
        known = signs[0, row, place]
        change = ((WHOLE if against else 0) - known) >> (_FAST if signs[1, row, place] < _EARLY else _SLOW)
        signs[0, row, place] = min(max(known + change, LEAST), WHOLE - LEAST)
        signs[1, row, place] += 1
