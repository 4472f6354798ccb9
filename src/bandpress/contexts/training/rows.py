"""Training rows of a context model, from quantised clusters. No TensorFlow here."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from itertools import count
from typing import NamedTuple

import numpy as np

from bandpress.contexts.classes import PLAIN_BITS, class_of
from bandpress.contexts.coder import Encoder, contexts, first_energy
from bandpress.contexts.features import FEATURES, bands_of
from bandpress.contexts.integers import Measured
from bandpress.contexts.kernels.constants import SHAPED
from bandpress.contexts.model import ContextModel
from bandpress.contexts.quantisation import rounded
from bandpress.contexts.signs import count as count_signs
from bandpress.contexts.training.pool import OFFSETS, TRAIN, Pool
from bandpress.errors import SceneError
from bandpress.machine import Threads
from bandpress.pipeline import ahead

#: Fewest rows of a draw for a step, and most attempts to draw them.
_ENOUGH, _ATTEMPTS = 2000, 40
#: Draws for measuring offsets, and weight, in coefficients, of the mean over all tables in the mean of one.
_SURVEY, _PRIOR = 24, 50
_ROWS = 3  # a stream of random numbers beside those of the pool


class Rows(NamedTuple):
    """Training coefficients.

    Parameters
    ----------
    features
        Features, see `bandpress.contexts.features`, int16, shape (rows, FEATURES).
    classes
        Classes of the magnitudes, int32.
    plain
        Bits that do not depend on the table, float32.
    """

    features: np.ndarray
    classes: np.ndarray
    plain: np.ndarray

    def some(self, rng: np.random.Generator, most: int) -> Rows:
        """Return at most this many rows."""
        if len(self.classes) <= most:
            return self
        chosen = rng.choice(len(self.classes), most, replace=False)
        return Rows(*(part[chosen] for part in self))


class Quantised(NamedTuple):
    """A quantised cluster: energies of components, and magnitudes, int32, shape (components, lines, samples)."""

    energies: list[int]
    magnitudes: np.ndarray


def rows_of(clusters: Iterable[Quantised]) -> Rows:
    """Return the rows of quantised clusters."""
    features, classes = [np.zeros((0, FEATURES), np.int16)], [np.zeros(0, np.int32)]
    for cluster in clusters:
        for component, rows in contexts(*cluster):
            features.append(rows[:, 2:].astype(np.int16))
            classes.append(class_of(cluster.magnitudes[component, rows[:, 0], rows[:, 1]]))
    which = np.concatenate(classes)
    plain = PLAIN_BITS[which] + (which > 0)
    return Rows(np.concatenate(features), which, plain.astype(np.float32))


def quantised_with(model: ContextModel | None, values: np.ndarray) -> Quantised:
    """Quantise a cluster as the encoder does with a model; without a model, with a dead zone.

    Parameters
    ----------
    model
        The model.
    values
        Coefficients in quantiser steps, shape (components, lines, samples).
    """
    found = Quantised([], np.zeros(values.shape, np.int32))
    encoder = None if model is None else Encoder(model, *values.shape[1:])
    for magnitudes, exact in zip(found.magnitudes, values.astype(np.float64), strict=True):
        if encoder is None:
            found.energies.append(first_energy(exact, 1.0))
            if found.energies[-1]:
                magnitudes[...] = rounded(np.abs(exact))
        elif encoder.add(exact, 1.0):
            magnitudes[...] = encoder.magnitudes
    return found if encoder is None else found._replace(energies=encoder.energies)


def rows_at(pool: Pool, stream: int, number: int, most: int, model: ContextModel | None) -> Rows:
    """Return the rows of a draw, quantised with a model; they depend only on seed, draw and model.

    Raises
    ------
    SceneError
        If repeated draws hold nothing to code.
    """
    found = Rows(*(np.zeros(0),) * 3)
    for attempt in range(_ATTEMPTS):
        rows = rows_of(quantised_with(model, values) for values in pool.draw(stream, number, attempt))
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
    """Yield the rows of draws from `first` on, without end, prepared by threads; equal for any number of threads.

    Close the generator before changing the model: rows prepared ahead are then dropped.
    """

    def made(number: int) -> Rows:
        return rows_at(pool, TRAIN, number, most, model)

    with Threads(threads, thread_name_prefix="rows") as workers:
        yield from ahead(made, count(first), workers, depth=threads + 1)


def measured(pool: Pool, model: ContextModel, quantiser: ContextModel | None) -> Measured:
    """Measure the mean offset of coefficients below their magnitudes, and count signs.

    Parameters
    ----------
    pool
        Clusters to measure on.
    model
        Model whose tables are used; its offsets and signs are ignored.
    quantiser
        Model that quantises; None: a dead zone.
    """
    sums = np.zeros((2, len(model.frequencies), SHAPED))
    signs = Measured.nothing(0).signs
    for number in range(_SURVEY):
        for values in pool.draw(OFFSETS, number):
            cluster = quantised_with(quantiser, values)
            for component, rows in contexts(*cluster):
                place = component, rows[:, 0], rows[:, 1]
                found = cluster.magnitudes[place]
                signed = np.sign(values[component]).astype(np.int64) * (cluster.magnitudes[component] > 0)
                signs += count_signs(signed, bands_of(*signed.shape))
                shown = found > 0
                if shown.any():
                    at = model.indexes(rows[shown, 2:]), np.minimum(found[shown], SHAPED) - 1
                    np.add.at(sums[0], at, found[shown] - np.abs(values[place][shown]))
                    np.add.at(sums[1], at, 1)
    total, numbers = sums
    mean = total.sum(axis=0) / np.maximum(numbers.sum(axis=0), 1)
    return Measured((total + mean * _PRIOR) / (numbers + _PRIOR), signs)
