"""Benchmark of training: steps per second, and share of the processor's matrix rate."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from bandpress.hyperprior.architecture import Architecture
from bandpress.hyperprior.training.paper_form import PaperForm
from bandpress.hyperprior.training.patches import Batch
from bandpress.hyperprior.training.schedule import Settings
from bandpress.hyperprior.training.trainer import Trainer

_LAMBDA, _RANGE = 1e-4, 4096.0
_SIDE = 2048


class Speed(NamedTuple):
    """One measurement.

    Parameters
    ----------
    name
        Name of the measured form.
    seconds
        Median seconds per step.
    samples
        Samples per second.
    gflops
        GFLOP/s; a step counts as three forward passes.
    """

    name: str
    seconds: float
    samples: float
    gflops: float


def matmul_rate() -> float:
    """Return the rate of float32 matrix products, in GFLOP/s."""
    a = tf.random.uniform((_SIDE, _SIDE))
    (seconds,) = _medians([lambda: tf.linalg.matmul(a, a).numpy()], 5)
    return 2 * _SIDE**3 / seconds / 1e9


def train_speeds(
    architecture: Architecture, patch: int, batch: int, steps: int, forms: Sequence[str]
) -> list[Speed]:
    """Time training steps of several forms in turn, so that other load affects all of them alike.

    Parameters
    ----------
    architecture
        Widths.
    patch, batch
        Lines and samples of a patch; patches per step.
    steps
        Number of steps for the median.
    forms
        ``"mixed"`` and ``"float32"``, steps of `bandpress train` (see
        `bandpress.hyperprior.training.schedule.PRECISIONS`); ``"paper"``, steps of the paper's script.
    """
    rng = np.random.default_rng(0)
    x = rng.random((batch, patch, patch, architecture.bands_per_cluster), np.float32)
    data = Batch(x, np.full((batch, architecture.bands_per_cluster), _RANGE, np.float32))
    macs = sum(architecture.macs(patch, patch)[key] for key in ("encoder", "synthesis")) * batch

    def step_of(form: str) -> Callable[[], float]:
        if form == "paper":
            return partial(PaperForm(architecture, _LAMBDA).step, data)
        settings = Settings((_LAMBDA,), patch=patch, batch=batch, precision=form)
        return partial(_step, Trainer(architecture, settings, architecture.random_weights(0), _RANGE), data)

    taken = {form: step_of(form) for form in forms}
    seconds = _medians(list(taken.values()), steps)
    return [
        Speed(form, time_, x.size / time_, 6 * macs / time_ / 1e9)
        for form, time_ in zip(taken, seconds, strict=True)
    ]


def _step(trainer: Trainer, data: Batch) -> float:
    return float(trainer.step(0, data, 1e-5, 0.99).loss)


def _medians(calls: Sequence[Callable[[], object]], count: int) -> list[float]:
    times = np.zeros((count + 1, len(calls)))
    for i in range(count + 1):  # the first step of each builds its graph and is not counted
        for j, call in enumerate(calls):
            started = time.perf_counter()
            call()
            times[i, j] = time.perf_counter() - started
    return [float(value) for value in np.median(times[1:], axis=0)]
