"""Reversible Karhunen-Loève transform: an orthogonal matrix as a chain of integer lifting steps.

An orthogonal matrix Q is factored with complete pivoting as P Q R = L D U (P, R permutations, L and U unit triangular,
D diagonal, |det D| = 1). U and the D-scaled L are lifting networks: each output is one input plus a rounded sum of
inputs that the inverse already knows. D is a chain of pairs (a, 1/a), each made of three shears (Daubechies & Sweldens
1998). This maps integers to integers and back exactly, like the PLUS factorisation of Hao & Shi 2001 (IEEE Trans.
Signal Process. 49(10)) used by Blanes & Serra-Sagristà 2011. Here the diagonal is separate, because the single row that
absorbs it in PLUS grows beyond 1e10 at 200 bands. With complete pivoting no factor exceeds the pivots' ratio, 2 to 3 in
practice.

Q itself is a product of Householder reflections given by integers (`Reflections`): encoder and decoder compute the same
factors at any precision of the integers, from sums, products and quotients of IEEE doubles, element by element and in a
fixed order. The lifting sums are sums of integers below 2**53 in doubles, exact in any order.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

#: Samples per band transformed at a time.
_BLOCK = 4096
#: Rows recovered by the inverse between two matrix products.
_ROWS = 16
_EXACT_BITS = 53
_MOST_FRACTION_BITS = 24
#: Bits of the largest input: centred 16-bit samples lie within ± 2**16.
_SAMPLE_BITS = 16


@dataclass(frozen=True)
class Reflections:
    """An orthogonal matrix as Householder reflections with integer vectors.

    Parameters
    ----------
    bands
        Size n of the matrix.
    precisions
        Precision in bits of each of at most n - 1 vectors; 0 omits a reflection.
    vectors
        Vector i reflects the coordinates from i on. Its first element is 2**precision; the tuple holds the other n - 1
        - i integers. Its scale does not matter.
    """

    bands: int
    precisions: tuple[int, ...]
    vectors: tuple[tuple[int, ...], ...]

    def matrix(self) -> np.ndarray:
        """Return Q, float64, shape (n, n): components = Q @ samples. The same on every machine."""
        q = np.eye(self.bands)
        for i, (precision, rest) in enumerate(zip(self.precisions, self.vectors, strict=True)):
            if precision:
                v = np.array([1 << precision, *rest], dtype=np.float64)
                norm = float(sum(int(a) * int(a) for a in rest) + (1 << 2 * precision))
                _reflect(q[i:], v, norm)
        return q


def _reflect(rows: np.ndarray, v: np.ndarray, norm: float) -> None:
    """Apply I - 2 v v' / norm to `rows` in place, summing in order."""
    projection = np.zeros(rows.shape[1])
    for weight, row in zip(v, rows, strict=True):
        projection += weight * row
    projection *= 2 / norm
    rows -= v[:, None] * projection


class Rklt:
    """The reversible transform of a matrix.

    Parameters
    ----------
    matrix
        Orthogonal, float64, shape (n, n).
    """

    def __init__(self, matrix: np.ndarray):
        self._rows, self._columns, lower, pivots, upper = _factor(matrix)
        self._signs = np.where(pivots < 0, -1.0, 1.0)
        scale = np.abs(pivots)
        lower = self._signs[:, None] * lower * self._signs * scale / scale[:, None]
        self._shears = _chain(scale)
        self._fraction_bits = _fraction_bits(lower, upper)
        unit = float(1 << self._fraction_bits)
        self._lower = np.rint(np.tril(lower, -1) * unit)
        self._upper = np.rint(np.triu(upper, 1) * unit)
        self._flipped = self._upper[::-1, ::-1].copy()
        self._gains = [(a, b, np.rint(g * unit), np.rint(unit / g)) for a, b, g in self._shears]

    @property
    def bands(self) -> int:
        """Number of bands n."""
        return len(self._rows)

    def forward(self, samples: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Return the components of samples.

        Parameters
        ----------
        samples
            Integers within ± 2**16, shape (n, …).
        out
            Contiguous output array, int32, same shape; may be `samples`.

        Returns
        -------
        numpy.ndarray
            int32, same shape: the components, close to matrix @ samples.

        Raises
        ------
        ValueError
            If `out` is not contiguous.
        """
        return self._by_blocks(samples, self._forward, out)

    def inverse(self, components: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Invert `forward` exactly; int32."""
        return self._by_blocks(components, self._inverse, out)

    def _by_blocks(
        self, values: np.ndarray, step: Callable[[np.ndarray], np.ndarray], out: np.ndarray | None
    ) -> np.ndarray:
        if out is None:
            out = np.empty(values.shape, np.int32)
        if not out.flags.c_contiguous:
            raise ValueError(f"strides {out.strides} of an array to write to; expected a contiguous one")
        flat, target = values.reshape(self.bands, -1), out.reshape(self.bands, -1)
        for start in range(0, flat.shape[1], _BLOCK):
            block = slice(start, start + _BLOCK)
            target[:, block] = step(flat[:, block].astype(np.float64))
        return out

    def _rounded(self, sums: np.ndarray) -> np.ndarray:
        """Divide by 2**fraction bits and round halves up, in place; exact."""
        sums *= 1.0 / (1 << self._fraction_bits)
        sums += 0.5
        return np.floor(sums, out=sums)

    def _forward(self, block: np.ndarray) -> np.ndarray:
        x = block[self._columns]
        x += self._rounded(self._upper @ x)
        x += self._rounded(self._lower @ x)
        for a, b, gain, inverse in self._gains:
            low, high = x[a], x[b]
            low += self._rounded(gain * high)
            high -= self._rounded(inverse * low)
            low += self._rounded(gain * high)
            x[a], x[b] = -high, low.copy()
        x *= self._signs[:, None]
        out = np.empty_like(x)
        out[self._rows] = x
        return out

    def _inverse(self, block: np.ndarray) -> np.ndarray:
        x = block[self._rows]
        x *= self._signs[:, None]
        for a, b, gain, inverse in reversed(self._gains):
            low, high = x[b].copy(), -x[a]
            low -= self._rounded(gain * high)
            high += self._rounded(inverse * low)
            low -= self._rounded(gain * high)
            x[a], x[b] = low, high
        self._unlift(x, self._lower)
        x = x[::-1].copy()  # BLAS takes no negative strides
        self._unlift(x, self._flipped)
        x = x[::-1]
        out = np.empty_like(x)
        out[self._columns] = x
        return out

    def _unlift(self, x: np.ndarray, factors: np.ndarray) -> None:
        """Invert x += rounded(factors @ x), factors below the diagonal: each row needs the restored rows above it."""
        for start in range(0, self.bands, _ROWS):
            stop = min(start + _ROWS, self.bands)
            sums = factors[start:stop, :start] @ x[:start]
            for row in range(start, stop):
                if row > start:
                    sums[row - start] += factors[row, start:row] @ x[start:row]
                x[row] -= self._rounded(sums[row - start])


def _factor(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return rows, columns, L, diagonal of D, U with matrix[rows][:, columns] = L D U, by complete pivoting."""
    work = matrix.astype(np.float64)
    n = len(work)
    rows, columns = np.arange(n), np.arange(n)
    for k in range(n):
        row, column = (k + i for i in divmod(int(np.argmax(np.abs(work[k:, k:]))), n - k))
        work[[k, row]] = work[[row, k]]
        rows[[k, row]] = rows[[row, k]]
        work[:, [k, column]] = work[:, [column, k]]
        columns[[k, column]] = columns[[column, k]]
        work[k + 1 :, k] /= work[k, k]
        work[k + 1 :, k + 1 :] -= work[k + 1 :, k, None] * work[k, k + 1 :]
    pivots = np.diag(work).copy()
    upper = np.triu(work / pivots[:, None], 1) + np.eye(n)
    return rows, columns, np.tril(work, -1) + np.eye(n), pivots, upper


def _chain(scale: np.ndarray) -> list[tuple[int, int, float]]:
    """Order a diagonal of determinant 1 as pairs: (a, b, g) divides component a by g and multiplies b by it.

    The next component keeps the running product closest to 1, since rounding noise grows with g.
    """
    left = list(range(len(scale)))
    product, chain, previous = 1.0, [], -1
    while left:
        best = min(left, key=lambda i: max(product * scale[i], 1 / (product * scale[i])))
        left.remove(best)
        if previous >= 0:
            chain.append((previous, best, 1 / product))
        product *= float(scale[best])
        previous = best
    return chain


def _fraction_bits(lower: np.ndarray, upper: np.ndarray) -> int:
    """Return the largest number of fraction bits that keeps every sum of the networks below 2**53."""
    units = 1 << 10
    growth = 1
    for factors in (upper, lower):
        sums = np.abs(np.rint(factors * units)).astype(np.int64).sum(axis=1)
        growth *= int(sums.max()) // units + 2
    return max(8, min(_MOST_FRACTION_BITS, _EXACT_BITS - _SAMPLE_BITS - growth.bit_length() - 3))
