"""Clusters of components to chunks and back: 9/7 wavelet, quantiser, contexts, range coder.

What a chunk holds after the side information that it begins with, in the same bits::

    n bits     components that are coded: the first ones; n = bits of the number of components
    6 bits     energy of each of them, see `bandpress.contexts.features.energies`; 0: nothing of it is coded
    padding    to a whole byte
    …          range coded classes, signs and plain bits, see `bandpress.contexts.coefficients`

All that a decoder does is integer arithmetic, or float64 element by element: what comes out is the same everywhere.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bandpress.container.bits import BitReader, BitWriter
from bandpress.contexts.features import levels_of
from bandpress.contexts.model import ContextModel
from bandpress.contexts.quantisation import Coefficients, first_energies, quantise, restored
from bandpress.errors import BitstreamError, MissingDependencyError
from bandpress.pipeline import batches
from bandpress.transforms.wavelet import analyse, synthesise

if TYPE_CHECKING:
    from bandpress.contexts.coefficients import CoefficientCoder

_ENERGY_BITS = 6
#: Samples that go through the coder together: what bounds memory.
_BATCH_SAMPLES = 1 << 22


class Part(NamedTuple):
    """A cluster to code.

    Parameters
    ----------
    components
        int32, shape (components, lines, samples), in the order of their energy.
    step
        Quantiser step in DN.
    side
        What turns components into bands again, bit by bit; the chunk begins with it.
    """

    components: np.ndarray
    step: float
    side: BitWriter


class Chunk(NamedTuple):
    """A cluster as it is in a file.

    Parameters
    ----------
    reader
        Of the chunk, what comes before the components read.
    data
        The chunk.
    components
        How many there are.
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
    """

    def __init__(self, model: ContextModel, lines: int, samples: int):
        self.model, self.size = model, (lines, samples)
        self._levels = levels_of(lines, samples)

    def batch(self, components: int) -> int:
        """Return how many clusters of so many components are best coded together."""
        return max(1, _BATCH_SAMPLES // (components * self.size[0] * self.size[1]))

    def code(self, parts: Sequence[Part]) -> list[tuple[bytes, np.ndarray]]:
        """Return of each cluster the chunk, and the components that it decodes to, int32."""
        found = []
        for group in batches(parts, self.batch(max(len(part.components) for part in parts))):
            found += self._code(group)
        return found

    def _code(self, parts: Sequence[Part]) -> list[tuple[bytes, np.ndarray]]:
        values = [self._transformed(part) for part in parts]
        deepest = max(map(len, values))
        stacked = np.zeros((len(parts), deepest, *self.size), np.float32)
        for place, one in enumerate(values):
            stacked[place, : len(one)] = one
        coded = quantise(self.model, stacked)
        del stacked
        strings = open_coder(self.model).write(coded)
        found = []
        for place, (part, string) in enumerate(zip(parts, strings, strict=True)):
            side = _announced(part, coded.energy[place])
            decoded = self._decoded(coded, place, len(part.components), part.step)
            found.append((side.to_bytes() + string, decoded))
        return found

    def nothing(self, part: Part) -> tuple[bytes, np.ndarray]:
        """Return what `code` would if nothing of a cluster were worth its bits."""
        return _announced(part, np.zeros(0, np.int64)).to_bytes(), np.zeros_like(part.components)

    def _transformed(self, part: Part) -> np.ndarray:
        """Return coefficients in quantiser steps, float32, up to the last component with anything to code."""
        found: list[np.ndarray] = []
        count = 0
        for component in part.components:
            values = analyse(component, self._levels) / part.step
            found.append(values.astype(np.float32))
            if first_energies(np.abs(values)[None, None])[0, 0]:
                count = len(found)
        return np.stack(found[:count]) if count else np.zeros((0, *self.size), np.float32)

    def decode(self, chunks: Iterable[Chunk]) -> Iterator[np.ndarray]:
        """Yield the components of each chunk, int32, as `code` returned them.

        Raises
        ------
        BitstreamError
            If a chunk is none that `code` made.
        """
        waiting: list[tuple[Chunk, np.ndarray]] = []
        for chunk in chunks:
            waiting.append((chunk, self._energy(chunk)))
            if len(waiting) >= self.batch(max(1, *(len(energy) for _, energy in waiting))):
                yield from self._decode(waiting)
                waiting = []
        if waiting:
            yield from self._decode(waiting)

    def _energy(self, chunk: Chunk) -> np.ndarray:
        count = chunk.reader.number(chunk.components.bit_length())
        if count > chunk.components:
            raise BitstreamError(
                f"a chunk announces {count} coded components; expected at most {chunk.components}"
            )
        return np.array([chunk.reader.number(_ENERGY_BITS) for _ in range(count)], np.int64)

    def _decode(self, group: Sequence[tuple[Chunk, np.ndarray]]) -> Iterator[np.ndarray]:
        energy = np.zeros((len(group), max(len(one) for _, one in group)), np.int64)
        for place, (_, one) in enumerate(group):
            energy[place, : len(one)] = one
        strings = [chunk.data[chunk.reader.bytes_read :] for chunk, _ in group]
        coded = open_coder(self.model).read(strings, energy, *self.size)
        for place, (chunk, _) in enumerate(group):
            yield self._decoded(coded, place, chunk.components, chunk.step)

    def _decoded(self, coded: Coefficients, place: int, components: int, step: float) -> np.ndarray:
        found = np.zeros((components, *self.size), np.int32)
        one = Coefficients(*(part[place : place + 1] for part in coded))
        for component in np.flatnonzero(one.energy[0]).tolist():
            values = restored(self.model, one, component)[0] * step
            found[component] = np.rint(synthesise(values, self._levels))
        return found


def _announced(part: Part, energy: np.ndarray) -> BitWriter:
    """Return what stands before the range coded bytes."""
    count = int(np.flatnonzero(energy)[-1]) + 1 if energy.any() else 0
    side = part.side.copy()
    side.number(count, len(part.components).bit_length())
    for value in energy[:count].tolist():
        side.number(value, _ENERGY_BITS)
    return side


def open_coder(model: ContextModel) -> "CoefficientCoder":
    """Make a model ready to code; the last few are kept.

    Raises
    ------
    MissingDependencyError
        If TensorFlow is not installed.
    """
    return _open(model)


@lru_cache(maxsize=4)
def _open(model: ContextModel) -> "CoefficientCoder":
    try:
        from bandpress.contexts.coefficients import CoefficientCoder
    except ImportError as error:
        raise MissingDependencyError(
            f"the range coder needs TensorFlow ({error}); install bandpress[tensorflow] with Python 3.11"
        ) from None
    return CoefficientCoder(model)
