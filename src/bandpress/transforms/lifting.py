"""Compiled 9/7 wavelet by lifting: lines or columns are copied into strips that fit into the cache."""

import numpy as np

from bandpress.compiled import helper, kernel

_LIFTING = (-1.586134342059924, -0.052980118572961, 0.882911075530934, 0.443506852043971)
_SCALE = 1.230174104914001
#: Factors of the low and the high half, in splitting and in merging.
_FACTORS = np.array([[np.sqrt(2) / _SCALE, _SCALE / np.sqrt(2)], [_SCALE / np.sqrt(2), np.sqrt(2) / _SCALE]])
#: Columns of a strip.
_STRIP = 64


@helper
def _lift(target, source, lines, others, shift, weight):
    """Add to each line of `target` the weighted sum of the two lines of `source` around it; mirrored at the ends."""
    for i in range(lines):
        before, after = i - 1 + shift, i + shift
        if before < 0:
            before = after
        if after >= others:
            after = before
        row, one, two = target[i], source[before], source[after]
        for j in range(_STRIP):
            row[j] += weight * (one[j] + two[j])


@helper
def _copy(image, strip, lines, first, stride, factor, turned, outwards):
    """Copy lines, or columns if `turned`, `first`, `first` + `stride` … of an image into a strip, or back."""
    if turned:
        for j in range(image.shape[0]):
            for i in range(lines):
                if outwards:
                    image[j, first + i * stride] = strip[i, j] * factor
                else:
                    strip[i, j] = image[j, first + i * stride] * factor
    else:
        for i in range(lines):
            for j in range(image.shape[1]):
                if outwards:
                    image[first + i * stride, j] = strip[i, j] * factor
                else:
                    strip[i, j] = image[first + i * stride, j] * factor


def strips(lines: int, samples: int) -> np.ndarray:
    """Return work space for images of a size, float64, shape (2, half of the longer side, samples of a strip)."""
    return np.empty((2, max(lines, samples) // 2 + 1, _STRIP))


@kernel("void(float64[:, ::1], int64, int64, float64[:, :, ::1])")
def transform(image, levels, merging, work):
    """Transform an image in place.

    Parameters
    ----------
    image
        float64, shape (lines, samples).
    levels
        Number of levels.
    merging
        0 to split, 1 to merge.
    work
        Result of `strips`.
    """
    low, high = work[0], work[1]
    for number in range(levels):
        level = levels - 1 - number if merging else number
        lines, samples = image.shape
        for _ in range(level):
            lines, samples = (lines + 1) // 2, (samples + 1) // 2
        for turned in range(2):
            size, across = (samples, lines) if turned else (lines, samples)
            if size < 2:
                continue
            half, rest = (size + 1) // 2, size // 2
            for start in range(0, across, _STRIP):
                stop = min(start + _STRIP, across)
                part = image[start:stop, :samples] if turned else image[:lines, start:stop]
                for out in range(2):
                    joined = out == merging  # even and odd ones in turn, not one half after the other
                    first, stride = (1, 2) if joined else (half, 1)
                    scaled = out != merging
                    _copy(part, low, half, 0, stride, _FACTORS[merging][0] if scaled else 1.0, turned, out)
                    _copy(
                        part, high, rest, first, stride, _FACTORS[merging][1] if scaled else 1.0, turned, out
                    )
                    if out:
                        continue
                    for step in range(4):
                        weight = -_LIFTING[3 - step] if merging else _LIFTING[step]
                        if step % 2 == merging:
                            _lift(high, low, rest, half, 1, weight)
                        else:
                            _lift(low, high, half, rest, 0, weight)
