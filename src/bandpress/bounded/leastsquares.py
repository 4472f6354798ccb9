"""Least squares by the normal equations, compiled; in double precision, in one order of operations."""

import math

from bandpress.compiled import helper

#: Least pivot as a share of the diagonal.
_LEAST_PIVOT = 1e-9


@helper
def accumulate(rows, targets, count, size, gram, cross):
    """Add the products of some samples to the normal equations.

    Parameters
    ----------
    rows, targets
        Regressors, shape (samples, regressors), and the values to predict, float64. Samples from `count` to the next
        multiple of four are set to zero.
    count, size
        Numbers of samples and of regressors in use.
    gram, cross
        Products of regressors (lower triangle) and of regressors with targets.
    """
    stop = (count + 3) // 4 * 4
    for s in range(count, stop):
        targets[s] = 0.0
        for i in range(size):
            rows[s, i] = 0.0
    for s in range(0, stop, 4):
        r0, r1, r2, r3 = rows[s], rows[s + 1], rows[s + 2], rows[s + 3]
        for i in range(size):
            a0, a1, a2, a3 = r0[i], r1[i], r2[i], r3[i]
            line = gram[i]
            for j in range(i + 1):
                line[j] += a0 * r0[j] + a1 * r1[j] + a2 * r2[j] + a3 * r3[j]
        t0, t1, t2, t3 = targets[s], targets[s + 1], targets[s + 2], targets[s + 3]
        for i in range(size):
            cross[i] += t0 * r0[i] + t1 * r1[i] + t2 * r2[i] + t3 * r3[i]


@helper
def solve(gram, cross, size, ridge, prior, lower, upper, out):
    """Solve the normal equations, regularised towards prior weights, by Cholesky's method.

    Parameters
    ----------
    gram, cross, size
        See `accumulate`.
    ridge
        Added to the diagonal.
    prior
        Weights that the ridge pulls towards.
    lower, upper
        Work space for the factor, shape (regressors, regressors) each.
    out
        Weights found.
    """
    for i in range(size):
        for j in range(i + 1):
            lower[i, j] = gram[i, j]
        lower[i, i] += ridge
        out[i] = cross[i] + ridge * prior[i]
    for j in range(size):
        pivot = lower[j, j]
        least = _LEAST_PIVOT * (gram[j, j] + ridge)
        root = math.sqrt(pivot if pivot > least else least)
        inverse = 1.0 / root
        column = upper[j]
        lower[j, j] = root
        for i in range(j + 1, size):
            column[i] = lower[i, j] * inverse
        for i in range(j + 1, size):
            factor = column[i]
            lower[i, j] = factor
            line = lower[i]
            for k in range(j + 1, i + 1):
                line[k] -= factor * column[k]
    for j in range(size):
        found = out[j] / lower[j, j]
        out[j] = found
        column = upper[j]
        for i in range(j + 1, size):
            out[i] -= found * column[i]
    for k in range(size - 1, -1, -1):
        found = out[k] / lower[k, k]
        out[k] = found
        line = lower[k]
        for i in range(k):
            out[i] -= found * line[i]
