"""Settings of context-model training. No TensorFlow here."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from bandpress.errors import ModelError


@dataclass(frozen=True)
class Settings:
    """Settings of a training: everything but the scenes.

    Parameters
    ----------
    steps
        Steps of the schedule; None: as many as the minutes allow.
    minutes
        Wall-clock budget; the schedule is shortened to fit. None: no limit.
    hidden
        Units of each of the two hidden layers.
    tables
        Tables of frequencies, at most 256.
    rows
        Coefficients per step.
    seed
        Seed of all random draws.
    learning_rate
        Highest learning rate of Adam.
    warm_up
        Share of the schedule in which the learning rate rises.
    final
        Learning rate at the end, as a share of the highest.
    clip
        Largest global norm of the gradient; 0 for no limit.
    refreshed
        Points of the schedule, as ascending shares, from which coefficients are quantised with the model trained so
        far; before the first, they are rounded with a dead zone.
    validations
        Number of validations, spread over the training.
    """

    steps: int | None = 2000
    minutes: float | None = None
    hidden: int = 40
    tables: int = 48
    rows: int = 120_000
    seed: int = 1
    learning_rate: float = 3e-3
    warm_up: float = 0.03
    final: float = 0.007
    clip: float = 1.0
    refreshed: tuple[float, ...] = (0.5, 0.75)
    validations: int = 20

    def __post_init__(self) -> None:
        object.__setattr__(self, "refreshed", tuple(float(share) for share in self.refreshed))
        if self.steps is None and self.minutes is None:
            raise ModelError("neither steps nor minutes were given; expected one of them to end the training")
        for key in ("steps", "hidden", "rows", "validations"):
            value = getattr(self, key)
            if value is not None and value < 1:
                raise ModelError(f"{key} is {value}; expected 1 or more")
        if self.minutes is not None and not (math.isfinite(self.minutes) and self.minutes > 0):
            raise ModelError(f"minutes are {self.minutes}; expected a positive number")
        if not 2 <= self.tables <= 256:
            raise ModelError(f"tables is {self.tables}; expected 2 to 256")
        if self.seed < 0:
            raise ModelError(f"seed is {self.seed}; expected 0 or more")
        if not self.learning_rate > 0:
            raise ModelError(f"learning_rate is {self.learning_rate}; expected a positive number")
        if list(self.refreshed) != sorted(self.refreshed) or not all(0 < x < 1 for x in self.refreshed):
            raise ModelError(
                f"refreshed is {list(self.refreshed)}; expected shares between 0 and 1, in ascending order"
            )

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON."""
        return asdict(self) | {"refreshed": list(self.refreshed)}
