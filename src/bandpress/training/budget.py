"""Budget and progress of a training. No TensorFlow here."""

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol


def cosine(done: float, warm_up: float, final: float) -> float:
    """Return the share of the highest learning rate when a share `done` of the training is done.

    Parameters
    ----------
    done
        Between 0 and 1.
    warm_up
        Share of the training in which the rate rises.
    final
        Final rate as a share of the highest.
    """
    if done < warm_up:
        return (done + 1e-3) / (warm_up + 1e-3)
    part = min(1.0, (done - warm_up) / max(1e-9, 1 - warm_up))
    return final + (1 - final) * (1 + math.cos(math.pi * part)) / 2


class Limits(Protocol):
    """Limits of a training: steps, minutes, or whichever comes first."""

    @property
    def steps(self) -> int | None:
        """Steps of the schedule."""

    @property
    def minutes(self) -> float | None:
        """Wall-clock budget."""


class Progress(NamedTuple):
    """Progress after a step; rate (bits per sample) and PSNR (dB) are running means over recent patches."""

    step: int
    done: float
    bps: float
    psnr: float
    seconds_left: float


class Budget:
    """Progress of a training, by steps or by the clock, whichever is further.

    Parameters
    ----------
    settings
        Limits in `steps` and `minutes`.
    clock
        Clock in seconds, from any start.
    spent
        Seconds of training before it was resumed.
    """

    def __init__(self, settings: Limits, clock: Callable[[], float], spent: float = 0.0) -> None:
        self._settings, self._clock = settings, clock
        self._from = clock() - spent

    @property
    def seconds(self) -> float:
        """Seconds spent on the training so far."""
        return self._clock() - self._from

    def done(self, step: int) -> float:
        """Return the share done after `step` steps; 1 or more means the end."""
        share = 0.0 if self._settings.steps is None else step / self._settings.steps
        if self._settings.minutes is not None:
            share = max(share, self.seconds / (60 * self._settings.minutes))
        return share

    def left(self, step: int, per_step: float) -> float:
        """Return the seconds left, at `per_step` seconds per step."""
        left = math.inf if self._settings.steps is None else (self._settings.steps - step) * per_step
        if self._settings.minutes is not None:
            left = min(left, 60 * self._settings.minutes - self.seconds)
        return max(0.0, left)
