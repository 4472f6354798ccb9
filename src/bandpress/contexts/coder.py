"""Coding of a cluster's coefficients with the range coder, one component after the other."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from bandpress.contexts import signs
from bandpress.contexts.features import FEATURES, LOCAL, bands_of, energy_of
from bandpress.contexts.integers import blank
from bandpress.contexts.kernels import component, features, network, rangecoder
from bandpress.contexts.model import ContextModel
from bandpress.contexts.quantisation import LONE, ROUNDING, WORTH
from bandpress.errors import BitstreamError

#: Most bytes of a coefficient.
_MOST_BYTES = 8
#: Zero bytes that a decoder may read beyond a string.
_BEYOND = 6


class Memory(NamedTuple):
    """Arrays of earlier components and work space for kernels; see `bandpress.contexts.kernels.component.code`."""

    maps: np.ndarray
    traces: np.ndarray
    bands: np.ndarray
    totals: np.ndarray
    planes: np.ndarray
    work: np.ndarray
    lines: np.ndarray
    tables: np.ndarray
    magnitudes: np.ndarray
    sums: np.ndarray
    shared: np.ndarray
    means: np.ndarray
    places: np.ndarray
    layers: np.ndarray

    @classmethod
    def of(cls, lines: int, samples: int, biases: np.ndarray) -> "Memory":
        """Return empty arrays for images of a size and a network with these biases."""
        half, width = (lines + 1) // 2, (samples + 1) // 2
        bands = bands_of(lines, samples)
        return cls(
            np.zeros((3, 4, lines, samples), np.int16),
            np.zeros((2, lines, samples), np.int16),
            bands,
            np.zeros((3, len(bands)), np.int64),
            np.zeros((4, half // 2 + 3, width // 2 + 3), np.int32),
            np.zeros((4, biases.shape[1], network.BLOCK), np.float32),
            np.zeros((LOCAL + 1, width // 2 + 1), np.int16),
            np.zeros((half // 2 + 1) * (width // 2 + 1), np.uint8),
            np.zeros((lines, samples), np.int32),
            np.zeros((2, samples + 4), np.int32),
            np.zeros(FEATURES - LOCAL, np.int64),
            np.zeros(3, np.int64),
            np.zeros(network.BLOCK, np.int64),
            biases.copy(),
        )


class _Walk:
    """Sequence of a cluster's components, shared by encoder and decoder.

    Parameters
    ----------
    model
        The model.
    lines, samples
        Size of the components.
    """

    def __init__(self, model: ContextModel, lines: int, samples: int, worth: float = WORTH):
        self._model, self._worth = model.compiled, worth
        self._memory = Memory.of(lines, samples, self._model.biases)
        self._component, self._before = 0, 0
        self._signs = signs.state(model.signs)
        self.state = np.array([0, 1 << 48, 0, 0], np.int64)
        self.data = np.zeros(0, np.uint8)

    @property
    def magnitudes(self) -> np.ndarray:
        """Magnitudes of the last coded component."""
        return self._memory.magnitudes

    def pass_over(self) -> None:
        """Skip a component."""
        m = self._memory
        m.maps[self._component % 3] = 0
        m.totals[self._component % 3] = 0
        self._done(0)

    def code(self, mode: int, energy: int, values: np.ndarray, listed: np.ndarray) -> None:
        """Code a component."""
        m = self._memory
        component.code(
            mode,
            self._component,
            np.array([energy, self._before], np.int64),
            values,
            *m[:5],
            *self._model,
            self._worth,
            *m[5:],
            self._signs,
            self.state,
            self.data,
            listed,
        )
        self._done(energy)

    def _done(self, energy: int) -> None:
        m = self._memory
        features.remember(m.maps[self._component % 3, 0], m.traces, m.bands, m.sums)
        self._component += 1
        self._before = energy


_NOTHING = np.zeros((0, 2 + FEATURES), np.int32)


def first_energy(coefficients: np.ndarray, step: float) -> int:
    """Divide coefficients by the quantiser step, in place; return their energy, 0 if none is worth coding.

    Parameters
    ----------
    coefficients
        float64, shape (lines, samples).
    step
        Quantiser step, in the unit of the coefficients.
    """
    total = np.zeros(1, np.int64)
    gain = component.survey(coefficients, step, ROUNDING, WORTH, LONE, total)
    return energy_of(int(total[0]), coefficients.size) if gain > LONE else 0


class Encoder:
    """Writer of a cluster's string.

    Parameters
    ----------
    model
        The model.
    lines, samples
        Size of the components.
    worth
        Bits that one squared step of squared error is worth.
    """

    def __init__(self, model: ContextModel, lines: int, samples: int, worth: float = WORTH):
        self._walk = _Walk(model, lines, samples, worth)
        self.energies: list[int] = []

    def add(self, coefficients: np.ndarray, step: float) -> bool:
        """Code a component, or skip it if nothing of it is worth coding.

        Parameters
        ----------
        coefficients
            float64, shape (lines, samples). Replaced by the decoded coefficients, in quantiser steps.
        step
            Quantiser step, in the unit of the coefficients.

        Returns
        -------
        bool
            Whether anything was coded.
        """
        energy = first_energy(coefficients, step)
        self.energies.append(energy)
        if not energy:
            self._walk.pass_over()
            return False
        walk = self._walk
        room = int(walk.state[2]) + _MOST_BYTES * (coefficients.size + 1)
        if room > walk.data.size:
            grown = np.empty(2 * room, np.uint8)
            grown[: walk.state[2]] = walk.data[: walk.state[2]]
            walk.data = grown
        walk.code(component.ENCODE, energy, coefficients, _NOTHING)
        return True

    @property
    def magnitudes(self) -> np.ndarray:
        """Magnitudes of the last coded component, clipped to 65,535."""
        return self._walk.magnitudes

    def string(self) -> bytes:
        """End and return the string; empty if nothing was coded."""
        while self.energies and not self.energies[-1]:
            self.energies.pop()
        if not self.energies:
            return b""
        return self._walk.data[: rangecoder.finish(self._walk.state, self._walk.data)].tobytes()


class Decoder:
    """Reader of a cluster's string.

    Parameters
    ----------
    model
        The model.
    lines, samples
        Size of the components.
    string
        Result of `Encoder.string`.
    """

    def __init__(self, model: ContextModel, lines: int, samples: int, string: bytes):
        self._walk, self._size = _Walk(model, lines, samples), (lines, samples)
        walk = self._walk
        walk.data = np.frombuffer(string + bytes(_BEYOND), np.uint8).copy()
        walk.state[:3] = int.from_bytes(walk.data[:_BEYOND].tobytes(), "big"), 1 << 48, _BEYOND

    def next(self, energy: int) -> np.ndarray | None:
        """Decode a component: float64, shape (lines, samples), in quantiser steps; None if it was skipped.

        Raises
        ------
        BitstreamError
            If the string ends early or is not valid.
        """
        if not energy:
            self._walk.pass_over()
            return None
        values = np.zeros(self._size)
        self._walk.code(component.DECODE, energy, values, _NOTHING)
        if self._walk.state[3]:
            raise BitstreamError(
                "the range coder's string is damaged; expected as many bytes as its coefficients take"
            )
        return values

    def finish(self) -> None:
        """Check that the string ends where its coefficients do.

        Raises
        ------
        BitstreamError
            If it does not.
        """
        left = self._walk.data.size - int(self._walk.state[2])
        if left not in (1, 2):
            raise BitstreamError(
                f"the range coder's string has {left - 2} bytes more than its coefficients take; expected none"
            )


def contexts(energies: Sequence[int], magnitudes: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the number of each coded component of a cluster, and the contexts of its coefficients, in coding order.

    Parameters
    ----------
    energies
        Energies of the components.
    magnitudes
        Integers, shape (components, lines, samples).

    Yields
    ------
    tuple
        A component, and int32, shape (coefficients, 2 + FEATURES): line, sample, features.
    """
    walk = _Walk(blank(), *magnitudes.shape[1:])
    for number, (energy, found) in enumerate(zip(energies, magnitudes, strict=True)):
        if not energy:
            walk.pass_over()
            continue
        rows = np.zeros((found.size, 2 + FEATURES), np.int32)
        walk.code(component.LIST, energy, found.astype(np.float64), rows)
        yield number, rows
