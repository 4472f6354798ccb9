"""Facts about a study's networks, from their cards: widths, parameters, size on disk, cost per sample."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bandpress.contexts import store as context_store
from bandpress.errors import ModelError, StudyError
from bandpress.hyperprior.architecture import Architecture
from bandpress.study.figures.results import NothingToShow

#: Columns of models.csv that the figures need.
REQUIRED = (
    "family",
    "quality",
    "bands_per_cluster",
    "encoder_kmac_per_sample",
    "decoder_kmac_per_sample",
)


def describe_models(folders: Sequence[Path]) -> pd.DataFrame:
    """Return the facts on the cards of model folders named ``…/<family>/<quality>``.

    Parameters
    ----------
    folders
        Model folders.

    Returns
    -------
    pandas.DataFrame
        One row per model: family, quality, bands_per_cluster (none for contexts), hidden, latent, hyper, lambda, steps,
        parameters, bytes (of the folder's files), encoder_kmac_per_sample, decoder_kmac_per_sample
        (analytic, thousands of multiply-accumulates per sample of a large image).

    Raises
    ------
    ModelError
        If a folder has no card, or one that is not valid.
    NothingToShow
        If no folders are given.
    """
    if not folders:
        raise NothingToShow("The study has no networks.")
    frame = pd.DataFrame([_row(folder) for folder in folders])
    for column in ("bands_per_cluster", "latent", "hyper"):  # context models have none
        frame[column] = frame[column].astype("Int64")
    return frame.sort_values(["bands_per_cluster", "family", "quality"]).reset_index(drop=True)


def _row(folder: Path) -> dict[str, Any]:
    """Return the facts about one model."""
    card_file = folder / "model.json"
    try:
        card = json.loads(card_file.read_text("utf-8"))
        of_contexts = card.get("format") == context_store.FORMAT
        cost = _of_contexts(folder) if of_contexts else _of_network(card["architecture"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{card_file}: {error!r}; expected the card of a model") from None
    training = card.get("training") or {}
    return {
        "family": folder.parent.name,
        "quality": folder.name,
        **cost,
        "lambda": None if of_contexts else _written_out(training.get("lambda")),
        "steps": training.get("steps"),
        "bytes": sum(file.stat().st_size for file in folder.iterdir() if file.is_file()),
    }


def _of_network(described: Any) -> dict[str, Any]:
    architecture = Architecture.from_json(described)
    cost = architecture.macs_per_sample()
    return {
        "bands_per_cluster": architecture.bands_per_cluster,
        "hidden": architecture.filters.split("/")[0],
        "latent": architecture.latent,
        "hyper": architecture.hyper,
        "parameters": sum(math.prod(shape) for shape in architecture.shapes().values()),
        "encoder_kmac_per_sample": cost["encoder"] / 1000,
        "decoder_kmac_per_sample": cost["decoder"] / 1000,
    }


def _of_contexts(folder: Path) -> dict[str, Any]:
    model = context_store.load(folder)
    return {
        "bands_per_cluster": None,
        "hidden": str(len(model.biases[0])),
        "latent": None,
        "hyper": None,
        "parameters": sum(values.size for values in model.tables().values()),
        "encoder_kmac_per_sample": model.macs / 1000,
        "decoder_kmac_per_sample": model.macs / 1000,
    }


def _written_out(values: Any) -> str:
    """Return one lambda, or those of a network with several qualities, as text."""
    listed = values if isinstance(values, list) else [] if values is None else [values]
    return ", ".join(f"{value:g}" for value in listed) or "not known"


def read_models(path: Path) -> pd.DataFrame:
    """Read the CSV of `scripts/table_models.py`.

    Raises
    ------
    StudyError
        If it is missing or not valid.
    NothingToShow
        If the study has no networks.
    """
    if not path.is_file():
        raise StudyError(f"{path}: no such file; expected the table of models")
    frame = pd.read_csv(path)
    if list(frame.columns) == ["note"]:
        raise NothingToShow(str(frame["note"].iloc[0]))
    missing = [column for column in REQUIRED if column not in frame.columns]
    if missing:
        raise StudyError(f"{path}: column {missing[0]!r} is missing; expected the table of models")
    return frame
