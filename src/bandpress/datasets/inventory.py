"""Inventory of a study's data: required and existing files. Opens no connection."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bandpress.datasets.entry import Source, file_name
from bandpress.datasets.fetch import brought
from bandpress.datasets.folder import data_folder
from bandpress.datasets.lock import offered
from bandpress.datasets.models import models_folder


class Item(NamedTuple):
    """A data set or a family of models of a study.

    Parameters
    ----------
    name
        Its name in the study.
    kind
        ``"data set"`` or ``"models"``.
    use
        ``"train"``, ``"validation"`` or ``"test"`` of a data set; ``"code"`` of models.
    here
        Whether it is on this machine. Files are not opened; fetching checks them.
    folder
        Where it is, or where to put it by hand.
    addresses
        Addresses of files, or of pages that offer them.
    action
        ``"none"``: it is here; ``"download"``: it is downloaded; ``"page"``: it is found on a page and downloaded;
        ``"hand"``: it must be downloaded by hand; ``"install"``: a package is missing; ``"consent"``: it is too large
        to download without consent (set by `bandpress.datasets.reach.asked` only).
    licence
        Licence of a data set, as the study states it.
    size
        Size in bytes of local files, or None.
    obstacle
        Why it cannot be downloaded, if servers were asked, see `bandpress.datasets.reach.asked`.
    """

    name: str
    kind: str
    use: str
    here: bool
    folder: Path
    addresses: tuple[str, ...]
    action: str
    licence: str = ""
    size: int | None = None
    obstacle: str = ""


def inventory(
    study: Any, cache: Path | None = None, retrain: bool = False, lock: Path | None = None
) -> list[Item]:
    """Return the data sets and the external models that a study needs, in its order.

    Parameters
    ----------
    study
        A `bandpress.study.schema.Study`.
    cache
        The data folder. Default: `bandpress.datasets.data_folder`.
    retrain
        Retrain kept models, which needs their training sets.
    lock
        The study's lock file, which records the files that pages offered.
    """
    cache = data_folder() if cache is None else Path(cache)
    needed = set(_needed_sets(study, retrain))
    items = []
    for name, dataset in study.datasets.items():
        if name in needed:
            item = _item(name, "data set", dataset.role, dataset.source, cache, name, lock)
            items.append(item._replace(licence=dataset.licence))
    coded_with = {codec.model for codec in study.codecs.values()}
    for name, family in study.models.items():
        if name in coded_with and family.source == "fetch":
            folder = models_folder(family.archive, name, cache)
            items.append(_item(name, "models", "code", family.archive, cache, folder, lock))
    return items


def origin(study: Any, item: Item) -> tuple[Source, list[str]]:
    """Return the source of an item and the names of its parts, if any."""
    if item.kind == "data set":
        return study.datasets[item.name].source, []
    family = study.models[item.name]
    return family.archive, family.members


def _needed_sets(study: Any, retrain: bool) -> Iterator[str]:
    """Yield the test sets, and the training and validation sets of families trained here."""
    yield from study.test_sets
    wanted = [codec.model for codec in study.codecs.values() if codec.model is not None]
    seen: set[str] = set()
    while wanted:
        name = wanted.pop()
        family = study.models[name]
        if name in seen or family.source == "fetch" or (family.kept and not retrain):
            continue
        seen.add(name)
        yield from (*family.train_on, *family.validate_on)
        if getattr(family, "init_from", None) is not None:
            wanted.append(family.init_from)


def _item(
    name: str, kind: str, use: str, source: Source, cache: Path, folder: str, lock: Path | None
) -> Item:
    path, wanted, missing = _place(source, cache, folder, lock)
    files = _files(path)
    here = bool(files) and all(file.is_file() for file in wanted)
    pages = [page for page in (source.page, *source.pages) if page is not None]
    return Item(
        name,
        kind,
        use,
        here,
        path,
        (*(source.url or pages), *source.mirrors),
        "none" if here else missing,
        size=sum(file.stat().st_size for file in files) if here else None,
    )


def _place(source: Source, cache: Path, folder: str, lock: Path | None) -> tuple[Path, list[Path], str]:
    """Return the folder of a source, the files it must hold, and the action if they are missing."""
    if source.kind == "package":
        spec = importlib.util.find_spec(str(source.package))
        folders = [] if spec is None else list(spec.submodule_search_locations or [])
        return Path(folders[0] if folders else str(source.package)) / str(source.file), [], "install"
    if source.kind == "path":
        given = Path(str(source.path)).expanduser()
        tried = [given] if given.is_absolute() else [cache / given, given]
        return next((path for path in tried if _files(path)), tried[0]), [], "hand"
    own = cache / folder
    if source.url is not None:
        return own, [own / file_name(url) for url in source.url], "download"
    if not source.match or brought(source, folder, own, lock):
        return own, [], "hand"
    return own, [own / file for _, file in offered(lock, f"{source.page}#{folder}")[1]], "page"


def _files(path: Path) -> list[Path]:
    """Return a file, or the files in a folder except hidden ones."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        return []
    return [
        file
        for file in path.rglob("*")
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts)
    ]
