"""A second decoder of the codec `bounded`, from docs/bitstream.md alone: slow, and nothing of ours in it."""

import math
from bisect import bisect_left
from functools import cache

import numpy as np

NEIGHBOURS = [(0, 0, -1), (0, -1, 0), (0, -1, -1), (0, -1, 1)]
AROUND = [(0, -1), (-1, 0), (0, 1), (1, 0)]


@cache
def tables():
    unit = 1 << 60
    factor = unit + unit // 256 + unit // (2 * 256**2) + unit // (6 * 256**3) + unit // (24 * 256**4)
    powers = [unit]
    for _ in range(2048):
        powers.append(powers[-1] * factor >> 60)
    squash = []
    for x in range(-2048, 2048):
        power = powers[abs(x)]
        p = 65536 * (power if x >= 0 else unit) // (power + unit)
        squash.append(min(max(p, 32), 65504))
    ordered = sorted(squash)
    stretch = [min(max(bisect_left(ordered, 16 * i + 8) - 2048, -2047), 2047) for i in range(4096)]
    return squash, stretch


def logarithm(value):
    value, out = value + 1, 0
    while value >= 4096:
        value, out = value >> 1, out + 16
    return out + ((value**32).bit_length() // 2 if value > 1 else 0)


class Bits:
    """The arithmetic decoder with what it has learned."""

    def __init__(self, data):
        self.data, self.at = data, 4
        self.low, self.high = 0, 0xFFFFFFFF
        self.window = int.from_bytes(data[:4].ljust(4, b"\0"), "big")
        self.cells, self.weights = {}, {}
        self.squash, self.stretch = tables()

    def bit(self, p=32768):
        size = self.high - self.low
        middle = self.low + (size >> 16) * p + ((size & 0xFFFF) * p >> 16)
        one = self.window <= middle
        if one:
            self.high = middle
        else:
            self.low = middle + 1
        while self.low >> 24 == self.high >> 24:
            new = self.data[self.at] if self.at < len(self.data) else 0
            self.at += 1
            self.low = self.low << 8 & 0xFFFFFFFF
            self.high = self.high << 8 & 0xFFFFFFFF | 255
            self.window = self.window << 8 & 0xFFFFFFFF | new
        return int(one)

    def number(self, width):
        out = 0
        for _ in range(width):
            out = out << 1 | self.bit()
        return out

    def decide(self, decision, parameter, contexts):
        keys = [(i, context, decision) for i, context in enumerate(contexts)]
        known = [self.cells.get(key, (32768, 0)) for key in keys]
        logits = [self.stretch[p >> 4] for p, _ in known]
        weights = self.weights.setdefault((parameter, decision), [22000] * 3)
        logit = sum(w * x for w, x in zip(weights, logits, strict=True)) >> 16
        p = self.squash[min(max(logit, -2047), 2047) + 2048]
        bit = self.bit(p)
        target = 65535 * bit
        for i, x in enumerate(logits):
            weights[i] += x * ((target - p) * 2) >> 18
        for key, (old, n) in zip(keys, known, strict=True):
            new = old + ((target - old) * ((2 << 16) // (2 * n + 3)) >> 16)
            self.cells[key] = (min(max(new, 16), 65520), min(n + 1, 160))
        return bit

    def residual(self, expected, around, before, signs, fraction):
        level = logarithm(expected)
        parameter = max(0, (level - 88) // 16)
        contexts = (
            min(level // 3, 120),
            (min(logarithm(around) // 8, 31), min(logarithm(before) // 8, 31)),
            (min(level // 8, 31), signs, fraction if parameter < 2 else 0),
        )
        known = min(parameter, 12)
        if parameter == 0 and self.decide(0, known, contexts):
            return 0
        negative = self.decide(1, known, contexts)
        steps = 0
        while steps < 20 and not self.decide(2 + steps, known, contexts):
            steps += 1
        low = min(steps, 3)
        if steps == 20:
            width = 0
            while width < 18 and self.bit():
                width += 1
            steps += (1 << width | self.number(width)) - 1
        if parameter == 0:
            return -steps - 1 if negative else steps + 1
        size = steps << 1 | self.decide(26 + low, known, contexts)
        size = size << (parameter - 1) | self.number(parameter - 1)
        return -size - 1 if negative else size


def solve(gram, cross, prior):
    """Cholesky, element by element in the order of the documentation."""
    n = len(cross)
    lower, out = np.tril(gram), cross + 600.0 * prior
    lower[range(n), range(n)] += 600.0
    for j in range(n):
        lower[j, j] = math.sqrt(max(lower[j, j], 1e-9 * (gram[j, j] + 600.0)))
        lower[j + 1 :, j] *= 1.0 / lower[j, j]
        for i in range(j + 1, n):
            lower[i, j + 1 : i + 1] -= lower[i, j] * lower[j + 1 : i + 1, j]
    for j in range(n):
        out[j] /= lower[j, j]
        out[j + 1 :] -= out[j] * lower[j + 1 :, j]
    for j in range(n - 1, -1, -1):
        out[j] /= lower[j, j]
        out[:j] -= out[j] * lower[j, :j]
    return out


def decode(data, shape, dtype, error, references):
    """Decode a chunk."""
    count, lines, width = shape
    limits = np.iinfo(dtype)
    least, most = int(limits.min), int(limits.max)
    bits = Bits(data)
    planes, out, weights = [], np.empty(shape, dtype), {(0, 0, -1): 1.0}
    before, old_signs, mean = (
        np.ones((lines + 4, width + 4), np.float32),
        np.zeros((lines + 1, width + 1), int),
        1.0,
    )
    references = min(references, count - 1)
    for band in range(count):
        centre = bits.number(16) + least
        terms = list(NEIGHBOURS)
        terms += [(back, *at) for back in (1, 2, 3) if back <= band for at in AROUND]
        terms += [(back, 0, 0) for back in range(1, min(band, references) + 1)]
        plane = np.zeros((lines + 2, width + 2), np.float32)
        planes.append(plane)
        w = np.array([weights.get(term, 0.0) for term in terms])
        prior = w.copy()
        n = len(terms)
        gram, cross = np.zeros((n, n)), np.zeros(n)
        rows, targets = [], []
        here, signs = np.zeros((lines + 4, width + 4), np.float32), np.zeros((lines + 1, width + 1), int)
        parts = (width + 33) // 34
        every, blocks, total = max(1, lines * parts // 512), 0, 0.0
        for y in range(lines):
            if y:
                plane[y + 1, 0] = plane[y, 1]
                plane[y, width + 1] = plane[y, width]
            pieces = parts if y else (10 * width + 33) // 34
            for piece in range(pieces):
                first, stop = piece * width // pieces, (piece + 1) * width // pieces
                for x in range(first, stop):
                    seen = [float(planes[band - b][y + 1 + dy, x + 1 + dx]) for b, dy, dx in terms]
                    value = 0.0
                    for weight, s in zip(w[1:].tolist(), seen[1:], strict=True):
                        value += weight * s
                    value = value + float(w[0]) * seen[0] + centre
                    value = min(max(value, float(least)), float(most))
                    predicted = math.floor(value + 0.5)
                    f = np.float32
                    sums = [
                        float(f(here[a] + here[b]))
                        for a, b in (
                            ((y + 2, x + 1), (y + 1, x + 2)),
                            ((y + 1, x + 1), (y + 1, x + 3)),
                            ((y + 2, x), (y, x + 2)),
                        )
                    ]
                    around = 0.09 * sums[0]
                    around += 0.025 * sums[1]
                    around += 0.022 * sums[2]
                    past = float(before[y + 2, x + 2]) * mean
                    expected = around + 0.42 * past + 0.25 * mean
                    three = 9 * signs[y + 1, x] + 3 * signs[y, x + 1] + old_signs[y + 1, x + 1]
                    r = bits.residual(
                        int(expected * 16.0),
                        int(around * 48.0),
                        int(past * 16.0),
                        int(three),
                        int((value + 0.5 - predicted) * 4.0) & 3,
                    )
                    sample = min(max(predicted + r * (2 * error + 1), least), most)
                    out[band, y, x] = sample
                    drawn = 0.15 if error else 0.0
                    plane[y + 1, x + 1] = sample + drawn * (value - sample) - centre
                    here[y + 2, x + 2] = abs(r)
                    signs[y + 1, x + 1] = (r > 0) + 2 * (r < 0)
                    total += abs(r)
                    mean += (abs(r) - mean) * (1.0 / 128)
                thin = every if blocks >= every else 1
                for x in range(first + blocks % thin, stop, thin):
                    rows.append([float(planes[band - b][y + 1 + dy, x + 1 + dx]) for b, dy, dx in terms])
                    targets.append(float(plane[y + 1, x + 1]))
                blocks += 1
                if blocks % every == 0 or blocks & (blocks - 1) == 0 or len(rows) > 2 * 34 + 8 - 34 - 4:
                    rows += [[0.0] * n] * (-len(rows) % 4)
                    targets += [0.0] * (-len(targets) % 4)
                    r4, t4 = np.array(rows).reshape(-1, 4, n), np.array(targets).reshape(-1, 4)
                    for r_, t_ in zip(r4, t4, strict=True):
                        outer = [np.outer(r_[i], r_[i]) for i in range(4)]
                        gram += ((outer[0] + outer[1]) + outer[2]) + outer[3]
                        cross += ((t_[0] * r_[0] + t_[1] * r_[1]) + t_[2] * r_[2]) + t_[3] * r_[3]
                    rows, targets = [], []
                    w = solve(gram, cross, prior)
                    if y:
                        gram, cross = gram * 0.98, cross * 0.98
            here[y + 2, :2] = here[y + 2, 2]
            here[y + 2, width + 2 :] = here[y + 2, width + 1]
            if y == 0:
                here[0] = here[1] = here[2]
        plane[1 : lines + 1, 0], plane[1 : lines + 1, width + 1] = plane[1:-1, 1], plane[1:-1, width]
        plane[0], plane[-1] = plane[1], plane[-2]
        here[lines + 2], here[1] = here[lines + 1], here[2]
        mean = total / (lines * width)
        h = here.astype(np.float32)

        def at(dy, dx, h=h):
            return h[2 + dy : lines + 2 + dy, 2 + dx : width + 2 + dx]

        smooth = 4.0 / 14 * at(0, 0).astype(float)
        smooth += 1.5 / 14 * (at(0, -1) + at(0, 1) + at(-1, 0) + at(1, 0)).astype(float)
        smooth += 1.0 / 14 * (at(-1, -1) + at(-1, 1) + at(1, -1) + at(1, 1)).astype(float)
        scale = (1.0 - 0.65) / (mean + 0.02)
        inner = before[2 : lines + 2, 2 : width + 2]
        inner[:] = 0.65 * inner.astype(float) + scale * smooth
        old_signs = signs
        weights |= dict(zip(terms, w.tolist(), strict=True))
    return out
