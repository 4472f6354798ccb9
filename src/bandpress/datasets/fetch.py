"""From the source of a data set to files on this machine, checked."""

import hashlib
import importlib.util
import os
from pathlib import Path

from bandpress.datasets import archive
from bandpress.datasets.entry import Dataset, Source
from bandpress.errors import DataError

#: Environment variable that names the folder shared between checkouts.
VARIABLE = "BANDPRESS_DATA"


def data_folder() -> Path:
    """Return the folder for data sets: what ``BANDPRESS_DATA`` names, or ``data`` in the working directory."""
    return Path(os.environ.get(VARIABLE) or "data")


def fetch(dataset: Dataset, name: str, cache: Path | None = None, lock: Path | None = None) -> Path:
    """Bring the source of a data set to this machine and check it.

    Parameters
    ----------
    dataset
        What the study says of it.
    name
        Its name in the study: its files are kept in ``cache/name``.
    cache
        The data folder. Default: `data_folder`.
    lock
        The study's lock file: SHA-256 of files that were first seen without one.

    Returns
    -------
    pathlib.Path
        The file, or the folder in which the scenes are.

    Raises
    ------
    DataError
        If it cannot be had, or is not what it should be. Nothing is left in its place then.
    MissingDependencyError
        If the download needs a package that is not installed.
    """
    cache = data_folder() if cache is None else Path(cache)
    source = dataset.source
    if source.kind == "package":
        return _checked(_in_package(source), source.sha256)
    if source.kind == "path":
        found = _on_disk(source, name, cache)
        return _unpacked(found, source, cache / name)
    if source.kind == "url":
        from bandpress.datasets.download import download

        assert source.url is not None
        found = download([source.url, *source.mirrors], cache / name, source.sha256, lock)
        return _unpacked(found, source, cache / name)
    return _brought_by_hand(source, name, cache / name, lock)


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


def _brought_by_hand(source: Source, name: str, folder: Path, lock: Path | None) -> Path:
    if folder.is_dir():
        packed = [path for path in sorted(folder.iterdir()) if archive.is_archive(path)]
        unpacked = [archive.unpack(path, folder / archive.stem(path)) for path in packed]
        files = [
            path
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        ]
        if files:
            own = [path for path in files if not any(path.is_relative_to(inner) for inner in unpacked)]
            _same_as_first_seen(source, folder, own, lock)
            return folder
    raise DataError(
        f"data set {name} cannot be fetched automatically and {folder.absolute()} holds no file of it; "
        f"expected the files or archive offered on {source.page} in that folder ({VARIABLE} names the one above it)"
    )


def _same_as_first_seen(source: Source, folder: Path, files: list[Path], lock: Path | None) -> None:
    if lock is None:
        return
    from bandpress.datasets import lock as locks

    for path in files:
        address = f"{source.page}#{path.relative_to(folder).as_posix()}"
        locks.record(lock, address, digest(path), path.stat().st_size)


def _unpacked(found: Path, source: Source, folder: Path) -> Path:
    if not source.unpack:
        return found
    if found.is_dir():
        raise DataError(f"{found}: a folder; expected an archive to unpack")
    return archive.unpack(found, folder / archive.stem(found))


def _checked(path: Path, sha256: str | None) -> Path:
    if sha256 is not None:
        check(path, sha256)
    return path


def check(path: Path, sha256: str) -> None:
    """Refuse a file that has another SHA-256."""
    found = digest(path)
    if found != sha256:
        raise DataError(f"{path}: SHA-256 {found}; expected {sha256}")


def digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
