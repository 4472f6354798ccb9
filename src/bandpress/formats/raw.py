"""Raw sample files, shared by GICI raw, CCSDS raw and ENVI."""

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from bandpress.errors import SceneError

#: Order of the axes, by its usual name: band sequential, band interleaved by line, band interleaved by pixel.
Interleave = Literal["bsq", "bil", "bip"]

#: For each order of axes in a file, the positions of (bands, lines, samples) in it.
AXES: dict[str, tuple[int, int, int]] = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (2, 0, 1)}

#: For each order of axes in a file, the axes of (bands, lines, samples) in that order.
STORED: dict[str, tuple[int, int, int]] = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (1, 2, 0)}

#: Bytes of a scene in memory at once while it is copied or measured.
BLOCK_BYTES = 1 << 24


def as_cube(array: np.ndarray, interleave: str) -> np.ndarray:
    """Return a view of an array, whose axes are in the given order, as (bands, lines, samples)."""
    return array.transpose(AXES[interleave])


def as_stored(cube: np.ndarray, interleave: str) -> np.ndarray:
    """Return a view of a cube (bands, lines, samples) with its axes in the given order."""
    return cube.transpose(STORED[interleave])


def map_cube(
    path: Path,
    dtype: np.dtype,
    shape: tuple[int, int, int],
    interleave: str = "bsq",
    offset: int = 0,
) -> np.ndarray:
    """Map the samples of a file into memory.

    Parameters
    ----------
    path
        The file.
    dtype
        Type of the samples, byte order included.
    shape
        Bands, lines, samples.
    interleave
        Order of the axes in the file.
    offset
        Bytes before the first sample.

    Returns
    -------
    numpy.ndarray
        Shape (bands, lines, samples), read only.

    Raises
    ------
    SceneError
        If the file has another size.
    """
    bands, lines, samples = shape
    expected = offset + bands * lines * samples * dtype.itemsize
    found = path.stat().st_size
    if found != expected:
        raise SceneError(
            f"{path}: {found} bytes; expected {expected}, for {bands} bands of {samples} x {lines} {dtype.name}"
        )
    stored = tuple(shape[axis] for axis in STORED[interleave])
    return as_cube(np.memmap(path, dtype=dtype, mode="r", offset=offset, shape=stored), interleave)


def write_cube(
    cube: np.ndarray, file: BinaryIO, interleave: str = "bsq", dtype: np.dtype | None = None
) -> None:
    """Write the samples of a cube in the given order of axes and type, in blocks."""
    for block in blocks(as_stored(cube, interleave)):
        file.write(np.ascontiguousarray(block, dtype).data)


def blocks(array: np.ndarray) -> Iterator[np.ndarray]:
    """Yield consecutive parts of an array along its first axis, each of about `BLOCK_BYTES`.

    Pages of a memory map are returned to the system after each part, so that reading a file takes the memory of one
    part.
    """
    step = max(1, BLOCK_BYTES // max(1, array[0].nbytes))
    for first in range(0, len(array), step):
        yield array[first : first + step]
        release(array)


def release(array: np.ndarray) -> None:
    """Release the pages of a memory map; they are read again when needed."""
    base = array
    while isinstance(base.base, np.ndarray):
        base = base.base
    held = base.base
    if isinstance(held, mmap.mmap) and hasattr(held, "madvise") and not base.flags.writeable:
        held.madvise(mmap.MADV_DONTNEED)
