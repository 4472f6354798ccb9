"""Storage of context models: a card and integer tables, see `bandpress.model_folders`.

::

    model.json          the card: facts about the training, SHA-256 of the other file
    tables.safetensors  integers, see `ContextModel.tables`, which both ends of a stream need

The digest is the SHA-256 of ``model.json``. No TensorFlow here.
"""

from pathlib import Path

from bandpress import model_folders
from bandpress.contexts.model import ContextModel
from bandpress.errors import ModelError

FORMAT = "bandpress-contexts"


def save(path: str | Path, model: ContextModel) -> ContextModel:
    """Write a model folder atomically; never replace an existing one.

    Returns
    -------
    ContextModel
        The model as read back, with its digest.

    Raises
    ------
    ModelError
        If the folder exists.
    """
    path = Path(path)
    model_folders.write_folder(
        path, {"format": FORMAT, "training": dict(model.card)}, {model_folders.TABLES: model.tables()}
    )
    return load(path)


def load(path: str | Path) -> ContextModel:
    """Read a model folder and check every byte of it.

    Raises
    ------
    ModelError
        If a file is missing, damaged, or of another format or version.
    """
    path = Path(path)
    folder = model_folders.read_folder(path, FORMAT, (model_folders.TABLES,))
    training = folder.card.get("training")
    try:
        return ContextModel.of_tables(
            folder.arrays[model_folders.TABLES],
            card=training if isinstance(training, dict) else {},
            digest=folder.digest,
            path=path,
        )
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None


def copy(model: ContextModel, path: str | Path) -> ContextModel:
    """Copy a loaded model; never replace an existing folder.

    Raises
    ------
    ModelError
        If the folder exists.
    """
    assert model.path is not None, "only a model that was read is copied"
    model_folders.copy_folder(model.path, Path(path), (model_folders.TABLES,))
    return load(path)


def is_context_model(path: str | Path) -> bool:
    """Say whether a path is the folder, or the name, of a context model."""
    folder = model_folders.resolve(path)
    return (
        model_folders.is_model(folder) and model_folders.format_of(folder) == FORMAT
    )  # a family is a folder of folders


def named(model: str | Path) -> ContextModel:
    """Load a model by its path or its name; raises as `load` and `bandpress.model_folders.resolve` do."""
    return load(model_folders.resolve(model))


def find(digest: str | None, given: str | Path | None = None) -> ContextModel:
    """Load the model with a digest; see `bandpress.model_folders.locate`."""
    return load(model_folders.locate(digest, given))
