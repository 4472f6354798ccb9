"""Coding of residuals, compiled.

The expected magnitude splits a residual into a sign, a few steps of unary code and plain low bits (as in Golomb 1966).
Three contexts learn the probabilities of signs and unary steps: the expected magnitude; the magnitudes around, in the
band and in earlier bands; the signs around and the prediction's fraction. A logistic mixture (Mahoney 2005) combines
the three.
"""

import numpy as np

from bandpress.bounded.arithmetic import code_bit, code_bits, code_exp_golomb
from bandpress.bounded.model import DECISIONS, MOST_PARAMETER, ONE, SETTLED
from bandpress.compiled import helper

# Decisions about a residual: zero, sign, steps, and the first low bit by the number of steps.
_ZERO, _SIGN, _STEP, _LOW_BIT = 0, 1, 2, 26
_MOST_STEPS = 20
_ESCAPE_BITS = 18
#: Least distance of a probability from 0 and 1; learning rate of the mixing weights.
_SURE = 16
_LEARNING = 2


@helper
def _log(value, logarithm):
    """Return sixteen times the binary logarithm of `value` + 1, for values from 0."""
    value += 1
    out = 0
    while value >= 4096:
        value >>= 1
        out += 16
    return out + logarithm[value]


@helper
def _learned(known, target, rates):
    """Return the updated cell after a decision: a probability in the upper 16 bits, a count in the lower 8."""
    p, n = known >> 8, known & 255
    p += (target - p) * rates[n] >> 16
    return min(max(p, _SURE), ONE - _SURE) << 8 | min(n + 1, SETTLED)


@helper
def _decide(decoding, bit, decision, parameter, cells, model, tables, state, data):
    cells_of, weights = model
    squash, stretch, _, rates = tables
    a, b, c = cells[0] + decision, cells[1] + decision, cells[2] + decision
    known_a, known_b, known_c = cells_of[0, a], cells_of[1, b], cells_of[2, c]
    xa, xb, xc = stretch[known_a >> 12], stretch[known_b >> 12], stretch[known_c >> 12]
    w = parameter * DECISIONS + decision
    wa, wb, wc = weights[w, 0], weights[w, 1], weights[w, 2]
    logit = (np.int64(wa) * xa + np.int64(wb) * xb + np.int64(wc) * xc) >> 16
    p = squash[min(max(logit, -2047), 2047) + 2048]
    bit = code_bit(decoding, bit, np.int64(p), state, data)
    target = 65535 if bit else 0
    error = (target - p) * _LEARNING
    weights[w, 0] = wa + ((xa * error) >> 18)
    weights[w, 1] = wb + ((xb * error) >> 18)
    weights[w, 2] = wc + ((xc * error) >> 18)
    cells_of[0, a] = _learned(known_a, target, rates)
    cells_of[1, b] = _learned(known_b, target, rates)
    cells_of[2, c] = _learned(known_c, target, rates)
    return bit


@helper
def code_residual(
    decoding, residual, expected, around, before, signs, fraction, cells, model, tables, state, data
):
    """Code a residual, or decode one and return it.

    Parameters
    ----------
    decoding
        Whether to decode.
    residual
        Residual in quantiser steps; ignored in decoding.
    expected, around, before
        Magnitudes in 1 / 16 step: expected here; of the residuals around; of earlier bands at this place.
    signs
        Signs of the residuals to the west, to the north and in the previous band, 0 … 26.
    fraction
        Fraction of the prediction, 0 … 3.
    cells
        Work space for the cells of the contexts, int64, shape (contexts,).
    model, tables
        See `new_state` and `mixing_tables`.
    state, data
        State and bytes of the arithmetic coder, see `bandpress.bounded.model`.
    """
    logarithm = tables[2]
    level = _log(expected, logarithm)
    parameter = max(0, (level - 88) // 16)
    cells[0] = min(level // 3, 120) * DECISIONS
    cells[1] = (
        min(_log(around, logarithm) // 8, 31) * 32 + min(_log(before, logarithm) // 8, 31)
    ) * DECISIONS
    # The fraction of the prediction tells nothing if residuals span many steps.
    detail = signs * 4 + fraction if parameter < 2 else signs * 4
    cells[2] = (min(level // 8, 31) * 108 + detail) * DECISIONS
    known = min(parameter, MOST_PARAMETER)
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
        place = _LOW_BIT + min(i, 3)
        out = out << 1 | _decide(
            decoding, size >> (parameter - 1) & 1, place, known, cells, model, tables, state, data
        )
        rest = size & ((1 << (parameter - 1)) - 1)
        out = out << (parameter - 1) | code_bits(decoding, rest, parameter - 1, state, data)
        return -out - 1 if negative else out
    return -out - 1 if negative else out + 1
