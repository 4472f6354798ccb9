"""A decoder of wavelet-learned's chunks written from docs/bitstream.md alone, one place after the other."""

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

LIFTING = (-1.586134342059924, -0.052980118572961, 0.882911075530934, 0.443506852043971)
SCALE = 1.230174104914001


def f(m) -> int:
    v = min(int(m), 65535) + 1
    e = v.bit_length() - 1
    return 16 * (e - 1) + 16 * v // 2**e


def class_of(t: int) -> tuple[int, int]:
    """Lowest magnitude and plain bits."""
    if t < 8:
        return t, 0
    e, j = divmod(t - 8, 4)
    return (4 + j) * 2 ** (e + 1), e + 1


def levels_of(lines: int, samples: int) -> int:
    return max(1, (min(lines, samples) - 1).bit_length() - 1)


def bands_of(lines: int, samples: int) -> dict[tuple[int, int], tuple[slice, slice]]:
    """Place of each (level, orientation), in coding order."""
    sizes = [(lines, samples)]
    for _ in range(levels_of(lines, samples)):
        sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
    top = len(sizes) - 1
    found = {(top, 0): (slice(0, sizes[-1][0]), slice(0, sizes[-1][1]))}
    for level in range(top, 0, -1):
        (bottom, right), (low_lines, low_samples) = sizes[level - 1], sizes[level]
        found[level, 1] = slice(0, low_lines), slice(low_samples, right)
        found[level, 2] = slice(low_lines, bottom), slice(0, low_samples)
        found[level, 3] = slice(low_lines, bottom), slice(low_samples, right)
    return found


def at(band: np.ndarray, i: int, j: int) -> int:
    inside = 0 <= i < band.shape[0] and 0 <= j < band.shape[1]
    return int(band[i, j]) if inside else 0


def square(band: np.ndarray, i: int, j: int, reach: int) -> int:
    return sum(at(band, i + a, j + b) for a in range(-reach, reach + 1) for b in range(-reach, reach + 1))


def fit(band: np.ndarray, shape) -> np.ndarray:
    out = np.zeros(shape, int)
    if band.size:
        for i in range(shape[0]):
            for j in range(shape[1]):
                out[i, j] = band[min(i, band.shape[0] - 1), min(j, band.shape[1] - 1)]
    return out


def each(function, band: np.ndarray) -> np.ndarray:
    out = np.zeros(band.shape, int)
    for i in range(band.shape[0]):
        for j in range(band.shape[1]):
            out[i, j] = function(i, j)
    return out


def mean_f(band: np.ndarray) -> int:
    return 2 * sum(f(m) for m in band.ravel()) // band.size if band.size else 0


class RangeDecoder:
    """The range decoder of strings of coefficients."""

    def __init__(self, data: bytes):
        self.data, self.place, self.size, self.code = data, 0, 1 << 48, 0
        for _ in range(3):
            self._take()

    def _take(self) -> None:
        pair = self.data[self.place : self.place + 2].ljust(2, b"\0")
        self.place += 2
        self.code = self.code << 16 | int.from_bytes(pair, "big")

    def symbol(self, cumulative: list[int], bits: int = 16) -> int:
        part = self.size >> bits
        found = max(i for i in range(len(cumulative) - 1) if part * cumulative[i] <= self.code)
        self.code -= part * cumulative[found]
        self.size = part * (cumulative[found + 1] - cumulative[found])
        if self.size < 1 << 32:
            self.size <<= 16
            self._take()
        return found

    def plain(self, bits: int) -> int:
        return self.symbol(range(2**bits + 1), bits)

    def taken(self) -> int:
        """Pairs of bytes taken after the first three."""
        return self.place // 2 - 3


class Decoder:
    """Decodes the string of one cluster."""

    def __init__(self, folder: Path, lines: int, samples: int):
        self.model = {
            name: value.astype(object) for name, value in load_file(folder / "tables.safetensors").items()
        }
        self.tables = [[0, *np.cumsum(row).tolist()] for row in self.model["frequencies"]]
        self.size = lines, samples
        self.bands = bands_of(lines, samples)

    def decode(self, string: bytes, energies: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """Return signed magnitudes, and values in steps."""
        coder, self.signs = RangeDecoder(string), {}
        components = len(energies)
        magnitudes = np.zeros((components, *self.size), int)
        signed, values = magnitudes.copy(), np.zeros(magnitudes.shape)
        nothing, trace = np.zeros(self.size, int), np.zeros(self.size, int)
        for number in range(components):
            a = magnitudes[number - 1] if number else nothing
            b = magnitudes[number - 2] if number > 1 else nothing
            if number:
                trace = 3 * trace // 4 + each(lambda i, j, a=a: f(a[i, j]), a)
            if not energies[number]:
                continue
            energy = energies[number], energies[number - 1] if number else 0
            for key, place in self.bands.items():
                if magnitudes[number][place].size:
                    self._band(coder, number, key, (magnitudes, signed, values), (a, b, trace), energy)
        if any(energies):
            assert len(string) - 2 * coder.taken() in (1, 2)
        return signed, values

    def _band(self, coder, number, key, parts, before, energy) -> None:
        level, orientation = key
        place = self.bands[key]
        current, signed, values = (part[number][place] for part in parts)
        whole, shape = parts[0][number], current.shape
        a, b, trace = (image[place] for image in before)
        zero = np.zeros(shape, int)
        known = [zero] * 6
        parent_mean = 0
        if orientation:
            coarsest = (level + 1, orientation) not in self.bands
            parent = whole[self.bands[(level, 0) if coarsest else (level + 1, orientation)]]
            parent_mean = mean_f(parent)
            for n, p in enumerate(
                (
                    each(lambda i, j: f(parent[i, j]), parent),
                    each(lambda i, j: f(square(parent, i, j, 1)), parent),
                )
            ):
                known[n] = fit(p if coarsest else p.repeat(2, 0).repeat(2, 1), shape)
            for other in range(1, orientation):
                cousin = whole[self.bands[level, other]]
                known[2 * other] = fit(each(lambda i, j, c=cousin: f(c[i, j]), cousin), shape)
                known[2 * other + 1] = fit(each(lambda i, j, c=cousin: f(square(c, i, j, 1)), cousin), shape)
        children = zero
        if orientation and level > 1:
            fine = before[0][self.bands[level - 1, orientation]]
            half = np.zeros((-(-fine.shape[0] // 2), -(-fine.shape[1] // 2)), int)
            half = each(
                lambda i, j: sum(at(fine, 2 * i + u, 2 * j + v) for u in (0, 1) for v in (0, 1)), half
            )
            fitted = fit(half, shape)
            children = each(lambda i, j: f(fitted[i, j]), zero)
        a_mean = mean_f(a)
        for turn, (top, left) in enumerate(((0, 0), (1, 1), (0, 1), (1, 0))):
            places = [(i, j) for i in range(top, shape[0], 2) for j in range(left, shape[1], 2)]
            mean, seen = mean_f(current), current.copy()
            marks = [16 * (turn == i) for i in range(4)] + [16 * (orientation == i) for i in range(4)]
            marks += [16 * (min(level, 4) == i) for i in range(1, 5)] + [16 * (number == i) for i in range(3)]
            marks += [16 * level, 4 * min(number, 16)]
            tables = []
            for i, j in places:
                x = [f(at(seen, i, j - 1) + at(seen, i, j + 1))]
                x.append(f(at(seen, i - 1, j) + at(seen, i + 1, j)))
                x.append(f(sum(at(seen, i + u, j + v) for u in (-1, 1) for v in (-1, 1))))
                x.append(f(sum(at(seen, i + u, j + v) for u, v in ((-2, 0), (2, 0), (0, -2), (0, 2)))))
                knight = [(u, v) for u in (-2, -1, 1, 2) for v in (-2, -1, 1, 2) if abs(u) != abs(v)]
                x.append(f(sum(at(seen, i + u, j + v) for u, v in knight)))
                x += [int(part[i, j]) for part in known]
                x += [f(a[i, j]), f(square(a, i, j, 1)), f(square(a, i, j, 2))]
                x += [f(b[i, j]), f(square(b, i, j, 1))]
                x += [int(trace[i, j]), square(trace, i, j, 1) // 9, int(children[i, j])]
                x += [mean, parent_mean, a_mean, 8 * energy[0], 8 * energy[1], *marks]
                tables.append(self._table(x))
            for (i, j), table in zip(places, tables, strict=True):
                t = coder.symbol(self.tables[table])
                if not t:
                    continue
                lowest, bits = class_of(t)
                sign = self._sign(coder, key, values, (i, j), turn)
                m = lowest + (coder.plain(bits) if bits else 0)
                if m == 2**17 - 1:
                    m += 2**14 * coder.plain(14)
                    m += coder.plain(14)
                signed[i, j], current[i, j] = sign * m, min(m, 65535)
                values[i, j] = sign * (m - self.model["offsets"][table, min(m, 4) - 1] / 256)

    def _sign(self, coder, key, values, place, turn) -> int:
        (level, orientation), (i, j) = key, place
        row = 13 * min(turn, 2) + (3 * min(level, 4) + orientation - 3 if orientation else 0)
        sign = np.sign(values)
        across, along = (
            ([(0, -2)], [(-2, 0)]),
            ([(-1, -1), (1, 1)], [(-1, 1), (1, -1)]),
            ([(0, -1), (0, 1)], [(-1, 0), (1, 0)]),
        )[min(turn, 2)]
        column = 5 * sum(at(sign, i + u, j + v) for u, v in across)
        column += sum(at(sign, i + u, j + v) for u, v in along)
        if not column:
            return (-1, 1)[coder.symbol([0, 2**15, 2**16])]
        q, n = self.signs.get((row, abs(column)), (int(self.model["signs"][row, abs(column) - 1]), 0))
        follows = coder.symbol([0, q, 2**16])
        q += (2**16 * (1 - follows) - q) >> (4 if n < 16 else 5)
        self.signs[row, abs(column)] = min(max(q, 128), 2**16 - 128), n + 1
        return (-1, 1)[follows] * (1 if column > 0 else -1)

    def _table(self, x: list[int]) -> int:
        h = np.array(x, object)
        for layer in range(3):
            most = len(self.tables) - 1 if layer == 2 else 2**12 - 1
            h = h @ self.model[f"{layer}/kernel"] + self.model[f"{layer}/bias"]
            h = np.array([min(max(v >> self.model["shifts"][layer], 0), most) for v in h], object)
        return h[0]


def undo_wavelet(values: np.ndarray) -> np.ndarray:
    """Return the samples of a component."""
    out = values.copy()
    sizes = [out.shape]
    for _ in range(levels_of(*out.shape)):
        sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
    for lines, samples in reversed(sizes[:-1]):
        part = out[:lines, :samples]
        part = np.stack([_line(column) for column in part.T], axis=1)
        out[:lines, :samples] = np.stack([_line(line) for line in part])
    return np.rint(out).astype(int)


def _line(x: np.ndarray) -> np.ndarray:
    n = len(x)
    if n < 2:
        return x
    low = -(-n // 2)
    e, o = x[:low] * (SCALE / np.sqrt(2)), x[low:] * (np.sqrt(2) / SCALE)
    for number in (3, 2, 1, 0):
        w = LIFTING[number]
        if number % 2:
            for i in range(len(e)):
                e[i] -= w * (o[i - 1 if i else 0] + o[i if i < len(o) else i - 1])
        else:
            for i in range(len(o)):
                o[i] -= w * (e[i] + e[i + 1 if i + 1 < len(e) else i])
    out = np.empty(n)
    out[::2], out[1::2] = e, o
    return out


def undo_klt(components: np.ndarray, matrix: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Return the samples of all components of a cluster, before they are clipped to their type."""
    whole = [[int(np.rint(v * 2**22)) for v in row] for row in matrix]
    out = np.zeros(components.shape, int)
    for band in range(len(out)):
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                total = sum(
                    row[band] * int(component[i, j]) for row, component in zip(whole, components, strict=True)
                )
                out[band, i, j] = (total + 2**21) // 2**22 + means[band]
    return out
