"""Settings of a training, and the learning rate of each step. No TensorFlow here."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from bandpress.errors import ModelError
from bandpress.training.budget import cosine

#: Arithmetic of training steps.
PRECISIONS = ("float32", "mixed")


@dataclass(frozen=True)
class Settings:
    """Settings of a training: everything but the scenes and the network's widths.

    Parameters
    ----------
    lambdas
        Weights of the mean squared error, in DN², against bits per pixel (all k bands); one number, or for a family
        several, lowest first.
    steps
        Steps of the schedule; None: as many as the minutes allow.
    minutes
        Wall-clock budget; the schedule is shortened to fit. None: no limit.
    patch
        Lines and samples of a patch, a multiple of 16.
    batch
        Patches per step.
    seed
        Seed of data order, noise and random weights.
    learning_rate
        Highest learning rate of Adam, for the transforms.
    coding_rate
        Learning rate of the hyper networks and the prior, as a multiple of `learning_rate`.
    coding_first
        Share of the schedule, at its beginning, that trains only the hyper networks and the prior, in a third of the
        time per step.
    warm_up
        Share of the schedule (of each of its two parts) in which the learning rate rises.
    final
        Learning rate at the end, as a share of the highest.
    clip
        Largest global norm of the gradient; 0 for no limit.
    averaging
        Steps over which weights are averaged (exponentially); 0 for no averaging.
    start
        ``"block"`` or ``"overlap"`` (see `bandpress.hyperprior.training.warm_start.FILTERS`), or ``"random"``, the
        paper's.
    patience
        Validations without a better loss after which training stops; 0 for never.
    validations
        Number of validations, each with a checkpoint, spread over the training.
    precision
        One of `PRECISIONS`: ``"float32"``, or ``"mixed"``, whose gradients are bfloat16.
    only
        Fixed lambda of every patch, instead of a random one: patches then differ only in range, like components.
    sharpen
        Largest share of fine detail added to patches, see `bandpress.hyperprior.training.patches.Patches`.
    spread
        Share of the patches whose bands are not adjacent, see there.
    """

    lambdas: tuple[float, ...]
    steps: int | None = 4000
    minutes: float | None = None
    patch: int = 96
    batch: int = 8
    seed: int = 1
    learning_rate: float = 5e-4
    coding_rate: float = 10.0
    coding_first: float = 0.0
    warm_up: float = 0.05
    final: float = 0.01
    clip: float = 1.0
    averaging: int = 100
    start: str = "block"
    patience: int = 0
    validations: int = 20
    precision: str = "float32"
    only: float | None = None
    sharpen: float = 0.0
    spread: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "lambdas", tuple(float(value) for value in self.lambdas))
        positive = all(math.isfinite(value) and value > 0 for value in self.lambdas)
        rising = all(a < b for a, b in zip(self.lambdas[:-1], self.lambdas[1:], strict=True))
        if not self.lambdas or not positive or not rising:
            raise ModelError(f"lambdas are {list(self.lambdas)}; expected positive numbers, lowest first")
        if self.patch < 16 or self.patch % 16:
            raise ModelError(f"patch is {self.patch}; expected a multiple of 16")
        for key in ("steps", "batch", "validations"):
            value = getattr(self, key)
            if value is not None and value < 1:
                raise ModelError(f"{key} is {value}; expected 1 or more")
        if self.steps is None and self.minutes is None:
            raise ModelError("neither steps nor minutes were given; expected one of them to end the training")
        if self.precision not in PRECISIONS:
            raise ModelError(f"precision is {self.precision!r}; expected one of {', '.join(PRECISIONS)}")
        if not 0 <= self.coding_first < 1:
            raise ModelError(f"coding_first is {self.coding_first}; expected a share, 0 or more and below 1")
        if not self.learning_rate > 0:
            raise ModelError(f"learning_rate is {self.learning_rate}; expected a positive number")

    @property
    def measured(self) -> tuple[float, ...]:
        """The lambdas at which to validate."""
        return self.lambdas if self.only is None else (self.only,)

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON."""
        return asdict(self) | {"lambdas": list(self.lambdas)}


def learning_rate(settings: Settings, done: float) -> float:
    """Return the learning rate when a share `done` of the training is done.

    It rises linearly, then falls along half a cosine (Loshchilov and Hutter, SGDR, ICLR 2017); once in the
    `coding_first` part, if any, and once in the rest.
    """
    first = settings.coding_first
    done = done / first if done < first else (done - first) / (1 - first)
    return settings.learning_rate * cosine(done, settings.warm_up, settings.final)
