"""Checkpoints of a training on disk, safe against `kill -9`. No TensorFlow here.

A training of model ``OUT`` keeps its state in the folder ``OUT.training``::

    settings.json   settings; a training is resumed only with the same settings
    last.npz        weights, averages, the optimizer's moments, step, seconds; written atomically
    best.npz        the weights with the best validation
    log.csv         one line per validation
    finished.json   number of steps; replaces last.npz after the last step

A finished training keeps its best weights: if a workflow is killed and Snakemake deletes its last model, a resumed
training writes the model again without a step.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bandpress.errors import ModelError
from bandpress.files import atomic_path

#: Columns of the log. Rates are in bits per sample, errors in DN².
COLUMNS = (
    "step",
    "seconds",
    "learning_rate",
    "train_bps",
    "train_mse",
    "train_psnr",
    "train_loss",
    "validation_bps",
    "validation_mse",
    "validation_psnr",
    "validation_loss",
)


class Checkpoints:
    """The folder of one training.

    Parameters
    ----------
    folder
        Folder, created if missing.
    settings
        Settings as JSON.
    resume
        Continue from the state in the folder, if any.
    restart
        Discard the state in the folder.

    Attributes
    ----------
    finished : int or None
        Steps of the training, if it is already finished.

    Raises
    ------
    ModelError
        If the training was started with other settings, or is unfinished and neither `resume` nor `restart` is given.
    """

    def __init__(
        self, folder: str | Path, settings: Mapping[str, Any], resume: bool, restart: bool = False
    ) -> None:
        self.folder = Path(folder)
        self._asked = json.loads(json.dumps(settings))
        self.finished: int | None = None
        unfinished = (self.folder / "last.npz").exists() and not restart
        if unfinished and not resume:
            raise ModelError(
                f"{self.folder}: holds a training that did not finish; expected --resume or --restart"
            )
        if unfinished:
            self._compare()
        elif resume and not restart and self._has_ended():
            self.finished = json.loads((self.folder / "finished.json").read_text(encoding="utf-8"))["steps"]
        else:
            if self.folder.exists():
                shutil.rmtree(self.folder)
            self.folder.mkdir(parents=True)
            with atomic_path(self.folder / "settings.json") as part:
                part.write_text(json.dumps(self._asked, indent=2) + "\n", encoding="utf-8")

    @property
    def log(self) -> Path:
        """The log."""
        return self.folder / "log.csv"

    def save(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Write a state atomically.

        Raises
        ------
        ModelError
            If the disk is full; the previous state stays.
        """
        path = self.folder / f"{name}.npz"
        state = io.BytesIO()  # on a full disk, np.savez raises other errors than OSError
        np.savez(state, **arrays)  # type: ignore[arg-type]
        try:
            with atomic_path(path) as part:
                part.write_bytes(state.getbuffer())
        except OSError as error:
            raise ModelError(
                f"{path}: {error.strerror} while writing {state.tell()} bytes; expected disk space (what was saved "
                "before is kept)"
            ) from None

    def load(self, name: str) -> dict[str, np.ndarray] | None:
        """Read a state; None if there is none.

        Raises
        ------
        ModelError
            If it is damaged.
        """
        path = self.folder / f"{name}.npz"
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as file:
                return dict(file)
        except (ValueError, OSError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ModelError(
                f"{path}: cannot be read ({error}); expected a checkpoint of this training"
            ) from None

    def note(self, row: Mapping[str, float]) -> None:
        """Append a line to the log."""
        new = not self.log.exists()
        with open(self.log, "a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            if new:
                writer.writeheader()
            writer.writerow({key: f"{row[key]:.6g}" if key in row else "" for key in COLUMNS})

    def forget_after(self, step: int) -> None:
        """Drop the lines of the log after a step; the resumed training writes them again."""
        if not self.log.exists():
            return
        with open(self.log, newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if float(row["step"] or "inf") <= step]
        with atomic_path(self.log) as part, open(part, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)

    def finish(self, steps: int) -> None:
        """Remove a training's checkpoints; keep the best weights, the settings and the log."""
        with atomic_path(self.folder / "finished.json") as part:
            part.write_text(json.dumps({"steps": steps}) + "\n", encoding="utf-8")
        (self.folder / "last.npz").unlink(missing_ok=True)

    def _has_ended(self) -> bool:
        """Say whether the folder holds a finished training with the same settings."""
        if not all((self.folder / name).exists() for name in ("finished.json", "best.npz", "settings.json")):
            return False
        try:
            self._compare()
        except ModelError:
            return False
        return True

    def _compare(self) -> None:
        path = self.folder / "settings.json"
        try:
            before = _named_as_now(json.loads(path.read_text(encoding="utf-8")))
        except ValueError as error:
            raise ModelError(
                f"{path}: cannot be read ({error}); expected the settings of a training"
            ) from None
        for key in sorted(before.keys() | self._asked.keys()):
            if before.get(key) != self._asked.get(key):
                raise ModelError(
                    f"{self.folder}: that training was started with {key} = {before.get(key)!r}; found "
                    f"{self._asked.get(key)!r} now, expected the same to resume it (or restart)"
                )


def _named_as_now(settings: dict[str, Any]) -> dict[str, Any]:
    """Return a training's settings, with the former boolean ``bfloat16`` read as ``precision``."""
    inner = dict(settings.get("settings") or {})
    if inner.pop("bfloat16", None) is False:
        inner["precision"] = "float32"
    return settings | {"settings": inner} if inner else settings
