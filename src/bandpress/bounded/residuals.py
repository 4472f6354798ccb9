"""Coding of one residual: binary decisions whose probabilities adapt by context and are mixed.

A residual is cut by its expected magnitude into a sign, a few steps of unary code and plain low bits (as in Golomb
1966). The first kinds of decision are coded with probabilities that three contexts have learned so far: the expected
magnitude; the magnitudes around, in the band and in the bands before; the signs around and the prediction's fraction.
A logistic mixture (Mahoney 2005) weighs the three. All in integers; `mixing_tables` holds the logistic function.
"""

from functools import cache

import numpy as np
from numba import njit

from bandpress.bounded.rangecoder import code_bit, code_exp_golomb, code_number

#: Contexts that are mixed.
CONTEXTS = 3
#: Decisions of one residual that have probabilities of their own: zero, sign, steps, and the first low bit by steps.
_ZERO, _SIGN, _STEP, _LOW = 0, 1, 2, 26
_DECISIONS = 32
_MOST_STEPS = 20
#: Cells of each context.
_CELLS = 4096
#: Largest parameter of the code that has mixing weights of its own.
_MOST_PARAMETER = 12
_ESCAPE_BITS = 18
_SURE = 16
_ONE = 1 << 16
#: Samples after which a probability stops settling and only follows.
_SETTLED = 160
#: Start of every mixing weight, and how fast they learn.
_WEIGHT = 22000
_LEARNING = 2


@cache
def mixing_tables() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the tables of the mixture, built from integers only, the same on every machine.

    Returns
    -------
    squash : numpy.ndarray
        Probability in 1 / 65,536 of a logit (in 1 / 256, from -2,048 on), int32, shape (4096,).
    stretch : numpy.ndarray
        The logit of a probability (in 1 / 4,096), int32, shape (4096,).
    logarithm : numpy.ndarray
        Sixteen times the binary logarithm of 1 … 4,095, rounded, int32, shape (4096,).
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
        ratio = (_ONE * p) // (p + unit) if x >= 0 else (_ONE * unit) // (p + unit)
        squash[i] = min(max(ratio, 32), _ONE - 32)
    stretch = np.searchsorted(squash, np.arange(4096) * 16 + 8).astype(np.int32) - 2048
    stretch = np.clip(stretch, -2047, 2047)
    logarithm = np.zeros(4096, np.int32)
    for i in range(1, 4096):
        # The largest n with 2**(n - 1/2) <= i**16 tells the rounded logarithm.
        logarithm[i] = ((i**32).bit_length()) // 2
    return squash, stretch, logarithm


def new_state() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return probabilities, counts and mixing weights before anything is coded.

    Returns
    -------
    probabilities, counts : numpy.ndarray
        int32, shape (contexts, cells * decisions).
    weights : numpy.ndarray
        int32, shape (parameters * decisions, contexts).
    """
    shape = (CONTEXTS, _CELLS * _DECISIONS)
    weights = np.full(((_MOST_PARAMETER + 1) * _DECISIONS, CONTEXTS), _WEIGHT, np.int32)
    return np.full(shape, _ONE // 2, np.int32), np.zeros(shape, np.int32), weights


@njit(cache=True, nogil=True, inline="always")
def _log(value, logarithm):
    """Return sixteen times the binary logarithm of a number from 0 on, plus one."""
    value += 1
    out = 0
    while value >= 4096:
        value >>= 1
        out += 16
    return out + logarithm[value]


@njit(cache=True, nogil=True, inline="always")
def _decide(decoding, bit, decision, parameter, cells, model, tables, state, data):
    probabilities, counts, weights = model
    squash, stretch, _ = tables
    a, b, c = cells[0] + decision, cells[1] + decision, cells[2] + decision
    pa, pb, pc = probabilities[0, a], probabilities[1, b], probabilities[2, c]
    xa, xb, xc = stretch[pa >> 4], stretch[pb >> 4], stretch[pc >> 4]
    w = parameter * _DECISIONS + decision
    logit = (np.int64(weights[w, 0]) * xa + np.int64(weights[w, 1]) * xb + np.int64(weights[w, 2]) * xc) >> 16
    logit = min(max(logit, -2047), 2047)
    p = squash[logit + 2048]
    bit = code_bit(decoding, bit, np.int64(p), state, data)
    target = 65535 if bit else 0
    error = target - p
    weights[w, 0] += (xa * error * _LEARNING) >> 18
    weights[w, 1] += (xb * error * _LEARNING) >> 18
    weights[w, 2] += (xc * error * _LEARNING) >> 18
    for i in range(CONTEXTS):
        cell = a if i == 0 else (b if i == 1 else c)
        n = counts[i, cell]
        old = probabilities[i, cell]
        new = old + (target - old) * 2 // (2 * n + 3)
        probabilities[i, cell] = min(max(new, _SURE), _ONE - _SURE)
        if n < _SETTLED:
            counts[i, cell] = n + 1
    return bit


@njit(cache=True, nogil=True)
def code_residual(
    decoding, residual, expected, around, before, signs, fraction, cells, model, tables, state, data
):
    """Code a residual, or decode one and return it.

    Parameters
    ----------
    decoding
        Whether to decode.
    residual
        In steps of the quantiser; ignored in decoding.
    expected, around, before
        Magnitudes in 1 / 16 step: expected here; of the residuals around; at the place in the bands before.
    signs
        Of the residuals west, north and in the band before, 0 … 26.
    fraction
        Of the prediction, 0 … 3.
    cells
        Room for the places of the contexts, int64, shape (contexts,).
    model, tables
        See `new_state` and `mixing_tables`.
    state, data
        The arithmetic coder's, see `bandpress.bounded.rangecoder`.
    """
    logarithm = tables[2]
    level = _log(expected, logarithm)
    parameter = max(0, (level - 88) // 16)
    cells[0] = min(level // 3, 120) * _DECISIONS
    cells[1] = (
        min(_log(around, logarithm) // 8, 31) * 32 + min(_log(before, logarithm) // 8, 31)
    ) * _DECISIONS
    # Where residuals are many steps wide, the fraction says nothing.
    detail = signs * 4 + fraction if parameter < 2 else signs * 4
    cells[2] = (min(level // 8, 31) * 108 + detail) * _DECISIONS
    known = min(parameter, _MOST_PARAMETER)
    if parameter == 0:
        if _decide(decoding, 1 if residual == 0 else 0, _ZERO, known, cells, model, tables, state, data):
            return 0
        negative = _decide(
            decoding, 1 if residual < 0 else 0, _SIGN, known, cells, model, tables, state, data
        )
        size = (-residual if residual < 0 else residual) - 1
    else:
        negative = _decide(
            decoding, 1 if residual < 0 else 0, _SIGN, known, cells, model, tables, state, data
        )
        size = -residual - 1 if residual < 0 else residual
    steps = size >> parameter
    i = 0
    while i < _MOST_STEPS and not _decide(
        decoding, 1 if steps == i else 0, _STEP + i, known, cells, model, tables, state, data
    ):
        i += 1
    if i == _MOST_STEPS:
        i += code_exp_golomb(decoding, steps - i, _ESCAPE_BITS, state, data)
    out = i
    if parameter > 0:
        place = _LOW + min(i, 3)
        out = out << 1 | _decide(
            decoding, size >> (parameter - 1) & 1, place, known, cells, model, tables, state, data
        )
        rest = size & ((1 << (parameter - 1)) - 1)
        out = out << (parameter - 1) | code_number(decoding, rest, parameter - 1, state, data)
        return -out - 1 if negative else out
    return -out - 1 if negative else out + 1
