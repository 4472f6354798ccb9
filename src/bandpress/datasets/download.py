"""Downloads: the right file or none.

`pooch` keeps the cache, compares hashes and puts files into place; the downloader given to it retries, goes on where a
broken transfer ended if the server allows, and gives up on a server that stalls.
"""

import errno
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from bandpress.datasets.fetch import digest
from bandpress.errors import DataError, MissingDependencyError

try:
    import pooch
    import requests
    from filelock import FileLock

    from bandpress.datasets import lock as locks
except ImportError as error:
    raise MissingDependencyError(
        f"downloads need the package {error.name}, which is not installed; "
        "expected it from pip install 'bandpress[data]'"
    ) from None

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_WORTH_ANOTHER_TRY = (408, 425, 429, 500, 502, 503, 504)
#: Bytes that are lost, at most, when a connection breaks off.
_CHUNK = 1 << 14


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds, and how often to try.

    Parameters
    ----------
    connect
        For the connection.
    stall
        For the next bytes.
    tries
        At each address.
    pause
        Between two tries; doubles each time.
    """

    connect: float = 15.0
    stall: float = 30.0
    tries: int = 5
    pause: float = 1.0


class _Failure(Exception):
    """An address did not give the file; `again` says whether another try may help."""

    def __init__(self, what: str, again: bool = True, wait: float = 0.0):
        super().__init__(what)
        self.again, self.wait = again, wait


def download(
    addresses: list[str],
    folder: Path,
    sha256: str | None = None,
    lock: Path | None = None,
    patience: Patience = Patience(),
) -> Path:
    """Download a file that is offered at one or more addresses.

    Parameters
    ----------
    addresses
        Of the same file, tried in order.
    folder
        Where to keep it, under the name that the first address ends with. A file of that name that is there already
        is checked and taken.
    sha256
        What it must be. Without it, what the lock file says; without that, the first download is recorded there.
    lock
        The lock file.
    patience
        How long to wait.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    DataError
        If no address gives the right file. None is in its place then.
    """
    name = file_name(addresses[0])
    path = folder / name
    expected = sha256 or locks.locked(lock, addresses[0])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.is_file():
            with FileLock(folder / f".{name}.lock"):
                if not path.is_file():
                    _from_first(addresses, path, expected, patience)
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise DataError(f"{folder}: no room left on the device to download {addresses[0]}") from None
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


def file_name(address: str) -> str:
    """Return the name under which a download is kept."""
    last = unquote(urlsplit(address).path).rstrip("/").rsplit("/", 1)[-1]
    name = re.sub(r"[^A-Za-z0-9._+-]", "_", last).lstrip(".-")
    if not name:
        raise DataError(f"{address}: the address ends without the name of a file; expected one")
    return name[:150]


def _from_first(addresses: list[str], path: Path, expected: str | None, patience: Patience) -> None:
    """Download from the first address that gives the right file."""
    failures = []
    pooch.get_logger().setLevel("ERROR")
    for address in addresses:
        part = path.with_name(f".{path.name}.part")

        def fetch(url: str, target: Any, _: Any, part: Path = part) -> None:
            _with_retries(url, part, patience)
            shutil.move(part, target)
            _note(part).unlink(missing_ok=True)

        try:
            known = None if expected is None else f"sha256:{expected}"
            pooch.retrieve(address, known, fname=path.name, path=path.parent, downloader=fetch)
            return
        except _Failure as failure:
            failures.append(f"{address}: {failure}")
        except ValueError:
            failures.append(f"{address}: the file has another SHA-256 than {expected}")
            _forget(part)
        except OSError as error:
            if error.errno in _NO_ROOM:
                _forget(part)
            raise
    raise DataError("; ".join(failures) + f"; expected {path.name} there")


def _with_retries(address: str, part: Path, patience: Patience) -> None:
    for attempt in range(1, patience.tries + 1):
        try:
            return _transfer(address, part, patience)
        except _Failure as failure:
            if not failure.again:
                _forget(part)
                raise
            if attempt == patience.tries:
                raise _Failure(f"{failure} ({attempt} tries)") from None
            time.sleep(min(60.0, max(failure.wait, patience.pause * 2 ** (attempt - 1))))


def _transfer(address: str, part: Path, patience: Patience) -> None:
    """Get the bytes that `part` lacks."""
    have = part.stat().st_size if part.is_file() else 0
    same = _note(part).read_text("utf-8") if have and _note(part).is_file() else ""
    headers = {"Accept-Encoding": "identity", "User-Agent": "bandpress"}
    if have and same:
        headers |= {"Range": f"bytes={have}-", "If-Range": same}
    try:
        with requests.get(
            address, headers=headers, stream=True, timeout=(patience.connect, patience.stall)
        ) as answer:
            have, total = _understood(answer, have)
            if total is not None and shutil.disk_usage(part.parent).free < total - have:
                raise OSError(errno.ENOSPC, "no room")
            _note(part).write_text(_validator(answer), "utf-8")
            with open(part, "ab" if have else "wb") as file, _bar(part, have, total) as progress:
                for chunk in answer.iter_content(_CHUNK):
                    file.write(chunk)
                    have += len(chunk)
                    progress(have)
                    if total is not None and have > total:
                        break
    except requests.Timeout:
        raise _stalled(patience) from None
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
        if "timed out" in str(error):
            raise _stalled(patience) from None
        if have:
            raise _Failure(f"the connection broke off after {have} bytes") from None
        raise _Failure(f"the connection failed{_why(error)}") from None
    except requests.RequestException as error:
        raise _Failure(f"the request failed ({error})", again=False) from None
    if total is not None and have != total:
        if have > total:
            _forget(part)
        raise _Failure(f"{have} bytes came; {total} were announced")


def _understood(answer: requests.Response, have: int) -> tuple[int, int | None]:
    """Return how many of the bytes that we have count, and how many there are in all."""
    status = answer.status_code
    if status == 206:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
        if match is None or int(match[1]) != have:
            raise _Failure(
                "the server answered with another part of the file than was asked for", again=False
            )
        return have, None if match[2] == "*" else int(match[2])
    if status == 416:
        raise _Failure("the server has fewer bytes than were there before", again=False)
    if status != 200:
        wait = answer.headers.get("Retry-After", "")
        raise _Failure(
            f"HTTP status {status} {answer.reason}",
            again=status in _WORTH_ANOTHER_TRY,
            wait=float(wait) if wait.isdigit() else 0.0,
        )
    wanted = urlsplit(answer.url).path.lower()
    if answer.headers.get("Content-Type", "").startswith("text/html") and not wanted.endswith(
        (".html", ".htm")
    ):
        raise _Failure("the server answered with a web page", again=False)
    length = answer.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None


def _validator(answer: requests.Response) -> str:
    tag = answer.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")


def _stalled(patience: Patience) -> _Failure:
    return _Failure(f"the server sent nothing for {patience.stall:g} s")


def _why(error: Exception) -> str:
    text = str(error)
    for hint in ("refused", "reset", "resolve", "certificate", "closed connection"):
        if hint in text.lower():
            return f" ({hint})"
    return ""


def _note(part: Path) -> Path:
    return part.with_name(part.name + ".validator")


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _note(part).unlink(missing_ok=True)


@contextmanager
def _bar(part: Path, have: int, total: int | None) -> Iterator[Any]:
    """Show progress to a person, if it takes longer than two seconds."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    started = time.monotonic()
    columns = (
        "{task.description}",
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(
            part.name.strip(".").removesuffix(".part"), total=total, completed=have, visible=False
        )
        yield lambda done: progress.update(task, completed=done, visible=time.monotonic() - started > 2)
