"""Context models on disk: a folder of a card and of integer tables, as `bandpress.hyperprior.store` keeps networks.

::

    model.json          the card: how it was trained, SHA-256 of the other file
    tables.safetensors  integers, see `ContextModel.tables`: what both ends of a stream must have identical

The digest is the SHA-256 of ``model.json``. No TensorFlow here.
"""

from pathlib import Path

from bandpress.contexts.model import ContextModel
from bandpress.errors import ModelError
from bandpress.hyperprior import catalogue, store

FORMAT = "bandpress-contexts"


def save(path: str | Path, model: ContextModel) -> ContextModel:
    """Write a model folder, whole or not at all; a folder that exists is not replaced.

    Returns
    -------
    ContextModel
        The model as it now reads, with its digest.

    Raises
    ------
    ModelError
        If the folder exists.
    """
    path = Path(path)
    if path.exists():
        raise ModelError(f"{path}: exists already; expected a new folder to write the model to")
    store.write_folder(path, {"format": FORMAT, "training": dict(model.card)}, {store.TABLES: model.tables()})
    return load(path)


def load(path: str | Path) -> ContextModel:
    """Read a model folder and check every byte of it.

    Raises
    ------
    ModelError
        If a file is missing, damaged, of another version, or holds something else.
    """
    path = Path(path)
    folder = store.read_folder(path, FORMAT, (store.TABLES,))
    training = folder.card.get("training")
    try:
        return ContextModel.of_tables(
            folder.arrays[store.TABLES],
            card=training if isinstance(training, dict) else {},
            digest=folder.digest,
            path=path,
        )
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None


def copy(model: ContextModel, path: str | Path) -> ContextModel:
    """Copy a model that was read; a folder that exists is not replaced.

    Raises
    ------
    ModelError
        If the folder exists.
    """
    assert model.path is not None, "only a model that was read is copied"
    store.copy_folder(model.path, Path(path), (store.TABLES,))
    return load(path)


def is_context_model(path: str | Path) -> bool:
    """Tell whether a path is the folder, or the name, of a context model."""
    folder = catalogue.resolve(path)
    return store.is_model(folder) and store.format_of(folder) == FORMAT  # a family is a folder of folders


def named(model: str | Path) -> ContextModel:
    """Load a model by its path or its name; raises as `load` and `catalogue.resolve` do."""
    return load(catalogue.resolve(model))


def find(digest: str, given: str | Path | None = None) -> ContextModel:
    """Load the model of that digest; see `catalogue.locate`."""
    return load(catalogue.locate(digest, given))
