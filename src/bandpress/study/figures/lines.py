"""Lines over bands."""

import numpy as np


def with_gaps(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sort by x and break the line where bands are missing: at steps of over four times the usual one."""
    order = np.argsort(x, kind="stable")
    x, y = x[order].astype(float), y[order].astype(float)
    steps = np.diff(x)
    if not len(steps):
        return x, y
    breaks = np.flatnonzero(steps > 4 * np.median(steps)) + 1
    return np.insert(x, breaks, np.nan), np.insert(y, breaks, np.nan)
