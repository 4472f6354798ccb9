"""Downloads, verified by size and SHA-256.

`pooch` keeps the cache, compares hashes and puts files into place; its downloader is `bandpress.datasets.transfer`.
"""

import errno
import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bandpress.datasets import archive
from bandpress.datasets import lock as locks
from bandpress.datasets.answers import PATIENCE, Failure, Patience, probe
from bandpress.datasets.entry import file_name
from bandpress.datasets.size import in_words
from bandpress.datasets.transfer import TooLarge, forget, transfer
from bandpress.errors import DataError
from bandpress.files import atomic_path, digest
from bandpress.optional import needed

with needed("downloads", "data"):
    import pooch
    from filelock import FileLock

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)

#: How to consent to a large download.
CONSENT = "--config download=yes with snakemake, or --yes with bandpress data fetch"


def download(
    addresses: list[str],
    folder: Path,
    sha256: str | None = None,
    lock: Path | None = None,
    patience: Patience = PATIENCE,
    *,
    name: str | None = None,
    most: int | None = None,
) -> Path:
    """Download a file from the first of its addresses that works.

    Parameters
    ----------
    addresses
        Addresses of the same file, tried in order.
    folder
        Where to keep it. An existing file of that name is verified and used.
    sha256
        Expected SHA-256. Default: that in the lock file; if there is none, that of the first download (a complete one,
        for archives) is recorded there.
    lock
        The lock file.
    patience
        How long to wait.
    name
        Name of the file. Default: the end of the first address.
    most
        Most bytes to download without consent. Default: any number.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    DataError
        If no address gives the right file. No file is left then.
    """
    name = file_name(addresses[0] if name is None else name)
    path = folder / name
    expected = sha256 or locks.locked(lock, addresses[0])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.is_file():
            with FileLock(folder / f".{name}.lock"):
                if not path.is_file():
                    _from_first(addresses, path, expected, patience, most)
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise DataError(f"{folder}: no space left on the device to download {addresses[0]}") from None
        raise DataError(
            f"{path}: cannot be written ({error.strerror}); expected a folder to download into"
        ) from None
    found = digest(path)
    if expected is not None and found != expected:
        raise DataError(
            f"{path}: SHA-256 {found}; expected {expected} (remove the file to download it again)"
        )
    if sha256 is None:
        locks.record(lock, addresses[0], found, path.stat().st_size)
    return path


@dataclass(frozen=True)
class Downloads:
    """The downloads of a data set: where they are kept, and what limits them.

    Parameters
    ----------
    cache
        The data folder. A file is ``cache/owner/name``, linked to ``cache/downloads/<host>/…/name``: a file shared by
        several sets is kept once.
    owner
        Name of the data set.
    lock
        The study's lock file.
    most
        Most bytes to download without consent; None for any number.
    patience
        How long to wait.
    """

    cache: Path
    owner: str
    lock: Path | None = None
    most: int | None = None
    patience: Patience = PATIENCE

    @property
    def folder(self) -> Path:
        """The folder of the data set."""
        return self.cache / self.owner

    def place(self, address: str, name: str) -> Path:
        """Return the place of a file: the folder of the data set, or the shared folder."""
        own = self.folder / name
        if own.is_file():
            return own
        parts = urlsplit(address)
        folders = [parts.netloc, *parts.path.split("/")[1:-1], parts.query]
        plain = [re.sub(r"[^A-Za-z0-9._+-]", "_", folder).lstrip(".")[:150] for folder in folders]
        return self.cache.joinpath("downloads", *filter(None, plain), name)

    def missing(self, files: Iterable[tuple[str, str]]) -> list[str]:
        """Return the addresses of the files, given as address and name, that are not on this machine."""
        return [address for address, name in files if not self.place(address, name).is_file()]

    def ask_consent(self, addresses: list[str]) -> None:
        """Reject downloads above a total size without consent.

        Raises
        ------
        DataError
            If the total is larger; the message gives the size of each file.
        """
        if self.most is None or not addresses:
            return
        sizes: dict[str, int | None] = {}
        for address in addresses:
            try:
                sizes[address] = probe(address, self.patience).size
            except Failure:
                sizes[address] = None  # errors are reported by its download
        total = sum(size or 0 for size in sizes.values())
        if total > self.most:
            shown = "; ".join(
                f"{address} ({'size unknown' if size is None else in_words(size)})"
                for address, size in list(sizes.items())[:20]
            )
            raise DataError(
                f"data set {self.owner}: {len(addresses)} files of {in_words(total)} would be downloaded: {shown}; "
                f"expected at most {in_words(self.most)} without consent ({CONSENT})"
            )

    def get(self, addresses: list[str], name: str, sha256: str | None = None) -> Path:
        """Download a file to its place; arguments, result and errors are those of `download`."""
        folder = self.place(addresses[0], name).parent
        return download(addresses, folder, sha256, self.lock, self.patience, name=name, most=self.most)

    def adopt(self, path: Path) -> Path:
        """Put a downloaded file into the folder of the data set, as a link if possible."""
        own = self.folder / path.name
        if path != own:
            with atomic_path(own) as part:
                try:
                    os.link(path, part)
                except OSError:  # a file system without links
                    shutil.copy2(path, part)
        return own


def _from_first(
    addresses: list[str], path: Path, expected: str | None, patience: Patience, most: int | None
) -> None:
    """Download from the first address that gives the right file."""
    failures = []
    pooch.get_logger().setLevel("ERROR")
    part = path.with_name(f".{path.name}.part")
    for address in addresses:

        def fetch(url: str, target: Any, _: Any) -> None:
            transfer(url, part, patience, most)
            if expected is None:
                _whole(part, path)
            shutil.move(part, target)
            forget(part)

        try:
            known = None if expected is None else f"sha256:{expected}"
            pooch.retrieve(address, known, fname=path.name, path=path.parent, downloader=fetch)
            return
        except TooLarge as failure:
            assert most is not None
            raise DataError(
                f"{address}: {failure}; expected at most {in_words(most)} without consent ({CONSENT})"
            ) from None
        except Failure as failure:
            failures.append(f"{address}: {failure}")
        except ValueError:
            failures.append(f"{address}: the file has another SHA-256 than {expected}")
            forget(part)
        except OSError as error:
            if error.errno in _NO_ROOM:
                forget(part)
            raise
    raise DataError("; ".join(failures) + f"; expected {path.name} there")


def _whole(part: Path, path: Path) -> None:
    """Reject an archive that does not unpack, if its SHA-256 is not known."""
    try:
        archive.test(part, path.name)
    except DataError as error:
        forget(part)
        raise Failure(str(error).replace(str(part), path.name), again=False) from None
