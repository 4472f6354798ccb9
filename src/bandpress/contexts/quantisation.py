"""Which integers stand for wavelet coefficients: as few bits as their error is worth. No TensorFlow here.

Each coefficient is rounded to what costs least in bits + lambda · squared error, given the table that its context
chooses (rate-distortion optimised quantisation, Karczewicz, Ye & Chong, ITU-T VCEG-AH21, 2008). Lambda is what a bit is
worth where the rate is high: 6 / ln 2 bits a squared step, since D = step² / 12 and -dR/dD = 1 / (2 ln 2 · D).
"""

from typing import NamedTuple

import numpy as np

from bandpress.contexts.features import Step, energies, walk
from bandpress.contexts.model import MOST, ContextModel, class_of

#: Bits that a squared error of one squared step is worth.
WORTH = 6 / np.log(2)
#: What rounding adds before it is known what a coefficient costs.
_ROUNDING = 0.36
#: Bits that a lone coefficient of a component costs, at least.
_LONE = 7.0


class Coefficients(NamedTuple):
    """Coefficients as they are coded, all arrays of shape (clusters, components, lines, samples) but the first.

    Parameters
    ----------
    energy
        Of each component, see `contexts.energies`, shape (clusters, components).
    magnitudes
        Integers, int32.
    negative
        Signs, bool.
    tables
        The table that each magnitude's context chooses, uint8.
    """

    energy: np.ndarray
    magnitudes: np.ndarray
    negative: np.ndarray
    tables: np.ndarray


def dead_zone(steps: np.ndarray) -> np.ndarray:
    """Round magnitudes that count steps, those below a step towards zero; int32, same shape."""
    return np.minimum(steps + _ROUNDING, MOST).astype(np.int32)


def restored(model: ContextModel, coded: Coefficients, component: int) -> np.ndarray:
    """Return the values of one component's coefficients, in quantiser steps, float64, (clusters, lines, samples)."""
    magnitudes = model.expected(coded.magnitudes[:, component], coded.tables[:, component])
    return np.where(coded.negative[:, component], -magnitudes, magnitudes)


def first_energies(steps: np.ndarray) -> np.ndarray:
    """Return the energies of components, 0 where nothing is worth its bits; shape (clusters, components)."""
    rounded = dead_zone(steps)
    gain = WORTH * (np.square(steps) - np.square(steps - rounded)) - _LONE * (rounded > 0)
    return np.where(gain.sum(axis=(2, 3)) > _LONE, energies(rounded), 0)


def quantise(model: ContextModel, values: np.ndarray, worth: float = WORTH) -> Coefficients:
    """Quantise clusters.

    Parameters
    ----------
    model
        What they will be coded with.
    values
        Coefficients in quantiser steps, shape (clusters, components, lines, samples).
    worth
        Bits that a squared error of one squared step is worth.
    """
    energy = first_energies(np.abs(values))
    found = Coefficients(
        energy, np.zeros(values.shape, np.int32), values < 0, np.zeros(values.shape, np.uint8)
    )
    for step in walk(energy, *values.shape[2:]):
        exact = np.abs(part_of(values, step))
        tables = model.indexes(step.varying, step.shared)
        nearest = np.minimum(exact + 0.5, MOST).astype(np.int32)
        best, least = nearest, np.full(exact.shape, np.inf)
        for candidate in (nearest, np.maximum(nearest - 1, 0), np.zeros_like(nearest)):
            cost = model.bits[tables, class_of(candidate)]
            cost += worth * np.square(exact - model.expected(candidate, tables))
            best, least = np.where(cost < least, candidate, best), np.minimum(cost, least)
        step.magnitudes[...] = best
        put(found.magnitudes, step, best)
        put(found.tables, step, tables)
    return found


def part_of(values: np.ndarray, step: Step) -> np.ndarray:
    """Return what belongs to a step of an array of shape (clusters, components, lines, samples)."""
    return values[step.clusters, step.component, step.lines, step.samples]


def put(values: np.ndarray, step: Step, part: np.ndarray) -> None:
    """Put back what `part_of` returned."""
    values[step.clusters, step.component, step.lines, step.samples] = part
