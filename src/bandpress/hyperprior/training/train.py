"""Training of a network: from scenes to a model folder."""

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
from bandpress.errors import ModelError
from bandpress.hyperprior import store
from bandpress.hyperprior.architecture import Architecture
from bandpress.hyperprior.training import warm_start
from bandpress.hyperprior.training.dashboard import Dashboard
from bandpress.hyperprior.training.finalise import finalise
from bandpress.hyperprior.training.patches import Batch, Components, Patches
from bandpress.hyperprior.training.schedule import Settings, learning_rate
from bandpress.hyperprior.training.trainer import Trainer
from bandpress.machine import processors
from bandpress.psnr import psnr
from bandpress.scene import Scene
from bandpress.training.budget import Budget, Progress
from bandpress.training.checkpoints import Checkpoints
from bandpress.training.fingerprints import sets
from bandpress.training.scenes import MULTIPLE, with_validation
from bandpress.training.threads import limit_threads

_SURVEY = 384  # patches for the warm start
_VALIDATION = 48  # patches of a validation
_CALIBRATION = 16  # patches for the calibration of the tables


Report = Callable[[Progress], object]


def train(
    out: str | Path,
    scenes: Sequence[Scene],
    architecture: Architecture,
    settings: Settings,
    *,
    validation: Sequence[Scene] = (),
    components: tuple[Sequence[Components], Sequence[Components]] | None = None,
    init_from: str | Path | None = None,
    resume: bool = False,
    restart: bool = False,
    threads: int | None = None,
    tensorboard: str | Path | None = None,
    card: Mapping[str, Any] | None = None,
    report: Report = lambda progress: None,
    say: Callable[[str], object] = lambda line: None,
) -> store.StoredModel:
    """Train a model.

    Equal scenes, settings and threads give equal models, bit for bit. During training, the folder ``OUT.training``
    holds the state, see `bandpress.training.checkpoints`; the settings and the log stay there.

    Parameters
    ----------
    out
        Folder of the model to make.
    scenes
        Scenes to train on.
    architecture
        The network's widths; `Architecture.qualities` is the number of lambdas.
    settings
        Settings of the training.
    validation
        Scenes for choosing the best weights. Default: the last eighth of the lines of each scene, which is then held
        out.
    components
        KLT components of the training scenes and of the validation scenes, used instead of the scenes, see
        `bandpress.hyperprior.training.components`.
    init_from
        Folder of a model of the same architecture to start from, instead of a warm start.
    resume
        Continue from the state in ``OUT.training``, if there is one.
    restart
        Discard that state.
    threads
        Threads of TensorFlow; default: one per processor.
    tensorboard
        Folder for TensorBoard's event files. Default: none.
    card
        Further entries of the model's card, such as ``sensor``.
    report
        Called after each step.
    say
        Called with occasional messages.

    Returns
    -------
    StoredModel
        The finished model, as read back.

    Raises
    ------
    SceneError
        If a scene cannot be trained on.
    ModelError
        If `out` exists, a setting is out of range, or training diverges; its state up to the last checkpoint stays.
    """
    out = Path(out)
    model_folders.refuse_existing(out)
    if architecture.qualities != len(settings.lambdas):
        raise ModelError(
            f"{len(settings.lambdas)} lambdas for {architecture.qualities} qualities; expected one each"
        )
    scenes, validation = with_validation(scenes, validation)
    k, seed = architecture.bands_per_cluster, settings.seed
    side = min(min(scene.lines, scene.samples) for scene in validation) // MULTIPLE * MULTIPLE
    side = max(MULTIPLE, min(settings.patch, side))
    if components is None:
        patches = Patches(
            scenes, k, settings.patch, settings.batch, seed, sharpen=settings.sharpen, spread=settings.spread
        )
        held_out = Patches(validation, k, side, 1, 0)
    else:
        patches = Patches((), k, settings.patch, settings.batch, seed, components[0])
        held_out = Patches((), k, side, 1, 0, components[1])
    facts = dict(card or {}) | {
        "lambda": list(settings.lambdas) if architecture.qualities > 1 else settings.lambdas[0],
        "settings": settings.to_json(),
        **sets(scenes, validation),
        "versions": {"numpy": np.__version__, "tensorflow": tf.__version__},
    }
    limit_threads(threads or processors())
    if init_from is None:
        weights, reference = _start(architecture, settings, patches, say)
    else:
        weights, reference = _from_model(init_from, architecture, settings, facts)
    facts["reference_range"] = reference
    asked = facts | {"architecture": architecture.to_json()}
    kept = Checkpoints(Path(f"{out}.training"), asked, resume, restart)
    trainer = Trainer(architecture, settings, weights, reference)
    run = _Run(trainer, settings, held_out.fixed(_VALIDATION), kept, Dashboard(tensorboard))
    if kept.finished is None:
        run.resume()
        with closing(patches.batches(run.step)) as batches:
            run.until_done(batches, report, say)
    else:
        run.step = kept.finished
    best = run.best()
    facts |= {"steps": run.step, "validation": run.measured(best)}
    try:
        made = finalise(out, best, architecture, facts, held_out.fixed(_CALIBRATION).x)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"{out}: the trained model could not be written ({error}); expected disk space: {kept.folder} keeps the "
            "training, and resume finishes it"
        ) from None
    kept.finish(run.step)
    return made


class _Run:
    """A training under way."""

    def __init__(
        self, trainer: Trainer, settings: Settings, held_out: Batch, kept: Checkpoints, board: Dashboard
    ) -> None:
        self.trainer, self.settings, self.held_out = trainer, settings, held_out
        self.kept, self.board = kept, board
        self.step, self.best_loss, self.since_best, self.spent = 0, math.inf, 0, 0.0
        self.checked = -1

    def resume(self) -> None:
        """Resume from the last checkpoint, if there is one."""
        state = self.kept.load("last")
        if state is not None:
            self.step, self.checked, self.since_best = (
                int(state.pop(f"run/{k}")) for k in ("step", "checked", "since")
            )
            self.best_loss, self.spent = (float(state.pop(f"run/{key}")) for key in ("best", "spent"))
            self.trainer.restore(state)
            self.kept.forget_after(self.step)

    def until_done(self, batches: Any, report: Report, say: Callable[[str], object]) -> None:
        """Train until the schedule, the budget or the patience ends."""
        settings, trainer = self.settings, self.trainer
        budget = Budget(settings, time.monotonic, self.spent)
        started, first = time.monotonic(), self.step
        recent, lately = np.zeros(4), np.zeros(3)
        while True:
            done = min(1.0, budget.done(self.step))
            if int(done * settings.validations) > self.checked:
                self.checked = int(done * settings.validations)
                self._check(done, budget, recent, say)
                recent = np.zeros(4)
            if done >= 1 or (settings.patience and self.since_best >= settings.patience):
                return
            batch = next(batches)
            decay = min(1 - 1 / max(1, settings.averaging), (1 + self.step) / (10 + self.step))
            coding_only = done < settings.coding_first
            rate = learning_rate(settings, done)
            sums = trainer.step(self.step, batch, rate, decay if settings.averaging else 0.0, coding_only)
            values = np.array([float(sums.bits), float(sums.squared_error), float(sums.loss)])
            if not np.isfinite(values if not coding_only else values[::2]).all():
                raise ModelError(
                    f"{self.kept.folder}: the loss became {values[2]} at step {self.step}; expected a number: try a "
                    "lower learning rate (the last good state is kept; resume continues from it)"
                )
            self.step += 1
            recent += [*values, 1]
            values[:2] /= batch.x.size
            fresh = np.isnan(lately) | (self.step - first == 1)
            lately = np.where(fresh, values, lately + (values - lately) * max(0.02, 1 / (self.step - first)))
            left = budget.left(self.step, (time.monotonic() - started) / (self.step - first))
            report(Progress(self.step, done, lately[0], psnr(lately[1]), left))

    def best(self) -> dict[str, np.ndarray]:
        """Return the weights with the best validation loss."""
        found = self.kept.load("best")
        assert found is not None, "every training begins with a validation"
        return found

    def measured(self, weights: Mapping[str, np.ndarray]) -> list[dict[str, float]]:
        """Return the validation results of a set of weights at each lambda."""
        self.trainer.network.assign(weights)
        return [
            {"lambda": lambda_, "bps": bps, "mse": mse, "psnr": psnr(mse)}
            for lambda_, (bps, mse, _) in self._validated().items()
        ]

    def _validated(self) -> dict[float, tuple[float, float, float]]:
        return {lambda_: self.trainer.validate(self.held_out, lambda_) for lambda_ in self.settings.measured}

    def _check(self, done: float, budget: Budget, recent: np.ndarray, say: Callable[[str], object]) -> None:
        """Validate the averaged weights, keep them if they are the best so far, write a checkpoint and the log."""
        with self.trainer.averaged():
            results = list(self._validated().values())
            # For a family, the mean of the logarithms, so that every quality has the same weight.
            loss = float(np.exp(np.mean([np.log(result[2]) for result in results])))
            first = Batch(*(part[:1] for part in self.held_out))
            middle = self.settings.measured[len(results) // 2]
            self.board.images(self.step, first.x[0], self.trainer.decoded(first, middle)[0])
            self.since_best += 1
            if loss < self.best_loss:
                self.best_loss, self.since_best = loss, 0
                self.kept.save("best", self.trainer.network.weights())
        run: dict[str, float] = {"step": self.step, "checked": self.checked, "since": self.since_best}
        run |= {"best": self.best_loss, "spent": budget.seconds}
        self.kept.save(
            "last", self.trainer.state() | {f"run/{key}": np.array(value) for key, value in run.items()}
        )
        bps, mse, _ = results[len(results) // 2]
        row = {
            "step": self.step,
            "seconds": budget.seconds,
            "learning_rate": learning_rate(self.settings, done),
            "validation_bps": bps,
            "validation_mse": mse,
            "validation_psnr": psnr(mse),
            "validation_loss": loss,
        }
        if recent[3]:
            samples = recent[3] * self.settings.batch * self.settings.patch**2
            samples *= self.trainer.network.architecture.bands_per_cluster
            row |= {"train_bps": recent[0] / samples, "train_loss": recent[2] / recent[3]}
            if done >= self.settings.coding_first and not math.isnan(recent[1]):
                row |= {"train_mse": recent[1] / samples, "train_psnr": psnr(recent[1] / samples)}
        self.kept.note(row)
        self.board.scalars(self.step, row)
        say(
            f"step {self.step}: validation at {bps:.4f} bps, {row['validation_psnr']:.2f} dB, loss {loss:.4g}"
        )


def _start(
    architecture: Architecture, settings: Settings, patches: Patches, say: Callable[[str], object]
) -> tuple[dict[str, np.ndarray], float]:
    """Return initial weights, and the range that the lambdas of a family refer to."""
    filters = "block" if settings.start == "random" else settings.start
    made = warm_start.fit(patches.fixed(_SURVEY), (*architecture.widths, architecture.latent), filters)
    say(
        f"{architecture.filters} channels can reach {psnr(made.floor):.1f} dB on "
        f"the training patches, at {architecture.macs_per_sample()['encoder']:.0f} multiplications per sample"
    )
    if settings.start == "random":
        return architecture.random_weights(settings.seed), made.scale
    gamma = warm_start.FLAT if settings.only is not None else warm_start.GAMMA
    return warm_start.weights(made, architecture, settings.lambdas, settings.seed, gamma), made.scale


def _from_model(
    path: str | Path, architecture: Architecture, settings: Settings, facts: dict[str, Any]
) -> tuple[dict[str, np.ndarray], float]:
    """Return the weights of a trained model, adapted to another lambda if one is given."""
    model = store.load(path)
    if model.architecture != architecture:
        raise ModelError(
            f"{path}: a model of {model.architecture.to_json()}; expected {architecture.to_json()} to start from it"
        )
    facts["init_from"] = model.digest
    before = np.atleast_1d(model.card.get("lambda", settings.lambdas))
    reference = float(model.card.get("reference_range", 4096.0))
    weights = {name: np.array(value) for name, value in model.weights.items()}
    if architecture.qualities == 1:
        factor = math.sqrt(settings.lambdas[0] / float(before[0]))
        warm_start.rescale(weights, architecture, factor)
    elif not np.allclose(before, settings.lambdas):
        raise ModelError(
            f"{path}: a family for lambdas {list(before)}; found {list(settings.lambdas)}, expected the same"
        )
    return weights, reference
