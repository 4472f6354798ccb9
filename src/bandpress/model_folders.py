"""Model folders on disk: reading, writing, lookup. Loading a model runs no code from it.

A model is a folder: a card, ``model.json``, and files of arrays in the safetensors format, whose SHA-256 the card
holds. The digest of a model is the SHA-256 of its card: it is written into every stream, and covers every byte.
`bandpress.hyperprior.store` and `bandpress.contexts.store` describe the contents of their files.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from bandpress.errors import BitstreamError, ModelError
from bandpress.files import atomic_path

CARD = "model.json"
#: File of integers that both ends of a stream need, part of every model.
TABLES = "tables.safetensors"
VERSION = 1
#: Environment variable: further folders to search for named models, besides ``models`` in the working directory.
VARIABLE = "BANDPRESS_MODELS"

_MOST_CARD_BYTES = 1 << 20


def folders() -> list[Path]:
    """Return the folders that are searched for models by name or digest."""
    named = os.environ.get(VARIABLE, "")
    package = Path(__file__).resolve().parent
    beside = package.parents[1] / "models"
    named_ones = (Path(part) for part in named.split(os.pathsep) if part)
    places = [Path("models"), *named_ones, beside, package / "models"]
    return [place for place in places if place.is_dir()]


def resolve(model: str | Path) -> Path:
    """Return the folder of a model or of a family, from its path or its name.

    Raises
    ------
    ModelError
        If there is none.
    """
    for place in (Path(), *folders()):
        path = place / model
        if path.is_dir() and any(within(path)):
            return path
    searched = ", ".join(map(str, folders())) or f"no folder: neither models/ nor ${VARIABLE} is there"
    raise ModelError(f"{model}: no such model; expected a folder with {CARD}, or its name within {searched}")


def locate(digest: str | None, given: str | Path | None = None) -> Path:
    """Return the folder of the model of that digest.

    Parameters
    ----------
    digest
        SHA-256 in hexadecimal, from a stream; None if the stream names no model.
    given
        A model, or a folder of models, to search; default: all folders of models.

    Raises
    ------
    BitstreamError
        If the stream names no model.
    ModelError
        If it is not found.
    """
    if digest is None:
        raise BitstreamError("the header names no model; expected the digest of one")
    places = folders() if given is None else [resolve(given)]
    found = []
    for folder in (folder for place in places for folder in within(place, depth=2)):
        if digest_of(folder) == digest:
            return folder
        found.append(folder)
    if given is None:
        raise ModelError(
            f"the model with digest {digest} is not among the {len(found)} known; expected --model FOLDER"
        )
    others = ", ".join(digest_of(folder) for folder in found[:3])
    raise ModelError(
        f"{given}: the model's digest is {others}; expected {digest}, that of the model that coded the file"
    )


def within(path: Path, depth: int = 1) -> Iterator[Path]:
    """Yield the folder of a model, or of each model in a folder, searched down to `depth` levels."""
    if is_model(path):
        yield path
    elif depth and path.is_dir():
        for child in sorted(path.iterdir()):
            if child.is_dir() and not child.name.startswith("."):
                yield from within(child, depth - 1)


class Folder(NamedTuple):
    """A checked model folder: card, arrays of each file, SHA-256 of the card."""

    card: Mapping[str, Any]
    arrays: Mapping[str, Mapping[str, np.ndarray]]
    digest: str


def read_folder(path: Path, format_: str, files: Sequence[str]) -> Folder:
    """Read a model folder of some format and check every byte of it.

    Raises
    ------
    ModelError
        If a file is missing, damaged, or of another format or version.
    """
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


def write_folder(path: Path, card: Mapping[str, Any], files: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """Write a model folder atomically: files of arrays, and a card with their SHA-256.

    Raises
    ------
    ModelError
        If the folder exists.
    """
    refuse_existing(path)
    with atomic_path(path) as part:
        part.mkdir()
        for name, arrays in files.items():
            save_file({key: np.ascontiguousarray(value) for key, value in arrays.items()}, part / name)
        hashes = {name: _sha256(part / name) for name in files}
        text = json.dumps({**card, "version": VERSION, "files": hashes}, indent=2, sort_keys=True)
        (part / CARD).write_text(text + "\n", encoding="utf-8")


def copy_folder(source: Path, path: Path, files: Sequence[str]) -> None:
    """Copy a card and some files to a new folder, atomically.

    Raises
    ------
    ModelError
        If the folder exists.
    """
    refuse_existing(path)
    with atomic_path(path) as part:
        part.mkdir()
        for name in (CARD, *files):
            shutil.copyfile(source / name, part / name)


def refuse_existing(path: Path) -> None:
    """Reject the path of a model to be made if something is there."""
    if path.exists():
        raise ModelError(f"{path}: exists already; expected a new folder to write the model to")


def digest_of(path: str | Path) -> str:
    """Return a model's digest, SHA-256 in hexadecimal, without reading its arrays."""
    return hashlib.sha256(_card(Path(path))[0]).hexdigest()


def is_model(path: str | Path) -> bool:
    """Say whether a path is a model folder."""
    return (Path(path) / CARD).is_file()


def _card(path: Path) -> tuple[bytes, dict[str, Any]]:
    file = path / CARD
    if not file.is_file():
        raise ModelError(f"{path}: not a model; expected a folder with {CARD}")
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
