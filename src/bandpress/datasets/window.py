"""A window of a flight line that holds no fill: found without reading the line.

Orthorectified lines lie askew in their files, with fill at the margins, and where is known only once a file is there.
"""

from collections.abc import Iterator

import numpy as np

from bandpress.errors import DataError
from bandpress.scene import Scene

#: Lines and samples between two pixels that are looked at first.
_STEP = 16
#: Bands that are looked at: fill is the same in all of them, and no spectrum is.
_BANDS = 8


def place_window(scene: Scene, size: tuple[int, int], along: float = 0.5) -> tuple[slice, slice]:
    """Return lines and samples of a window without fill.

    A pixel is fill where all bands hold one value. Of the places where a grid of pixels, 16 apart, shows none, the one
    nearest to where it should be is taken whose every pixel is data.

    Parameters
    ----------
    scene
        A flight line, which may be a memory map.
    size
        Lines and samples of the window.
    along
        How far from the first such place (0) to the last (1).

    Raises
    ------
    DataError
        If there is no such window.
    """
    lines, samples = size
    if lines > scene.lines or samples > scene.samples:
        raise DataError(
            f"scene {scene.name}: a window of {lines} lines and {samples} samples was asked for; expected at most "
            f"{scene.lines} and {scene.samples}"
        )
    for first, left in _places(scene, size, along):
        window = slice(first, first + lines), slice(left, left + samples)
        edges: list[tuple[slice | int, slice | int]] = []
        edges += [(row, window[1]) for row in (first, first + lines - 1)]
        edges += [(window[0], column) for column in (left, left + samples - 1)]
        if not any(_fill(scene, *edge).any() for edge in (*edges, window)):
            return window
    raise DataError(
        f"scene {scene.name}: no window of {lines} lines and {samples} samples without fill; expected one in "
        f"{scene.lines} x {scene.samples}"
    )


def _places(scene: Scene, size: tuple[int, int], along: float) -> Iterator[tuple[int, int]]:
    """Yield where a grid of pixels shows no fill, in order of how near it is to the place that is wanted."""
    fill = _fill(scene, slice(None, None, _STEP), slice(None, None, _STEP))
    # Fill within a window, by sums over the rectangles that begin at the grid's corner.
    sums = np.pad(fill.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    tops, lefts = (
        np.arange(0, there - asked + 1, _STEP)
        for there, asked in zip(scene.cube.shape[1:], size, strict=True)
    )
    top, bottom = tops // _STEP, np.minimum(-(-(tops + size[0]) // _STEP) + 1, len(fill))
    left, right = lefts // _STEP, np.minimum(-(-(lefts + size[1]) // _STEP) + 1, fill.shape[1])
    corners = (
        sums[np.ix_(one, two)] for one, two in ((bottom, right), (top, right), (bottom, left), (top, left))
    )
    whole, above, before, both = corners
    free = whole - above - before + both == 0
    rows = np.flatnonzero(free.any(1))
    if not len(rows):
        return
    aim = tops[rows[0]] + along * (tops[rows[-1]] - tops[rows[0]])
    for row in sorted(rows, key=lambda row: abs(tops[row] - aim)):
        columns = np.flatnonzero(free[row])
        middle = columns[(len(columns) - 1) // 2]  # furthest from both margins
        for column in sorted(columns, key=lambda column: abs(column - middle)):
            yield int(tops[row]), int(lefts[column])


def _fill(scene: Scene, lines: slice | int, samples: slice | int) -> np.ndarray:
    """Return which pixels of a part hold no measurement."""
    bands = np.unique(np.linspace(0, scene.bands - 1, _BANDS).astype(int))
    first = scene.cube[bands[0], lines, samples]
    same = np.full(first.shape, len(bands) > 1)
    for band in bands[1:]:
        same &= scene.cube[band, lines, samples] == first
    return same
