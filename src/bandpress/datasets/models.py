"""External models: an archive of SavedModel folders, or one archive per model."""

from collections.abc import Sequence
from pathlib import Path

from bandpress.datasets.entry import Dataset, Source
from bandpress.datasets.fetch import MOST, brought, fetch
from bandpress.datasets.folder import data_folder
from bandpress.errors import DataError

#: Folder below the data folder for manually downloaded models of all families.
MODELS = "models"


def fetch_models(
    source: Source,
    family: str,
    members: Sequence[str],
    lock: Path | None = None,
    most: int | None = MOST,
) -> list[Path]:
    """Download the models of a family, if missing, and return the folder of each.

    Parameters
    ----------
    source
        Source of the models.
    family
        Name of the family in the study.
    members
        Names of the models' folders.
    lock, most
        As for `bandpress.datasets.fetch`.

    Raises
    ------
    DataError
        If they cannot be downloaded, or a model is missing in the download.
    """
    cache = data_folder()
    archive = Dataset(
        sensor="any", role="test", licence="in the study", citation="in the study", source=source
    )
    found = fetch(archive, models_folder(source, family, cache), cache, lock, parts=members, most=most)
    return [_member(found, name) for name in members]


def models_folder(source: Source, family: str, cache: Path) -> str:
    """Return the folder of a family's models within the data folder."""
    by_hand = not source.match or brought(source, MODELS, cache / MODELS, None)
    return MODELS if by_hand else family


def _member(folder: Path, name: str) -> Path:
    found = sorted(path for path in folder.rglob(name) if (path / "variables").is_dir())
    if (folder / "variables").is_dir() and folder.name == name:
        found = [folder]
    if len(found) != 1:
        raise DataError(
            f"{folder}: {len(found)} folders named {name} with a SavedModel's variables in it; expected one"
        )
    return found[0]
