"""Fetching of a data set's source as checked files on this machine."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bandpress.datasets import archive
from bandpress.datasets.entry import Dataset, Source, file_name
from bandpress.datasets.folder import VARIABLE, data_folder
from bandpress.errors import DataError
from bandpress.files import digest

if TYPE_CHECKING:
    from bandpress.datasets.answers import Patience
    from bandpress.datasets.download import Downloads

#: Most bytes of a data set to download without consent.
MOST = 2_000_000_000


def fetch(
    dataset: Dataset,
    name: str,
    cache: Path | None = None,
    lock: Path | None = None,
    *,
    parts: Sequence[str] = (),
    most: int | None = MOST,
    patience: "Patience | None" = None,
) -> Path:
    """Download the source of a data set, if missing, and check it.

    Parameters
    ----------
    dataset
        Its entry in the study.
    name
        Its name in the study; its files are kept in ``cache/name``.
    cache
        The data folder. Default: `data_folder`.
    lock
        The study's lock file, with the SHA-256 of downloads for which the study gives none.
    parts
        Names of its parts, which a page may offer one by one.
    most
        Most bytes to download without consent; None for any number.
    patience
        Timeouts and number of tries.

    Returns
    -------
    pathlib.Path
        The file, or the folder with the scenes.

    Raises
    ------
    DataError
        If it cannot be downloaded, or fails a check. No partial files are left then.
    MissingDependencyError
        If the download needs a package that is not installed.
    """
    cache = data_folder() if cache is None else Path(cache)
    source = dataset.source
    if source.kind == "package":
        return _checked(_in_package(source), source.sha256)
    if source.kind == "path":
        found = _on_disk(source, name, cache)
        return _unpacked(found, dataset, cache / name) if source.unpack else found
    if source.kind == "page" and not source.match:
        return _brought_by_hand(source, cache / name, name, brought(source, name, cache / name, lock), lock)
    from bandpress.datasets.answers import PATIENCE
    from bandpress.datasets.download import Downloads

    downloads = Downloads(cache, name, lock, most, patience or PATIENCE)
    if source.kind == "url":
        return _from_addresses(dataset, downloads)
    return _from_page(source, parts, downloads)


def _from_addresses(dataset: Dataset, downloads: "Downloads") -> Path:
    source = dataset.source
    urls = source.url or []
    if len(urls) > 1:  # the transfer itself checks the size of a single file
        downloads.ask_consent(downloads.missing((url, file_name(url)) for url in urls))
    found = []
    for url in urls:
        file = downloads.adopt(downloads.get([url, *source.mirrors], file_name(url), source.sha256))
        found.append(_unpacked(file, dataset, downloads.folder) if source.unpack else file)
    return found[0] if len(found) == 1 else downloads.folder


def _from_page(source: Source, parts: Sequence[str], downloads: "Downloads") -> Path:
    from bandpress.datasets.offered import bring

    name, folder, lock = downloads.owner, downloads.folder, downloads.lock
    by_hand = brought(source, name, folder, lock)
    if by_hand:
        return _brought_by_hand(source, folder, name, by_hand, lock)
    try:
        known_as, files = bring(source, parts, downloads)
    except DataError as error:
        raise DataError(f"{error}; or provide {_what_by_hand(source, folder)}") from None
    found = [
        archive.unpack(file, folder / archive.stem(file)) if archive.is_archive(file) else file
        for file in files
    ]
    if len(found) > 1:
        return folder
    return _own_part(found[0], source, name, bool(parts) or known_as == source.match[0])


def brought(source: Source, name: str, folder: Path, lock: Path | None) -> list[Path]:
    """Return the files put into a data set's folder by hand, not downloaded from its page."""
    if not folder.is_dir():
        return []
    from bandpress.datasets import lock as locks

    ours = {file for _, file in locks.offered(lock, f"{source.page}#{name}")[1]}
    ours |= {archive.stem(Path(file)) for file in ours}
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.relative_to(folder).parts[0] not in ours
    ]


def _in_package(source: Source) -> Path:
    assert source.package is not None
    assert source.file is not None
    spec = importlib.util.find_spec(source.package)
    folders = [] if spec is None else list(spec.submodule_search_locations or [])
    if not folders:
        raise DataError(
            f"the package {source.package} is not installed; expected it for its file {source.file} "
            f"(pip install {source.package})"
        )
    for folder in folders:
        if (Path(folder) / source.file).is_file():
            return Path(folder) / source.file
    raise DataError(f"{folders[0]}: no file {source.file}; expected it in the package {source.package}")


def _on_disk(source: Source, name: str, cache: Path) -> Path:
    assert source.path is not None
    given = Path(source.path).expanduser()
    tried = [given] if given.is_absolute() else [cache / given, given]
    for path in tried:
        if path.is_file():
            return _checked(path, source.sha256)
        if path.is_dir() and any(path.iterdir()):
            return path
    places = " or ".join(str(path.absolute()) for path in dict.fromkeys(tried))
    offered = f"; it is offered on {source.page}" if source.page else ""
    raise DataError(
        f"data set {name}: {source.path} is missing or empty; expected it at {places} "
        f"({VARIABLE} names the data folder){offered}"
    )


def _brought_by_hand(source: Source, folder: Path, name: str, files: list[Path], lock: Path | None) -> Path:
    if not files:
        raise DataError(
            f"data set {name} cannot be fetched automatically and {folder.absolute()} holds no file of it; "
            f"expected {_what_by_hand(source, folder)}"
        )
    unpacked = [
        archive.unpack(path, folder / archive.stem(path)) for path in files if archive.is_archive(path)
    ]
    own = [path for path in files if not any(path.is_relative_to(inner) for inner in unpacked)]
    _same_as_first_seen(source, folder, own, lock)
    if source.match and len(unpacked) == len(own) == 1:
        return _own_part(unpacked[0], source, name, True)
    return folder


def _what_by_hand(source: Source, folder: Path) -> str:
    where = f"in {folder.absolute()} ({VARIABLE} names the folder above it)"
    return f"the files or archive offered on {source.page} {where}"


def _own_part(found: Path, source: Source, name: str, own: bool) -> Path:
    """Return the data set's folder within an archive that holds several data sets, or the whole archive's."""
    names = [*source.match[:1], name]
    if found.is_file():
        return found
    inside = [path for path in sorted(found.rglob("*")) if path.is_dir() and path.name in names]
    if len(inside) == 1:
        return inside[0]
    if inside:
        raise DataError(f"{found}: {len(inside)} folders named {' or '.join(names)}; expected one")
    if not own:
        raise DataError(
            f"{found}: no folder named {' or '.join(names)} in an archive of several sets; expected one"
        )
    return found


def _same_as_first_seen(source: Source, folder: Path, files: list[Path], lock: Path | None) -> None:
    if lock is None:
        return
    from bandpress.datasets import lock as locks

    for path in files:
        address = f"{source.page}#{path.relative_to(folder).as_posix()}"
        locks.record(lock, address, digest(path), path.stat().st_size)


def _unpacked(found: Path, dataset: Dataset, folder: Path) -> Path:
    if found.is_dir():
        raise DataError(f"{found}: a folder; expected an archive to unpack")
    listed = dataset.source.unpack == "listed"
    scenes = (dataset.scenes or {}).values() if listed else ()
    return archive.unpack(found, folder / archive.stem(found), [entry.file for entry in scenes if entry.file])


def _checked(path: Path, sha256: str | None) -> Path:
    if sha256 is not None:
        check(path, sha256)
    return path


def check(path: Path, sha256: str) -> None:
    """Reject a file with another SHA-256."""
    found = digest(path)
    if found != sha256:
        raise DataError(f"{path}: SHA-256 {found}; expected {sha256}")
