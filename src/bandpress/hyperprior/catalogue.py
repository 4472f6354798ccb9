"""Finding models: by path, by name, by the digest that a stream asks for; families of them. No TensorFlow here.

A family is a folder of model folders, one an operating point, or one model with gains.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from bandpress.errors import ModelError
from bandpress.hyperprior import store

#: Where named models are looked for besides the working directory's ``models``.
VARIABLE = "BANDPRESS_MODELS"


def folders() -> list[Path]:
    """Return the folders in which models are looked for by name or by digest."""
    named = os.environ.get(VARIABLE, "")
    package = Path(__file__).resolve().parents[1]
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
        if path.is_dir() and any(_within(path)):
            return path
    searched = ", ".join(map(str, folders())) or f"no folder: neither models/ nor ${VARIABLE} is there"
    raise ModelError(
        f"{model}: no such model; expected a folder with {store.CARD}, or its name within {searched}"
    )


def members(path: str | Path) -> list[store.StoredModel]:
    """Load a model or the models of a family, lowest lambda first.

    Raises
    ------
    ModelError
        If one cannot be read, or they are not of one cluster size.
    """
    models = [store.load(folder) for folder in _within(resolve(path))]
    sizes = {model.architecture.bands_per_cluster for model in models}
    if len(sizes) > 1:
        raise ModelError(
            f"{path}: models for clusters of {sorted(sizes)} bands; expected a family of one cluster size"
        )
    return sorted(models, key=lambda model: _lambda(model.card.get("lambda")))


def all_within(folder: str | Path) -> list[Path]:
    """Return the folder of every model in a folder, in its families too.

    Raises
    ------
    ModelError
        If there is none.
    """
    found = list(_within(Path(folder), depth=2))
    if not found:
        raise ModelError(f"{folder}: no models; expected folders with {store.CARD}")
    return found


def find(digest: str, given: str | Path | None = None) -> store.StoredModel:
    """Load the network of that digest; see `locate`."""
    return store.load(locate(digest, given))


def locate(digest: str, given: str | Path | None = None) -> Path:
    """Return the folder of the model of that digest.

    Parameters
    ----------
    digest
        SHA-256 in hexadecimal, from a stream.
    given
        A model, or a folder of models, to look in; default: everywhere that models are looked for.

    Raises
    ------
    ModelError
        If it is not there.
    """
    places = folders() if given is None else [resolve(given)]
    found = []
    for folder in (folder for place in places for folder in _within(place, depth=2)):
        if store.digest(folder) == digest:
            return folder
        found.append(folder)
    if given is None:
        raise ModelError(
            f"the model with digest {digest} is not among the {len(found)} known; expected --model FOLDER"
        )
    others = ", ".join(store.digest(folder) for folder in found[:3])
    raise ModelError(
        f"{given}: the model's digest is {others}; expected {digest}, which the stream was made with"
    )


def _within(path: Path, depth: int = 1) -> Iterator[Path]:
    if store.is_model(path):
        yield path
    elif depth and path.is_dir():
        for child in sorted(path.iterdir()):
            if child.is_dir() and not child.name.startswith("."):
                yield from _within(child, depth - 1)


def _lambda(value: object) -> float:
    if isinstance(value, list) and value:
        value = value[0]
    return float(value) if isinstance(value, int | float) else 0.0
