"""Quantised clusters to the rows of numbers that a context model learns from. No TensorFlow here."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import NamedTuple

import numpy as np

from bandpress.contexts.features import SHARED, VARYING, energies, walk
from bandpress.contexts.model import PLAIN_BITS, SHAPED, ContextModel, class_of
from bandpress.contexts.quantisation import dead_zone, first_energies, part_of, quantise
from bandpress.contexts.training.pool import OFFSETS, TRAIN, Pool
from bandpress.errors import SceneError
from bandpress.pipeline import ahead

#: Rows that make a draw worth a step, and how often it is drawn again until it has them.
_ENOUGH, _ATTEMPTS = 2000, 40
#: Draws that offsets are measured on, and coefficients that the mean over all tables counts as in that of one.
_SURVEY, _PRIOR = 24, 50
_ROWS = 3  # a stream of random numbers beside those of the pool


class Rows(NamedTuple):
    """Coefficients to learn from.

    Parameters
    ----------
    features
        As `bandpress.contexts.features` counts them, int16, shape (rows, VARYING + SHARED).
    classes
        Classes of the magnitudes, int32.
    plain
        Bits that no table changes, float32.
    """

    features: np.ndarray
    classes: np.ndarray
    plain: np.ndarray

    def some(self, rng: np.random.Generator, most: int) -> Rows:
        """Return at most so many of the rows."""
        if len(self.classes) <= most:
            return self
        chosen = rng.choice(len(self.classes), most, replace=False)
        return Rows(*(part[chosen] for part in self))


def rows_of(energy: np.ndarray, magnitudes: np.ndarray) -> Rows:
    """Return the rows of quantised clusters.

    Parameters
    ----------
    energy
        See `bandpress.contexts.features.energies`, shape (clusters, components).
    magnitudes
        int32, shape (clusters, components, lines, samples).
    """
    features, classes = [np.zeros((0, VARYING + SHARED), np.int16)], [np.zeros(0, np.int32)]
    for step in walk(energy, *magnitudes.shape[2:]):
        found = part_of(magnitudes, step)
        step.magnitudes[...] = found
        both = np.empty((found.size, VARYING + SHARED), np.int16)
        both[:, :VARYING], both[:, VARYING:] = step.varying.reshape(-1, VARYING), step.shared
        features.append(both)
        classes.append(class_of(found).ravel())
    which = np.concatenate(classes)
    plain = PLAIN_BITS[which] + (which > 0)
    return Rows(np.concatenate(features), which, plain.astype(np.float32))


def quantised_with(model: ContextModel | None, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return energies and magnitudes as the encoder makes them with a model, or without one with a dead zone."""
    if model is not None:
        coded = quantise(model, values)
        return coded.energy, coded.magnitudes
    rounded = dead_zone(values)
    return energies(rounded) * (first_energies(values) > 0), rounded


def rows_at(pool: Pool, stream: int, number: int, most: int, model: ContextModel | None) -> Rows:
    """Return the rows of a draw, quantised with a model: always the same ones for the same seed and model.

    Raises
    ------
    SceneError
        If nothing is drawn that holds anything, again and again.
    """
    found = Rows(*(np.zeros(0),) * 3)
    for attempt in range(_ATTEMPTS):
        rows = rows_of(*quantised_with(model, pool.draw(stream, number, attempt)))
        if len(rows.classes) > len(found.classes):
            found = rows
        if len(found.classes) >= min(_ENOUGH, most // 4):
            break
    if not len(found.classes):
        raise SceneError(f"scenes hold nothing to code in {_ATTEMPTS} draws; expected images to learn from")
    return found.some(np.random.default_rng((pool.seed, _ROWS, stream, number)), most)


def batches(
    pool: Pool, first: int, most: int, model: ContextModel | None, threads: int
) -> Generator[Rows, None, None]:
    """Yield the rows of draw `first` and those after it, without end, made ahead by threads; the same for any number.

    Close it when enough are taken: what was made ahead is thrown away, so that the next ones can be of another model.
    """

    def made(number: int) -> Rows:
        return rows_at(pool, TRAIN, number, most, model)

    with ThreadPoolExecutor(threads, thread_name_prefix="rows") as workers:
        yield from ahead(made, count(first), workers, depth=threads + 1)


def measured_offsets(pool: Pool, model: ContextModel, quantiser: ContextModel | None) -> np.ndarray:
    """Measure how far below magnitudes coefficients are, in steps, shape (tables, SHAPED).

    Parameters
    ----------
    pool
        Where to measure.
    model
        Its tables count; its offsets do not.
    quantiser
        What chooses the magnitudes; None: a dead zone.
    """
    sums = np.zeros((2, len(model.frequencies), SHAPED))
    for number in range(_SURVEY):
        values = pool.draw(OFFSETS, number)
        energy, magnitudes = quantised_with(quantiser, values)
        for step in walk(energy, *values.shape[2:]):
            found = part_of(magnitudes, step)
            step.magnitudes[...] = found
            shown = found > 0
            if shown.any():
                tables = model.indexes(step.varying, step.shared)[shown]
                place = tables, np.minimum(found[shown], SHAPED) - 1
                np.add.at(sums[0], place, found[shown] - part_of(values, step)[shown])
                np.add.at(sums[1], place, 1)
    total, numbers = sums
    mean = total.sum(axis=0) / np.maximum(numbers.sum(axis=0), 1)
    return (total + mean * _PRIOR) / (numbers + _PRIOR)
