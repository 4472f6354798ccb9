"""Models on disk: a folder of a card, weights and integer tables. Reading one runs no code from it. No TensorFlow here.

::

    model.json          the card: architecture, how it was trained, SHA-256 of the two other files
    weights.safetensors float32 or float16, by the names of `Architecture.shapes`
    tables.safetensors  what both ends of a stream must have identical, integers, see `bandpress.hyperprior.tables`

The digest of a model is the SHA-256 of ``model.json``, which holds those of the other files: it is written into every
stream, and covers every byte.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from bandpress.errors import ModelError
from bandpress.files import atomic_path
from bandpress.hyperprior.architecture import Architecture

CARD = "model.json"
WEIGHTS = "weights.safetensors"
TABLES = "tables.safetensors"
FORMAT = "bandpress-model"
VERSION = 1

_MOST_CARD_BYTES = 1 << 20


@dataclass(frozen=True, eq=False)
class StoredModel:
    """A model as it is kept.

    Parameters
    ----------
    architecture
        Widths of the network.
    weights
        float32 arrays by name.
    tables
        Integer arrays by name.
    card
        What is known about its training: lambda, sensor, training set and its hash, steps, seed, versions.
    digest
        SHA-256 in hexadecimal; empty for a model that was not saved yet.
    path
        The folder; None likewise.
    """

    architecture: Architecture
    weights: Mapping[str, np.ndarray]
    tables: Mapping[str, np.ndarray]
    card: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""
    path: Path | None = None


def save(path: str | Path, model: StoredModel, *, half: bool = False) -> StoredModel:
    """Write a model folder, whole or not at all; a folder that exists is not replaced.

    Parameters
    ----------
    path
        Folder to make.
    model
        What to write.
    half
        Keep the weights in float16: half the size. The tables, and so the latents, are not touched.

    Returns
    -------
    StoredModel
        The model as it now reads, with digest and path.

    Raises
    ------
    ModelError
        If the folder exists, or the weights do not fit the architecture.
    """
    path = Path(path)
    if path.exists():
        raise ModelError(f"{path}: exists already; expected a new folder to write the model to")
    model.architecture.check(dict(model.weights))
    dtype = np.float16 if half else np.float32
    weights = {name: np.ascontiguousarray(value, dtype) for name, value in model.weights.items()}
    if not all(np.isfinite(value).all() for value in weights.values()):
        raise ModelError(f"{path}: a weight is beyond the range of float16; expected to write it in float32")
    write_folder(
        path,
        {"format": FORMAT, "architecture": model.architecture.to_json(), "training": dict(model.card)},
        {WEIGHTS: weights, TABLES: model.tables},
    )
    return load(path)


def write_folder(path: Path, card: Mapping[str, Any], files: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """Write a model folder, whole or not at all: files of arrays, and a card that holds their SHA-256."""
    with atomic_path(path) as part:
        part.mkdir()
        for name, arrays in files.items():
            save_file({key: np.ascontiguousarray(value) for key, value in arrays.items()}, part / name)
        hashes = {name: _sha256(part / name) for name in files}
        text = json.dumps({**card, "version": VERSION, "files": hashes}, indent=2, sort_keys=True)
        (part / CARD).write_text(text + "\n", encoding="utf-8")


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
    folder = read_folder(path, FORMAT, (WEIGHTS, TABLES))
    card, arrays = folder.card, folder.arrays
    try:
        architecture = Architecture.from_json(card.get("architecture"))
        weights = {name: value.astype(np.float32) for name, value in arrays[WEIGHTS].items()}
        architecture.check(weights)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    training = card.get("training")
    return StoredModel(
        architecture=architecture,
        weights=weights,
        tables=arrays[TABLES],
        card=training if isinstance(training, dict) else {},
        digest=folder.digest,
        path=path,
    )


class Folder(NamedTuple):
    """A model folder as it was read and checked: card, arrays of each file, SHA-256 of the card."""

    card: Mapping[str, Any]
    arrays: Mapping[str, Mapping[str, np.ndarray]]
    digest: str


def read_folder(path: Path, format_: str, files: Sequence[str]) -> Folder:
    """Read a model folder of some format and check every byte of it; raises as `load` does."""
    text, card = _card(path)
    if card.get("format") != format_ or card.get("version") != VERSION:
        raise ModelError(
            f"{path / CARD}: format {card.get('format')!r}, version {card.get('version')!r}; "
            f"expected {format_!r}, version {VERSION}"
        )
    arrays = {name: _arrays(path / name, card.get("files")) for name in files}
    return Folder(card, arrays, hashlib.sha256(text).hexdigest())


def format_of(path: str | Path) -> str:
    """Return the format that a model's card names."""
    return str(_card(Path(path))[1].get("format"))


def copy(model: StoredModel, path: str | Path) -> StoredModel:
    """Copy a model that was read, file by file; a folder that exists is not replaced.

    Raises
    ------
    ModelError
        If the folder exists.
    """
    assert model.path is not None, "only a model that was read is copied"
    copy_folder(model.path, Path(path), (WEIGHTS, TABLES))
    return load(path)


def copy_folder(source: Path, path: Path, files: Sequence[str]) -> None:
    """Copy a card and some files to a new folder, whole or not at all; raises as `copy` does."""
    if path.exists():
        raise ModelError(f"{path}: exists already; expected a new folder to write the model to")
    with atomic_path(path) as part:
        part.mkdir()
        for name in (CARD, *files):
            shutil.copyfile(source / name, part / name)


def digest(path: str | Path) -> str:
    """Return a model's digest, SHA-256 in hexadecimal, without reading its arrays."""
    return hashlib.sha256(_card(Path(path))[0]).hexdigest()


def is_model(path: str | Path) -> bool:
    """Tell whether a path is a model folder."""
    return (Path(path) / CARD).is_file()


def _card(path: Path) -> tuple[bytes, dict[str, Any]]:
    file = path / CARD
    if not file.is_file():
        raise ModelError(f"{path}: not a model; expected a folder with {CARD}, {WEIGHTS} and {TABLES}")
    if file.stat().st_size > _MOST_CARD_BYTES:
        raise ModelError(
            f"{file}: {file.stat().st_size} bytes; expected a card of at most {_MOST_CARD_BYTES}"
        )
    text = file.read_bytes()
    try:
        card = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{file}: cannot be read as JSON ({error}); expected a model's card") from None
    if not isinstance(card, dict):
        raise ModelError(f"{file}: holds a {type(card).__name__}; expected a model's card, a JSON object")
    return text, card


def _arrays(file: Path, hashes: Any) -> dict[str, np.ndarray]:
    expected = hashes.get(file.name) if isinstance(hashes, dict) else None
    if not file.is_file():
        raise ModelError(f"{file}: missing; expected the file with SHA-256 {expected}")
    found = _sha256(file)
    if found != expected:
        raise ModelError(f"{file}: SHA-256 is {found}; expected {expected}, from {CARD}")
    try:
        return load_file(file)
    except (SafetensorError, KeyError, ValueError) as error:
        raise ModelError(f"{file}: cannot be read ({error}); expected a safetensors file") from None


def _sha256(file: Path) -> str:
    with open(file, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
