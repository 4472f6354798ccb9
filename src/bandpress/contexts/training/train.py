"""Training of a context model, `bandpress.contexts.model`: from scenes to a model folder.

Tables and network, a few thousand numbers, are trained together in minutes on one core. From some points of the
schedule on, coefficients are quantised as in the encoder, with the model trained until then. This lowers the loss, so
the best weights are chosen after the last such point.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from safetensors import SafetensorError

from bandpress import model_folders
from bandpress.contexts import store as context_store
from bandpress.contexts.integers import Measured
from bandpress.contexts.model import ContextModel
from bandpress.contexts.training.network import ContextNetwork
from bandpress.contexts.training.pool import HELD_OUT, Pool
from bandpress.contexts.training.rows import Rows, batches, measured, rows_at
from bandpress.contexts.training.settings import Settings
from bandpress.errors import ModelError
from bandpress.machine import processors
from bandpress.scene import Scene
from bandpress.training.budget import Budget, Progress, cosine
from bandpress.training.checkpoints import Checkpoints
from bandpress.training.fingerprints import sets
from bandpress.training.scenes import with_validation
from bandpress.training.threads import limit_threads

#: Draws of a validation, and coefficients of each.
_VALIDATION, _VALIDATION_ROWS = 24, 40_000
#: Approximate coefficients drawn per coefficient of a step, since features need whole clusters.
_DRAWN = 2
#: Share of the last steps over which the reported rate is averaged.
_LATELY = 0.05


def train(
    out: str | Path,
    scenes: Sequence[Scene],
    settings: Settings,
    *,
    validation: Sequence[Scene] = (),
    threads: int | None = None,
    card: Mapping[str, Any] | None = None,
    report: Callable[[Progress], object] = lambda progress: None,
    say: Callable[[str], object] = lambda line: None,
) -> ContextModel:
    """Train a context model.

    Equal scenes, settings and threads give equal models, bit for bit, if steps rather than minutes end the training.
    The folder ``OUT.training`` keeps the settings and the log.

    Parameters
    ----------
    out
        Folder of the model to make.
    scenes
        Scenes to train on.
    settings
        Settings of the training.
    validation
        Scenes for choosing the best weights. Default: the last eighth of the lines of each scene, which is then held
        out.
    threads
        Threads of TensorFlow and of the preparation of batches; default: one per processor.
    card
        Further entries of the model's card, such as ``sensor``.
    report
        Called after each step; the rate is in bits per coefficient.
    say
        Called with occasional messages.

    Returns
    -------
    ContextModel
        The model, as read back.

    Raises
    ------
    SceneError
        If a scene cannot be trained on.
    ModelError
        If `out` exists, or training diverges.
    """
    out = Path(out)
    model_folders.refuse_existing(out)
    scenes, validation = with_validation(scenes, validation)
    pool = Pool(scenes, settings.seed, _DRAWN * settings.rows)
    survey, held_out = Pool(scenes, settings.seed, settings.rows), Pool(validation, 0, settings.rows)
    facts = dict(card or {}) | {
        "settings": settings.to_json(),
        **sets(scenes, validation),
        "versions": {"numpy": np.__version__, "tensorflow": tf.__version__},
    }
    threads = threads or processors()
    limit_threads(threads)
    kept = Checkpoints(Path(f"{out}.training"), facts, resume=False, restart=True)
    run = _Run(settings, (pool, survey, held_out), kept, threads)
    facts["validation"] = {"bits": run.until_done(report, say)}
    facts["steps"] = run.step
    try:
        made = context_store.save(out, run.model(facts))
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"{out}: the trained model could not be written ({error}); expected disk space"
        ) from None
    kept.finish(run.step)
    return made


class _Run:
    """A training under way."""

    def __init__(
        self, settings: Settings, pools: tuple[Pool, Pool, Pool], kept: Checkpoints, threads: int
    ) -> None:
        self.settings = settings
        self.pool, self.survey, self.held_out = pools
        self.kept, self.threads = kept, threads
        self.network = ContextNetwork(settings)
        self.quantiser: ContextModel | None = None
        self.step, self.checked, self.best = 0, -1, (math.inf, self.network.weights())

    def until_done(self, report: Callable[[Progress], object], say: Callable[[str], object]) -> float:
        """Train until the schedule or the budget ends; return bits per coefficient of the best weights."""
        budget = Budget(self.settings, time.monotonic)
        for end in (*self.settings.refreshed, 1.0):
            if self.step:
                self.quantiser = self.model()
            self._part(end, budget, report, say)
        bits, weights = self.best
        self.network.assign(weights)
        return bits

    def model(self, card: Mapping[str, Any] | None = None) -> ContextModel:
        """Return the model learned so far, in integers."""
        rough = self.network.model(Measured.nothing(self.settings.tables))
        return self.network.model(measured(self.survey, rough, self.quantiser), card)

    def _part(
        self, end: float, budget: Budget, report: Callable[[Progress], object], say: Callable[[str], object]
    ) -> None:
        """Take steps with one quantiser, up to a share of the schedule."""
        most = self.settings.rows
        fixed = [
            rows_at(self.held_out, HELD_OUT, number, min(most, _VALIDATION_ROWS), self.quantiser)
            for number in range(_VALIDATION)
        ]
        self.best = (math.inf, self.network.weights())
        recent: list[float] = []
        lately, started, first = math.nan, time.monotonic(), self.step
        with closing(batches(self.pool, self.step, most, self.quantiser, self.threads)) as ready:
            while True:
                done = min(1.0, budget.done(self.step))
                due = int(done * self.settings.validations) > self.checked
                if due or done >= end:
                    self.checked = int(done * self.settings.validations)
                    self._check(fixed, done, budget, recent, say)
                    recent = []
                if done >= end and self.step:
                    return
                loss = self.network.step(next(ready), self._rate(done))
                if not math.isfinite(loss):
                    raise ModelError(
                        f"{self.kept.folder}: the loss became {loss} at step {self.step}; expected a number: try a "
                        "lower learning rate"
                    )
                self.step += 1
                recent.append(loss)
                lately = loss if math.isnan(lately) else lately + _LATELY * (loss - lately)
                left = budget.left(self.step, (time.monotonic() - started) / (self.step - first))
                report(Progress(self.step, done, lately, math.nan, left))

    def _rate(self, done: float) -> float:
        return self.settings.learning_rate * cosine(done, self.settings.warm_up, self.settings.final)

    def _check(
        self,
        fixed: Sequence[Rows],
        done: float,
        budget: Budget,
        recent: Sequence[float],
        say: Callable[[str], object],
    ) -> None:
        """Validate, keep the weights if they are the best of this part, write a line of the log."""
        bits = sum(map(self.network.bits, fixed)) / sum(len(rows.classes) for rows in fixed)
        if not math.isfinite(bits):
            raise ModelError(
                f"{self.kept.folder}: the loss became {bits} at step {self.step}; expected a number"
            )
        if bits < self.best[0]:
            self.best = (bits, self.network.weights())
        row = {
            "step": self.step,
            "seconds": budget.seconds,
            "learning_rate": self._rate(done),
            "validation_loss": bits,
        }
        if recent:
            row["train_loss"] = float(np.mean(recent))
        self.kept.note(row)
        say(f"step {self.step}: validation at {bits:.4f} bits per coefficient")
