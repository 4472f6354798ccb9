"""Initial state of the coder, and the regressors of a band."""

from functools import cache

import numpy as np

#: Neighbours in the band itself; west comes first, as the only one coded just before.
CAUSAL = ((0, -1), (-1, 0), (-1, -1), (-1, 1))
#: Neighbours in each of the nearest earlier bands, and the number of these bands.
AROUND = ((0, -1), (-1, 0), (0, 1), (1, 0))
NEAREST = 3
#: Most samples predicted with the same weights.
BLOCK = 34
#: Number of mixed contexts, values of each, and decisions.
CONTEXTS = 3
_CELLS = 4096
DECISIONS = 32
#: Largest parameter of the residual's code with mixing weights of its own; initial mixing weight.
MOST_PARAMETER = 12
_WEIGHT = 22000
#: Decisions after which the adaptation rate of a probability stops falling.
SETTLED = 160
#: A probability of one.
ONE = 1 << 16
#: Places of the arithmetic coder's state: lower and upper bound, the decoder's window, the position in the bytes.
LOW, HIGH, WINDOW, AT = range(4)
#: Bytes that a decoder reads ahead.
WINDOW_BYTES = 4


def regressors(band: int, references: int) -> np.ndarray:
    """Return the regressors of a band, by role.

    Parameters
    ----------
    band
        Number of bands before it.
    references
        Most earlier bands to use.

    Returns
    -------
    numpy.ndarray
        int64, shape (regressors, 4): role, bands back, lines down, samples right. A role is the same in every band.
    """
    found = [(i, 0, *at) for i, at in enumerate(CAUSAL)]
    role = len(CAUSAL)
    for back in range(1, NEAREST + 1):
        if back <= band:
            found += [(role + i, back, *at) for i, at in enumerate(AROUND)]
        role += len(AROUND)
    found += [(role + back - 1, back, 0, 0) for back in range(1, min(band, references) + 1)]
    return np.array(found, np.int64)


def roles(references: int) -> int:
    """Return the number of roles that `regressors` uses."""
    return len(CAUSAL) + NEAREST * len(AROUND) + references


@cache
def mixing_tables() -> tuple[np.ndarray, ...]:
    """Return the tables of the mixture, computed from integers alone, so equal on every machine.

    Returns
    -------
    squash : numpy.ndarray
        Probability in 1 / 65,536 of a logit (in 1 / 256, from -2,048 on), int32, shape (4096,).
    stretch : numpy.ndarray
        The logit of a probability (in 1 / 4,096), int32, shape (4096,).
    logarithm : numpy.ndarray
        Sixteen times the binary logarithm of 1 … 4,095, rounded, int32, shape (4096,).
    rates : numpy.ndarray
        Adaptation rate of a probability by the number of its decisions, in 1 / 65,536, int32, shape (`SETTLED` + 1,).
    """
    # exp(1 / 256) as a ratio of integers, raised by multiplication: 60 fractional bits keep every rounding exact.
    unit = 1 << 60
    factor = unit + unit // 256 + unit // (2 * 256**2) + unit // (6 * 256**3) + unit // (24 * 256**4)
    powers = [unit]
    for _ in range(2048):
        powers.append(powers[-1] * factor >> 60)
    squash = np.zeros(4096, np.int32)
    for i in range(4096):
        x = i - 2048
        p = powers[abs(x)]
        ratio = (ONE * p) // (p + unit) if x >= 0 else (ONE * unit) // (p + unit)
        squash[i] = min(max(ratio, 32), ONE - 32)
    stretch = np.searchsorted(squash, np.arange(4096) * 16 + 8).astype(np.int32) - 2048
    stretch = np.clip(stretch, -2047, 2047)
    logarithm = np.zeros(4096, np.int32)
    for i in range(1, 4096):
        # The largest n with 2**(n - 1/2) <= i**16 tells the rounded logarithm.
        logarithm[i] = ((i**32).bit_length()) // 2
    rates = (2 << 16) // (2 * np.arange(SETTLED + 1, dtype=np.int32) + 3)
    return squash, stretch, logarithm, rates.astype(np.int32)


def new_state() -> tuple[np.ndarray, np.ndarray]:
    """Return the initial probabilities and mixing weights.

    Returns
    -------
    cells : numpy.ndarray
        Probability in 1 / 65,536, times 256, plus a count; int32, shape (contexts, cells * decisions).
    weights : numpy.ndarray
        Mixing weights, int32, shape (parameters * decisions, contexts).
    """
    cells = np.full((CONTEXTS, _CELLS * DECISIONS), ONE // 2 << 8, np.int32)
    return cells, np.full(((MOST_PARAMETER + 1) * DECISIONS, CONTEXTS), _WEIGHT, np.int32)


def encoder() -> np.ndarray:
    """Return the initial state of an encoder, int64, shape (4,)."""
    return np.array([0, (1 << 32) - 1, 0, 0], np.int64)


def decoder(data: np.ndarray) -> np.ndarray:
    """Return the initial state of a decoder of `data`, uint8; zeros follow the data."""
    first = np.zeros(4, np.int64)
    first[: min(4, len(data))] = data[:4]
    return np.array([0, (1 << 32) - 1, int(first @ [1 << 24, 1 << 16, 1 << 8, 1]), 4], np.int64)


def last_bytes(state: np.ndarray) -> bytes:
    """Return an encoder's last bytes: the fewest that identify a number within its bounds."""
    low, high = int(state[LOW]), int(state[HIGH])
    for count in range(1, 4):
        shift = 32 - 8 * count
        number = -(-low >> shift)
        if number << shift <= high:
            return number.to_bytes(count, "big")
    return high.to_bytes(4, "big")
