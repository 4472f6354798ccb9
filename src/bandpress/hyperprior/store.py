"""Storage of networks and families in model folders, see `bandpress.model_folders`. No TensorFlow here.

::

    model.json          the card: architecture, facts about the training, SHA-256 of the other two files
    weights.safetensors float32 or float16, by the names of `Architecture.shapes`
    tables.safetensors  integers that both ends of a stream need, see `bandpress.hyperprior.tables`

A family is a folder of model folders, one per operating point, or one model with gains.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bandpress import model_folders
from bandpress.errors import ModelError
from bandpress.hyperprior.architecture import Architecture
from bandpress.hyperprior.checks import check_card, check_tables, check_weights

WEIGHTS = "weights.safetensors"
FORMAT = "bandpress-model"


@dataclass(frozen=True, eq=False)
class StoredModel:
    """A stored model.

    Parameters
    ----------
    architecture
        Widths of the network.
    weights
        float32 arrays by name.
    tables
        Integer arrays by name.
    card
        Facts about its training: lambda, sensor, training set and its hash, steps, seed, versions.
    digest
        SHA-256 in hexadecimal; empty for an unsaved model.
    path
        Its folder; None for an unsaved model.
    """

    architecture: Architecture
    weights: Mapping[str, np.ndarray]
    tables: Mapping[str, np.ndarray]
    card: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""
    path: Path | None = None


def save(path: str | Path, model: StoredModel, *, half: bool = False) -> StoredModel:
    """Write a model folder atomically; never replace an existing one.

    Parameters
    ----------
    path
        Folder to make.
    model
        The model.
    half
        Store the weights in float16, half the size. The tables, and so the latents, do not change.

    Returns
    -------
    StoredModel
        The model as read back, with digest and path.

    Raises
    ------
    ModelError
        If the folder exists, or the weights do not fit the architecture.
    """
    path = Path(path)
    model.architecture.check(dict(model.weights))
    dtype = np.float16 if half else np.float32
    weights = {name: np.ascontiguousarray(value, dtype) for name, value in model.weights.items()}
    if not all(np.isfinite(value).all() for value in weights.values()):
        raise ModelError(f"{path}: a weight is beyond the range of float16; expected weights in float32")
    model_folders.write_folder(
        path,
        {"format": FORMAT, "architecture": model.architecture.to_json(), "training": dict(model.card)},
        {WEIGHTS: weights, model_folders.TABLES: model.tables},
    )
    return load(path)


def load(path: str | Path) -> StoredModel:
    """Read a model folder and check every byte of it.

    Parameters
    ----------
    path
        The folder.

    Raises
    ------
    ModelError
        If a file is missing, damaged, of another version, or does not fit the architecture.
    """
    path = Path(path)
    folder = model_folders.read_folder(path, FORMAT, (WEIGHTS, model_folders.TABLES))
    card, arrays = folder.card, folder.arrays
    found = card.get("training")
    training: dict[str, Any] = found if isinstance(found, dict) else {}
    try:
        architecture = Architecture.from_json(card.get("architecture"))
        weights = {name: value.astype(np.float32) for name, value in arrays[WEIGHTS].items()}
        architecture.check(weights)
        check_weights(weights)
        check_tables(arrays[model_folders.TABLES], architecture)
        check_card(training, architecture)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    return StoredModel(
        architecture=architecture,
        weights=weights,
        tables=arrays[model_folders.TABLES],
        card=training,
        digest=folder.digest,
        path=path,
    )


def copy(model: StoredModel, path: str | Path) -> StoredModel:
    """Copy a loaded model, file by file; never replace an existing folder.

    Raises
    ------
    ModelError
        If the folder exists.
    """
    assert model.path is not None, "only a model that was read is copied"
    model_folders.copy_folder(model.path, Path(path), (WEIGHTS, model_folders.TABLES))
    return load(path)


def members(path: str | Path) -> list[StoredModel]:
    """Load a model or the models of a family, lowest lambda first.

    Raises
    ------
    ModelError
        If one cannot be read, or their cluster sizes differ.
    """
    found = [load(folder) for folder in model_folders.within(model_folders.resolve(path))]
    sizes = {model.architecture.bands_per_cluster for model in found}
    if len(sizes) > 1:
        raise ModelError(
            f"{path}: models for clusters of {sorted(sizes)} bands; expected a family of one cluster size"
        )
    return sorted(found, key=lambda model: _lambda(model.card.get("lambda")))


def find(digest: str | None, given: str | Path | None = None) -> StoredModel:
    """Load the network with a digest; see `bandpress.model_folders.locate`."""
    return load(model_folders.locate(digest, given))


def _lambda(value: object) -> float:
    if isinstance(value, list) and value:
        value = value[0]
    return float(value) if isinstance(value, int | float) else 0.0
