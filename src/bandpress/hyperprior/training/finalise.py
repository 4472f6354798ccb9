"""Last step of a training: conversion of trained weights into a model folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bandpress.hyperprior.architecture import Architecture
from bandpress.hyperprior.store import StoredModel, save
from bandpress.hyperprior.tables import build_tables


def finalise(
    path: str | Path,
    weights: Mapping[str, np.ndarray],
    architecture: Architecture,
    card: Mapping[str, Any],
    calibration: np.ndarray | None = None,
    *,
    half: bool = False,
) -> StoredModel:
    """Quantise the exact layers, make the coding tables, and write a model folder.

    Parameters
    ----------
    path
        Folder to make.
    weights
        Arrays by name, see `Hyperprior.weights`.
    architecture
        Widths.
    card
        Facts about the training, as JSON: ``lambda`` (a number, or a list in ascending order for a family with
        gains), ``sensor``, ``steps``, ``seed``, ``training_set`` …
    calibration
        Typical clusters, normalised, shape (clusters, lines, samples, bands), float32, which set the ranges of the
        integer hyper-synthesis. Default: drawn from the prior of the hyper-latents, at some loss of precision.
    half
        Store the weights in float16.

    Returns
    -------
    StoredModel
        The model as read back.
    """
    rounded = {name: np.asarray(value, np.float32) for name, value in weights.items()}
    if half:
        rounded = {name: value.astype(np.float16).astype(np.float32) for name, value in rounded.items()}
    architecture.check(rounded)
    symbols = None if calibration is None else _symbols(architecture, rounded, calibration)
    tables = build_tables(architecture, rounded, symbols)
    return save(path, StoredModel(architecture, rounded, tables, card), half=half)


def _symbols(
    architecture: Architecture, weights: Mapping[str, np.ndarray], clusters: np.ndarray
) -> np.ndarray:
    from bandpress.hyperprior.model import Hyperprior

    network = Hyperprior(architecture, weights)
    found = []
    for quality in sorted({0.0, architecture.qualities - 1.0}):
        gained = np.full(len(clusters), quality, np.float32) if architecture.qualities > 1 else None
        z_hat = network(clusters, training=False, quality=gained).z_hat.numpy()
        found.append(np.round(z_hat - weights["prior/offset"]))
    return np.concatenate(found)
