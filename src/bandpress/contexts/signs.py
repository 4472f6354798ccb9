"""Probabilities of signs, given the signs of neighbours.

Coefficients along an edge have equal signs, coefficients across it often opposite ones (Taubman, "High performance
scalable image compression with EBCOT", IEEE Transactions on Image Processing 9(7), 2000, section IV). The signs of
neighbours that a pass knows give the *column* of a place, from -12 to 12: 5 times the sum of one pair and the sum of
another (`PAIRS`). A sign is *against* its column if it is the opposite one. The probability of that depends on the
absolute value of the column and on pass, level and orientation, the *row*. Column 0 says nothing. A model holds the
probabilities that a string begins with; they adapt while it is coded.
"""

import numpy as np

from bandpress.contexts.kernels.constants import LEAST, ROWS_A_PASS, WHOLE

#: First line and sample of each pass over a band.
TURNS = ((0, 0), (1, 1), (0, 1), (1, 0))
#: Offsets of the neighbours of each pass, the first pair and the second.
PAIRS = (
    (((0, -2),), ((-2, 0),)),
    (((-1, -1), (1, 1)), ((-1, 1), (1, -1))),
    (((0, -1), (0, 1)), ((-1, 0), (1, 0))),
    (((0, -1), (0, 1)), ((-1, 0), (1, 0))),
)
#: Rows of a table: the last two passes share theirs.
ROWS = 3 * ROWS_A_PASS
#: Columns of a table.
COLUMNS = 12
#: Signs of each kind added to the counts of a table.
_PRIOR = 16


def row_of(turn: int, level: int, orientation: int) -> int:
    """Return the row of a pass over a band."""
    return ROWS_A_PASS * min(turn, 2) + (3 * min(level, 4) + orientation - 3 if orientation else 0)


def count(signs: np.ndarray, bands: np.ndarray) -> np.ndarray:
    """Count the signs of a component.

    Parameters
    ----------
    signs
        -1, 0 or 1, integers, shape (lines, samples).
    bands
        Result of `bandpress.contexts.features.bands_of`.

    Returns
    -------
    numpy.ndarray
        Signs for and against each absolute column of each row, int64, shape (2, ROWS, COLUMNS).
    """
    found = np.zeros((2, ROWS, COLUMNS), np.int64)
    for level, orientation, top, bottom, left, right in bands:
        here = signs[top:bottom, left:right]
        around = np.pad(here, 2)
        for turn, (line, sample) in enumerate(TURNS):
            column = np.zeros_like(here)
            for weight, pair in zip((5, 1), PAIRS[turn], strict=True):
                for y, x in pair:
                    column += weight * around[2 + y : 2 + y + len(here), 2 + x : 2 + x + here.shape[1]]
            column, sign = column[line::2, sample::2], here[line::2, sample::2]
            told = (column != 0) & (sign != 0)
            against = (sign[told] * column[told] < 0).astype(np.int64)
            np.add.at(found, (against, row_of(turn, level, orientation), np.abs(column[told]) - 1), 1)
    return found


def frequencies(counts: np.ndarray) -> np.ndarray:
    """Return the frequency of signs against each column of each row, int64, shape (ROWS, COLUMNS).

    Parameters
    ----------
    counts
        Sum of results of `count`.
    """
    shares = (counts[1] + _PRIOR) / (counts.sum(axis=0) + 2 * _PRIOR)
    return np.clip(np.rint(WHOLE * shares), LEAST, WHOLE - LEAST).astype(np.int64)


def state(table: np.ndarray) -> np.ndarray:
    """Return the initial state of a string: a model's frequencies, and how often each was used, (2, ROWS, COLUMNS)."""
    return np.stack([table, np.zeros_like(table)])
