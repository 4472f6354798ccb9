"""Coding of clusters of components as chunks: 9/7 wavelet, quantiser, context model, range coder.

After its side information, a chunk holds, in the same bits::

    n bits     components that are coded: the first ones; n = bits of the number of components
    6 bits     energy of each of them, see `bandpress.contexts.features.energy_of`; 0: it is not coded
    padding    to a whole byte
    …          range coded classes, signs and plain bits, see `bandpress.contexts.kernels`

A decoder uses integers, or float64 element by element, so every machine gives the same result.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from bandpress.container.bits import BitReader, BitWriter
from bandpress.contexts.features import levels_of
from bandpress.contexts.kernels.constants import MOST
from bandpress.contexts.model import ContextModel
from bandpress.errors import BitstreamError, CodecError
from bandpress.machine import Threads
from bandpress.pipeline import ahead
from bandpress.transforms.wavelet import analyse, synthesise

A = TypeVar("A")
B = TypeVar("B")

_ENERGY_BITS = 6
#: Largest component: a bound for 2^14 bands of 16 bits.
_MOST = 1 << 23


class Part(NamedTuple):
    """A cluster to code.

    Parameters
    ----------
    components
        int32, shape (components, lines, samples), in order of energy.
    step
        Quantiser step in DN.
    side
        Side information for the inverse transform, bit by bit; the chunk begins with it.
    """

    components: np.ndarray
    step: float
    side: BitWriter


class Chunk(NamedTuple):
    """A coded cluster.

    Parameters
    ----------
    reader
        Reader of the chunk, positioned after the side information.
    data
        The chunk.
    components
        Number of components.
    step
        Quantiser step in DN.
    """

    reader: BitReader
    data: bytes
    components: int
    step: float


class ComponentCoder:
    """Codes clusters with a context model.

    Parameters
    ----------
    model
        The model.
    lines, samples
        Size of the scene.
    threads
        Threads per cluster: the wavelet of a component runs while the next is coded.
    """

    def __init__(self, model: ContextModel, lines: int, samples: int, threads: int = 1):
        self.model, self.size, self.threads = model, (lines, samples), threads
        self._levels = levels_of(lines, samples)

    def code(self, part: Part) -> tuple[bytes, np.ndarray]:
        """Return the chunk of a cluster, and all its decoded components, int32."""
        decoded = np.zeros(part.components.shape, np.int32)
        return self._code(part, decoded), decoded

    def chunk(self, part: Part) -> bytes:
        """Return the chunk of a cluster."""
        return self._code(part, None)

    def _code(self, part: Part, decoded: np.ndarray | None) -> bytes:
        from bandpress.contexts.coder import (
            Encoder,
        )  # loads numba, which other codecs do not need

        encoder = Encoder(self.model, *self.size)
        components = self._abreast(lambda image: analyse(image, self._levels), part.components)
        for number, values in enumerate(components):
            _check_magnitudes(values, part.step)
            if encoder.add(values, part.step) and decoded is not None:
                decoded[number] = self._samples(values, part.step)
        string = encoder.string()
        return _announced(part, encoder.energies).to_bytes() + string

    def nothing(self, part: Part) -> tuple[bytes, np.ndarray]:
        """Return the result of `code` for a cluster with nothing worth coding."""
        return _announced(part, []).to_bytes(), np.zeros(part.components.shape, np.int32)

    def components(self, chunk: Chunk) -> np.ndarray:
        """Return the coded components of a chunk, which are the first ones, int32, equal to those of `code`.

        Raises
        ------
        BitstreamError
            If the chunk is not valid.
        """
        from bandpress.contexts.coder import Decoder

        energies = self._energies(chunk)
        string = chunk.data[chunk.reader.bytes_read :]
        least = np.count_nonzero(energies) * self.size[0] * self.size[1] * self.model.least_bits
        if least > 8 * (len(string) + 8):
            raise BitstreamError(
                f"a chunk announces coefficients of at least {least / 8:.0f} bytes; "
                f"expected at most the {len(string)} bytes of its string"
            )
        decoder = Decoder(self.model, *self.size, string)
        found = np.zeros((len(energies), *self.size), np.int32)
        coded = (number for number, energy in enumerate(energies) if energy)
        decoded = (values for values in map(decoder.next, energies) if values is not None)
        for number, samples in zip(
            coded, self._abreast(lambda v: self._samples(v, chunk.step), decoded), strict=True
        ):
            found[number] = samples
        if energies:
            decoder.finish()
        return found

    def _energies(self, chunk: Chunk) -> list[int]:
        count = chunk.reader.number(chunk.components.bit_length())
        if count > chunk.components:
            raise BitstreamError(
                f"a chunk announces {count} coded components; expected at most {chunk.components}"
            )
        return [chunk.reader.number(_ENERGY_BITS) for _ in range(count)]

    def _abreast(self, function: Callable[[A], B], items: Iterable[A]) -> Iterator[B]:
        """Map in order, in other threads if available."""
        if self.threads < 2:
            yield from map(function, items)
            return
        with Threads(self.threads - 1) as pool:
            yield from ahead(function, items, pool, depth=self.threads)

    def _samples(self, values: np.ndarray, step: float) -> np.ndarray:
        """Return a component of coefficients in quantiser steps."""
        values *= step
        return np.clip(np.rint(synthesise(values, self._levels)), -_MOST, _MOST)


def _check_magnitudes(coefficients: np.ndarray, step: float) -> None:
    largest = max(float(coefficients.max()), -float(coefficients.min()))
    if not largest <= MOST * step:
        raise CodecError(
            f"a coefficient of {largest:g} at a step of {step:g} DN; expected at most {MOST} steps, so a coarser step"
        )


def _announced(part: Part, energies: Sequence[int]) -> BitWriter:
    """Return the part of a chunk before the range-coded bytes."""
    side = part.side.copy()
    side.number(len(energies), len(part.components).bit_length())
    for value in energies:
        side.number(value, _ENERGY_BITS)
    return side
