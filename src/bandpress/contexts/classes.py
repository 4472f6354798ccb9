"""Classes of magnitudes: the symbols that the context codec codes with tables.

Each of the smallest magnitudes is a class of its own; a larger one shares its class with others, and plain bits tell
them apart.
"""

import numpy as np

from bandpress.contexts.kernels.constants import LAST, SINGLE


def _make_classes() -> tuple[np.ndarray, np.ndarray]:
    lowest, bits = list(range(SINGLE)), [0] * SINGLE
    while (start := lowest[-1] + (1 << bits[-1])) <= LAST:
        lowest.append(start)
        bits.append(start.bit_length() - 3)
    return np.array(lowest), np.array(bits)


#: Smallest magnitude of each class, and the plain bits that tell its magnitudes apart.
LOWEST, PLAIN_BITS = _make_classes()
CLASSES = len(LOWEST)


def class_of(magnitudes: np.ndarray) -> np.ndarray:
    """Return the class of each magnitude, int32."""
    return (np.searchsorted(LOWEST, magnitudes, side="right") - 1).astype(np.int32)
