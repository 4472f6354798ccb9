"""What a decoder knows of a wavelet coefficient before it reads it. No TensorFlow here.

Coefficients are coded component by component, from coarse subbands to fine ones, and within a subband in four passes
over its places: even lines and samples, odd ones, and the two kinds between. So all coefficients of a pass can be
coded together, and most have neighbours on all sides that are known (Wu, "High-order context modeling and embedded
conditional entropy coding of wavelet coefficients", Asilomar 1997, has the causal half of them). Known are
magnitudes of those neighbours, of the parent in the next coarser subband, of the other orientations of the same level,
and of components before. All are integers, and logarithms of them are integers too, so that encoder and decoder
agree to the bit.
"""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np

from bandpress.transforms.wavelet import Subband, subbands

#: What one octave of magnitude counts in the features.
OCTAVE = 16
#: First line and first sample of each of the passes over a subband.
PASSES = ((0, 0), (1, 1), (0, 1), (1, 0))
#: Features that differ from coefficient to coefficient, and those that all coefficients of a pass share.
VARYING, SHARED = 24, 17

_MOST = (1 << 16) - 1
_MEAN_SHIFT = 1  # means count halves of a feature's unit
_ENERGY_SHIFT = 6  # energies are of magnitudes in units of 1/64
#: Largest energy that is written.
MOST_ENERGY = 63


class Step(NamedTuple):
    """Coefficients that are coded together.

    Parameters
    ----------
    clusters
        Numbers of the clusters that have anything in this component.
    component
        Number of the component.
    lines, samples
        Where its coefficients are within the component.
    varying
        Features of each coefficient, int16, shape (clusters, lines, samples, VARYING).
    shared
        Features of all of them, int16, shape (SHARED,).
    magnitudes
        To be filled in before the next step is asked for: int32, shape (clusters, lines, samples).
    """

    clusters: np.ndarray
    component: int
    lines: slice
    samples: slice
    varying: np.ndarray
    shared: np.ndarray
    magnitudes: np.ndarray


def levels_of(lines: int, samples: int) -> int:
    """Return how often an image is halved: until its shorter side has two samples or three."""
    return max(1, (min(lines, samples) - 1).bit_length() - 1)


def logarithm(magnitude: np.ndarray) -> np.ndarray:
    """Return OCTAVE · log2(1 + magnitude), linear between powers of two, int16."""
    return _TABLE[np.minimum(magnitude, _MOST)]


def _make_table() -> np.ndarray:
    values = np.arange(1, _MOST + 2, dtype=np.int64)
    exponent = np.array([int(value).bit_length() - 1 for value in values])
    return (OCTAVE * (exponent - 1) + ((OCTAVE * values) >> exponent)).astype(np.int16)


_TABLE = _make_table()


def energies(magnitudes: np.ndarray) -> np.ndarray:
    """Return how much there is in each component, half an octave a unit; 0 for nothing at all.

    Parameters
    ----------
    magnitudes
        Integers, shape (clusters, components, lines, samples).

    Returns
    -------
    numpy.ndarray
        int64, shape (clusters, components), at most `MOST_ENERGY`.
    """
    total = magnitudes.sum(axis=(2, 3), dtype=np.int64)
    places = magnitudes.shape[2] * magnitudes.shape[3]
    mean = np.minimum((total << _ENERGY_SHIFT) // places, 1 << 40)
    octaves = np.log2(mean + 1.0) * 2
    return np.where(total > 0, np.clip(octaves.astype(np.int64), 1, MOST_ENERGY), 0)


def walk(energy: np.ndarray, lines: int, samples: int, features: bool = True) -> Iterator[Step]:
    """Yield the steps in which clusters are coded.

    Parameters
    ----------
    energy
        From `energies`, shape (clusters, components): components of energy 0 are passed over, and are zero.
    lines, samples
        Size of the images.
    features
        Work out the features; without them nothing needs to be filled in.

    Yields
    ------
    Step
        Its `magnitudes` must be filled in before the next is asked for.
    """
    clusters, components = energy.shape
    bands = list(subbands(lines, samples, levels_of(lines, samples)))
    before = np.zeros(
        (2, clusters, lines, samples), np.int32
    )  # the component before, and the one before that
    trace = np.zeros((clusters, lines, samples), np.int32)  # of all components before, the older the fainter
    for component in range(components):
        alive = np.flatnonzero(energy[:, component])
        current = np.zeros((len(alive), lines, samples), np.int32)
        if len(alive):
            older = _Older(before[0, alive], before[1, alive], trace[alive])
            level = energy[alive, component], energy[alive, component - 1] * (component > 0)
            for number, band in enumerate(bands):
                if min(band.shape) > 0:
                    known = _known(current, older, level, bands, number) if features else []
                    yield from _band_steps(alive, current, known, band, component)
        before[1], before[0] = before[0], 0
        before[0, alive] = current
        trace = trace * 3 // 4 + logarithm(before[0])


class _Older(NamedTuple):
    """Components before: the last, the last but one, and a trace of all."""

    last: np.ndarray
    second: np.ndarray
    trace: np.ndarray


def _band_steps(
    clusters: np.ndarray, current: np.ndarray, known: list[np.ndarray], band: Subband, component: int
) -> Iterator[Step]:
    """Yield the four passes over one subband of one component."""
    inside = np.pad(current[:, band.lines, band.samples], ((0, 0), (2, 2), (2, 2)))
    for number, (top, left) in enumerate(PASSES):
        rows = slice(band.lines.start + top, band.lines.stop, 2)
        columns = slice(band.samples.start + left, band.samples.stop, 2)
        magnitudes = current[:, rows, columns]
        if not magnitudes.size:
            continue
        varying = np.empty((*magnitudes.shape, VARYING if known else 0), np.int16)
        if known:
            before = [one[:, top::2, left::2] if one.ndim == 3 else one[:, None, None] for one in known]
            around = _around(inside, top, left, magnitudes.shape[1:])
            for place, values in zip(range(VARYING), around + before, strict=True):
                varying[..., place] = values
        shared = _shared(band, component, number)
        yield Step(clusters, component, rows, columns, varying, shared, magnitudes)
        np.minimum(magnitudes, _MOST, out=magnitudes)  # so that no sum of neighbours leaves its type
        inside[:, 2 + top : -2 : 2, 2 + left : -2 : 2] = magnitudes


def _around(inside: np.ndarray, top: int, left: int, shape: tuple[int, ...]) -> list[np.ndarray]:
    """Return the mean of what is known of the band so far, and sums over neighbours of the places of a pass."""
    mean = _mean(logarithm(inside[:, 2:-2, 2:-2]))[:, None, None]

    def shifted(down: int, right: int) -> np.ndarray:
        y, x = 2 + top + down, 2 + left + right
        return inside[:, y : y + 2 * shape[0] : 2, x : x + 2 * shape[1] : 2][:, : shape[0], : shape[1]]

    beside = shifted(0, -1) + shifted(0, 1)
    above = shifted(-1, 0) + shifted(1, 0)
    diagonal = shifted(-1, -1) + shifted(-1, 1) + shifted(1, -1) + shifted(1, 1)
    second = shifted(0, -2) + shifted(0, 2) + shifted(-2, 0) + shifted(2, 0)
    knights = np.zeros_like(beside)
    for a, b in product((-2, -1, 1, 2), repeat=2):
        if 2 in (abs(a), abs(b)):
            knights += shifted(a, b)
    return [np.broadcast_to(mean, beside.shape), *map(logarithm, (beside, above, diagonal, second, knights))]


def _known(
    current: np.ndarray,
    older: _Older,
    energy: tuple[np.ndarray, np.ndarray],
    bands: list[Subband],
    number: int,
) -> list[np.ndarray]:
    """Return what is known before any pass: of places, (clusters, lines, samples), or of clusters, (clusters,)."""
    band = bands[number]
    shape = band.shape
    nothing = np.zeros((len(current), *shape), np.int16)

    def cut(images: np.ndarray, other: Subband) -> np.ndarray:
        return images[:, other.lines, other.samples]

    # The parent: the same orientation one level up, or the low band, which is as large.
    parents, mean = [nothing, nothing], np.zeros(len(current), np.int64)
    if band.orientation:
        coarsest = number <= 3
        parent = cut(current, bands[0] if coarsest else bands[number - 3])
        parents = [logarithm(parent), logarithm(_box(parent, 1))]
        mean = _mean(parents[0])
        parents = [_fitted(one if coarsest else _doubled(one), shape) for one in parents]
    cousins = [nothing] * 4
    for other in range(1, band.orientation):
        cousin = _fitted(cut(current, bands[number - band.orientation + other]), shape)
        cousins[2 * other - 2 : 2 * other] = logarithm(cousin), logarithm(_box(cousin, 1))
    last, second, trace = (cut(images, band) for images in older)
    children = nothing
    if band.orientation and band.level > 1:
        finer = cut(older.last, bands[number + 3])
        children = logarithm(_fitted(_halved(finer), shape))
    return [
        *parents,
        *cousins,
        logarithm(last),
        logarithm(_box(last, 1)),
        logarithm(_box(last, 2)),
        logarithm(second),
        logarithm(_box(second, 1)),
        trace,
        _box(trace, 1) // 9,
        children,
        mean,
        _mean(logarithm(last)),
        *(one * (OCTAVE // 2) for one in energy),
    ]


def _shared(band: Subband, component: int, number_of_pass: int) -> np.ndarray:
    """Return what all coefficients of a pass share."""
    level = min(band.level, 4)
    marks = [
        *(number_of_pass == i for i in range(4)),
        *(band.orientation == i for i in range(4)),
        *(level == i for i in range(1, 5)),
        *(component == i for i in range(3)),
    ]
    return np.array(
        [OCTAVE * mark for mark in marks] + [OCTAVE * band.level, 4 * min(component, 16)], np.int16
    )


def _mean(features: np.ndarray) -> np.ndarray:
    """Return twice the mean of each cluster's features."""
    total = features.sum(axis=(1, 2), dtype=np.int64) << _MEAN_SHIFT
    return total // max(1, features[0].size)


def _box(images: np.ndarray, reach: int) -> np.ndarray:
    """Sum over all places at most `reach` away; zeros beyond the borders."""
    padded = np.pad(images, ((0, 0), (reach, reach), (reach, reach)))
    rows = np.add.reduce([padded[:, i : i + images.shape[1]] for i in range(2 * reach + 1)])
    return np.add.reduce([rows[:, :, i : i + images.shape[2]] for i in range(2 * reach + 1)])


def _doubled(images: np.ndarray) -> np.ndarray:
    return images.repeat(2, axis=1).repeat(2, axis=2)


def _halved(images: np.ndarray) -> np.ndarray:
    """Sum blocks of 2 × 2."""
    even = np.pad(images, ((0, 0), (0, images.shape[1] % 2), (0, images.shape[2] % 2)))
    rows = even[:, ::2] + even[:, 1::2]
    return rows[:, :, ::2] + rows[:, :, 1::2]


def _fitted(images: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Cut images to a shape, or repeat their last line and sample."""
    images = images[:, : shape[0], : shape[1]]
    short = [wanted - there for wanted, there in zip(shape, images.shape[1:], strict=True)]
    if not any(short):
        return images
    return np.pad(images, ((0, 0), (0, short[0]), (0, short[1])), mode="edge" if images.size else "constant")
