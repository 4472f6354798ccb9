"""TensorBoard output of a training: scalars at each validation, and a held-out patch before and after coding."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf


class Dashboard:
    """Event files for TensorBoard.

    Parameters
    ----------
    folder
        Folder to write to; None: write nothing.
    """

    def __init__(self, folder: str | Path | None) -> None:
        self._writer = None if folder is None else tf.summary.create_file_writer(str(folder))

    def scalars(self, step: int, row: Mapping[str, float]) -> None:
        """Write the numbers of a log line."""
        if self._writer is None:
            return
        with self._writer.as_default(step=step):
            for name, value in row.items():
                if name != "step":
                    tf.summary.scalar(name.replace("_", "/", 1), value)
        self._writer.flush()

    def images(self, step: int, original: np.ndarray, decoded: np.ndarray) -> None:
        """Write original, reconstruction and ten times the error of a patch's middle band, side by side.

        Parameters
        ----------
        step
            Number of training steps before this validation.
        original, decoded
            Normalised, shape (lines, samples, bands).
        """
        if self._writer is None:
            return
        band = original.shape[2] // 2
        a, b = original[..., band], decoded[..., band]
        low, high = np.percentile(a, (2, 98))
        stretch = 1 / max(high - low, 1e-6)
        panels = [(a - low) * stretch, (b - low) * stretch, 0.5 + 10 * (b - a) * stretch]
        image = np.clip(np.concatenate(panels, axis=1), 0, 1)[None, :, :, None]
        with self._writer.as_default(step=step):
            tf.summary.image("held-out patch, decoded, error × 10", image)
        self._writer.flush()
