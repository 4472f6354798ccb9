"""Search for a window without fill in a flight line, without reading the whole line.

Orthorectified lines lie rotated in their files, with fill at the margins, at an angle known only after download.
"""

from collections.abc import Iterator

import numpy as np

from bandpress.errors import DataError
from bandpress.scene import Scene

#: Stride of the grid that is searched first, and number of places searched after that.
_STEP = 16
_MOST_PLACES = 24
#: Number of bands to compare: fill is equal in all bands, a spectrum is not.
_BANDS = 8


def place_window(
    scene: Scene, size: tuple[int, int], along: float = 0.5, narrowest: int | None = None
) -> tuple[slice, slice]:
    """Return lines and samples of a window without fill.

    A pixel is fill if it has the same value in all bands. A grid of pixels, 16 apart, gives candidate places; the
    window is the candidate nearest to the wanted place whose pixels are all data, centred across the line.

    Parameters
    ----------
    scene
        A flight line, which may be a memory map.
    size
        Lines and samples of the window.
    along
        Wanted place, from the first possible one (0) to the last (1).
    narrowest
        Fewest samples allowed if the margins leave no more. Default: those of `size`.

    Raises
    ------
    DataError
        If there is no such window.
    """
    lines, samples = size
    least = min(narrowest or samples, samples)
    if lines > scene.lines or least > scene.samples:
        raise DataError(
            f"scene {scene.name}: a window of {lines} lines and {least} samples was asked for; expected at most "
            f"{scene.lines} and {scene.samples}"
        )
    narrower = []
    for first in _firsts(scene, lines, least, along):
        left, room = _room(scene, first, lines)
        if room < samples:
            narrower.append((room, first, left))
        elif window := _data(scene, first, lines, left, room, samples):
            return window
    for room, first, left in sorted(narrower, key=lambda place: -place[0]):
        if room >= least and (window := _data(scene, first, lines, left, room, room)):
            return window
    widest = max(narrower, default=(0,))[0]
    raise DataError(
        f"scene {scene.name}: no window of {lines} lines and {least} samples without fill in {scene.lines} x "
        f"{scene.samples}; expected one, or a smaller window (about {widest} samples are free)"
    )


def _data(
    scene: Scene, first: int, lines: int, left: int, room: int, samples: int
) -> tuple[slice, slice] | None:
    """Return the window in the middle of a place's free area, unless it contains fill."""
    start = left + (room - samples) // 2
    window = slice(first, first + lines), slice(start, start + samples)
    return None if _fill(scene, *window).any() else window


def _firsts(scene: Scene, lines: int, samples: int, along: float) -> Iterator[int]:
    """Yield first lines of candidate places from a grid of pixels, nearest to the wanted line first."""
    fill = _fill(scene, slice(None, None, _STEP), slice(None, None, _STEP))
    sums = np.pad(fill.cumsum(0), ((1, 0), (0, 0)))
    firsts = np.arange(0, scene.lines - lines + 1, _STEP)
    rows = firsts // _STEP
    ends = np.minimum(-(-(firsts + lines) // _STEP) + 1, len(fill))
    room = np.array([_longest(column == 0)[1] for column in sums[ends] - sums[rows]]) * _STEP
    free = firsts[room + _STEP >= samples]
    if len(free):
        aim = free[0] + along * (free[-1] - free[0])
        nearest = sorted(free.tolist(), key=lambda first: abs(first - aim))
        yield from nearest[:_MOST_PLACES]


def _room(scene: Scene, first: int, lines: int) -> tuple[int, int]:
    """Return the first sample and the number of samples without fill over some lines of a place."""
    wanted = [*range(first, first + lines - 1, _STEP), first + lines - 1]
    fill = np.array([_fill(scene, line, slice(None)) for line in wanted])
    return _longest(np.logical_not(fill.any(axis=0)))


def _longest(free: np.ndarray) -> tuple[int, int]:
    """Return start and length of the longest run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], free, [False]))))
    begins, ends = edges[::2], edges[1::2]
    if not len(begins):
        return 0, 0
    longest = int(np.argmax(ends - begins))
    return int(begins[longest]), int(ends[longest] - begins[longest])


def _fill(scene: Scene, lines: slice | int, samples: slice) -> np.ndarray:
    """Return the mask of the pixels of a part that are no-data."""
    bands = np.unique(np.linspace(0, scene.bands - 1, _BANDS).astype(int))
    first = scene.cube[bands[0], lines, samples]
    same = np.full(first.shape, len(bands) > 1)
    for band in bands[1:]:
        same &= scene.cube[band, lines, samples] == first
    return same
