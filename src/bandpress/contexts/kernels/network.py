"""Compiled network that chooses tables; see `bandpress.contexts.model`.

Its sums are sums of integers below 2^24, exact in float32 in any order. So numba may reorder them here, and only here.
"""

import numpy as np
from numba import njit

from bandpress.compiled import INLINE, helper
from bandpress.contexts.kernels.features import LOCAL, X, Y, line_features

#: Number of places evaluated together.
BLOCK = 128


@njit(fastmath={"contract", "reassoc", "nsz"}, **INLINE)
def _layer(weights, biases, inputs, units, depth, count, scale, most, out):
    """Evaluate a layer, eight inputs at a time: clip(floor((weights @ inputs + biases) · scale), 0, most)."""
    for unit in range(units):
        row, w = out[unit], weights[unit]
        for p in range(count):
            row[p] = biases[unit]
        for i in range(0, depth, 8):
            x0, x1, x2, x3 = inputs[i], inputs[i + 1], inputs[i + 2], inputs[i + 3]
            x4, x5, x6, x7 = inputs[i + 4], inputs[i + 5], inputs[i + 6], inputs[i + 7]
            w0, w1, w2, w3, w4, w5, w6, w7 = (
                w[i],
                w[i + 1],
                w[i + 2],
                w[i + 3],
                w[i + 4],
                w[i + 5],
                w[i + 6],
                w[i + 7],
            )
            for p in range(count):
                row[p] += (
                    w0 * x0[p]
                    + w1 * x1[p]
                    + w2 * x2[p]
                    + w3 * x3[p]
                    + w4 * x4[p]
                    + w5 * x5[p]
                    + w6 * x6[p]
                    + w7 * x7[p]
                )
        for p in range(count):
            row[p] = min(max(np.floor(row[p] * scale), np.float32(0)), most)


@helper
def _evaluate(weights, biases, scales, most, work, count):
    """Write the tables of the places whose features are in work[0] to work[3, 0]."""
    depth, units = 24, weights.shape[1]
    count = min(BLOCK, (count + 15) // 16 * 16)
    for layer in range(3):
        last = layer == 2
        _layer(
            weights[layer],
            biases[layer],
            work[layer],
            1 if last else units,
            depth,
            count,
            scales[layer],
            most[layer],
            work[layer + 1],
        )
        depth = units


@helper
def _flush(network, work, places, waiting, tables):
    """Evaluate the network for queued places; return how many remain queued."""
    _evaluate(network[0], network[1], network[2], network[3], work, waiting)
    for q in range(waiting):
        tables[places[q]] = np.uint8(work[3, 0, q])
    return 0


@helper
def choose_tables(known, bands, number, turn, shape, network, work, lines, places, tables, listed):
    """Choose the table of every place of a pass (empty surroundings share one), or list features."""
    count = shape[1]
    work[0, :, :] = 0
    places[0] = 0
    _flush(network, work, places, 1, tables)
    empty, waiting = tables[0], 0
    any_ = lines[LOCAL]
    for line in range(shape[0]):
        line_features(known, bands, number, turn[0], turn[1], line, count, lines)
        for p in range(count):
            any_[p] = lines[0, p]
        for n in range(1, LOCAL):
            for p in range(count):
                any_[p] |= lines[n, p]
        for p in range(count):
            place = line * count + p
            if len(listed):
                for n in range(LOCAL):
                    listed[place, 2 + n] = lines[n, p]
                listed[place, 0] = bands[number, Y] + turn[0] + 2 * line
                listed[place, 1] = bands[number, X] + turn[1] + 2 * p
            tables[place] = empty
            if any_[p]:
                for n in range(LOCAL):
                    work[0, n, waiting] = lines[n, p]
                places[waiting] = place
                waiting += 1
                if waiting == BLOCK:
                    waiting = _flush(network, work, places, waiting, tables)
    if waiting:
        _flush(network, work, places, waiting, tables)
