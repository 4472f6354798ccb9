"""Getting bytes from one address: retries, going on where a transfer ended, noticing what is not the file."""

import errno
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from bandpress.datasets.size import in_words
from bandpress.errors import MissingDependencyError

try:
    import requests
except ImportError as error:
    raise MissingDependencyError(
        f"downloads need the package {error.name}, which is not installed; "
        "expected it from pip install 'bandpress[data]'"
    ) from None

_WORTH_ANOTHER_TRY = (408, 425, 429, 500, 502, 503, 504)
#: Bytes that are lost, at most, when a connection breaks off.
_CHUNK = 1 << 14
_LARGEST_PAGE = 20_000_000
_PAGE = re.compile(
    rb"\s*(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b",
    re.I | re.S,
)
_T = TypeVar("_T")


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


#: Of a person who waits for a data set.
PATIENCE = Patience()


class Failure(Exception):
    """An address did not give what was asked for; `again` says whether another try may help."""

    def __init__(self, what: str, again: bool = True, wait: float = 0.0):
        super().__init__(what)
        self.again, self.wait = again, wait


class Probe(NamedTuple):
    """An address as its server describes it: size in bytes or None, name of the file, whether it is a web page."""

    size: int | None
    name: str
    is_page: bool


def probe(address: str, patience: Patience) -> Probe:
    """Ask for a file and look at the beginning of the answer.

    Raises
    ------
    Failure
        If there is none.
    """
    if _drive_id(address) is not None:
        return Probe(None, "", False)

    def ask() -> Probe:
        with _answer(address, patience) as answer:
            _understood(answer, 0, pages=True)
            head = next(answer.iter_content(1024), b"")
            length = answer.headers.get("Content-Length", "")
            named = re.search(
                r"filename\*?=(?:UTF-8'')?\"?([^\";]+)", answer.headers.get("Content-Disposition", "")
            )
            name = unquote(
                named[1].strip() if named else urlsplit(answer.url).path.rstrip("/").rpartition("/")[2]
            )
            if head[:4] == b"PK\x03\x04" and "." not in name:
                name += ".zip"
            size = int(length) if length.isdigit() else None
            return Probe(size, name, _is_page(answer) or _PAGE.match(head) is not None)

    return _retried(ask, patience)


def read_page(address: str, patience: Patience) -> tuple[str, str]:
    """Return the address that a page was found at in the end, and its text.

    Raises
    ------
    Failure
        If it cannot be had, or is no page.
    """

    def ask() -> tuple[str, str]:
        with _answer(address, patience) as answer:
            _understood(answer, 0, pages=True)
            body = b""
            for chunk in answer.iter_content(_CHUNK):
                body += chunk
                if len(body) > _LARGEST_PAGE:
                    raise Failure(f"more than {_LARGEST_PAGE} bytes, which is no web page", again=False)
            if not (_is_page(answer) or _PAGE.match(body[:2048])):
                raise Failure("the server answered with something that is no web page", again=False)
            declared = re.search(rb"charset=[\"']?([\w-]+)", body[:2048])
            coding = declared[1].decode() if declared else "utf-8"
            try:
                return answer.url, body.decode(coding, "replace")
            except LookupError:
                return answer.url, body.decode("utf-8", "replace")

    return _retried(ask, patience)


def transfer(address: str, part: Path, patience: Patience, most: int | None = None) -> None:
    """Get the bytes that `part` lacks.

    Parameters
    ----------
    address
        Of the file.
    part
        Where they are collected; what is there of an earlier transfer is gone on from, if the server allows.
    patience
        How long to wait.
    most
        Bytes that are taken without being asked. Default: any number.

    Raises
    ------
    Failure
        If they do not come, or are those of a web page. What is worth going on from is left in `part`.
    """
    drive = _drive_id(address)
    if drive is not None:
        return _from_drive(drive, part, patience)
    try:
        return _retried(lambda: _rest(address, part, patience, most), patience)
    except Failure as failure:
        if not failure.again:
            forget(part)
        raise


def forget(part: Path) -> None:
    """Remove what an interrupted transfer left."""
    part.unlink(missing_ok=True)
    _note(part).unlink(missing_ok=True)


def _retried(action: Callable[[], _T], patience: Patience) -> _T:
    for attempt in range(1, patience.tries + 1):
        try:
            return action()
        except Failure as failure:
            if not failure.again:
                raise
            if attempt == patience.tries:
                raise Failure(f"{failure} ({attempt} tries)") from None
            time.sleep(min(60.0, max(failure.wait, patience.pause * 2 ** (attempt - 1))))
    raise AssertionError("unreachable")


@contextmanager
def _answer(
    address: str,
    patience: Patience,
    headers: dict[str, str] | None = None,
    have: Callable[[], int] = lambda: 0,
) -> Iterator[requests.Response]:
    """Give a server's answer; what goes wrong with the connection becomes a failure."""
    sent = {"Accept-Encoding": "identity", "User-Agent": "bandpress", **(headers or {})}
    try:
        with requests.get(
            address, headers=sent, stream=True, timeout=(patience.connect, patience.stall)
        ) as answer:
            yield answer
    except requests.Timeout:
        raise _stalled(patience) from None
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
        if "timed out" in str(error):
            raise _stalled(patience) from None
        if have():
            raise Failure(f"the connection broke off after {have()} bytes") from None
        raise Failure(f"the connection failed{_why(error)}") from None
    except requests.RequestException as error:
        raise Failure(f"the request failed ({error})", again=False) from None


def _rest(address: str, part: Path, patience: Patience, most: int | None) -> None:
    have = part.stat().st_size if part.is_file() else 0
    same = _note(part).read_text("utf-8") if have and _note(part).is_file() else ""
    wanted = {"Range": f"bytes={have}-", "If-Range": same} if have and same else {}
    with _answer(address, patience, wanted, lambda: have) as answer:
        have, total = _understood(answer, have)
        if total is not None:
            if most is not None and total > most:
                raise TooLarge(total)
            if shutil.disk_usage(part.parent).free < total - have:
                raise OSError(errno.ENOSPC, "no room")
        _note(part).write_text(_validator(answer), "utf-8")
        with open(part, "ab" if have else "wb") as file, _bar(part, have, total) as progress:
            for chunk in answer.iter_content(_CHUNK):
                if have == 0 and _PAGE.match(chunk[:2048]) and not _wants_page(answer):
                    raise Failure(f"the server answered with a web page{_title(chunk)}", again=False)
                file.write(chunk)
                have += len(chunk)
                progress(have)
                if most is not None and have > most:
                    raise TooLarge(have)
                if total is not None and have > total:
                    break
    if total is not None and have != total:
        if have > total:
            forget(part)
        raise Failure(f"{have} bytes came; {total} were announced")


class TooLarge(Failure):
    """More bytes than are taken without being asked."""

    def __init__(self, size: int):
        super().__init__(f"{in_words(size)} or more", again=False)
        self.size = size


def _understood(answer: requests.Response, have: int, pages: bool = False) -> tuple[int, int | None]:
    """Return how many of the bytes that we have count, and how many there are in all."""
    status = answer.status_code
    if status == 206:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
        if match is None or int(match[1]) != have:
            raise Failure("the server answered with another part of the file than was asked for", again=False)
        return have, None if match[2] == "*" else int(match[2])
    if status == 416:
        raise Failure("the server has fewer bytes than were there before", again=False)
    if status != 200:
        wait = answer.headers.get("Retry-After", "")
        raise Failure(
            f"HTTP status {status} {answer.reason}",
            again=status in _WORTH_ANOTHER_TRY,
            wait=float(wait) if wait.isdigit() else 0.0,
        )
    if not pages and _is_page(answer) and not _wants_page(answer):
        title = _title(next(answer.iter_content(4096), b""))
        raise Failure(f"the server answered with a web page{title}", again=False)
    length = answer.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None


def _is_page(answer: requests.Response) -> bool:
    return answer.headers.get("Content-Type", "").startswith(("text/html", "application/xhtml"))


def _wants_page(answer: requests.Response) -> bool:
    return urlsplit(answer.url).path.lower().endswith((".html", ".htm"))


def _title(head: bytes) -> str:
    match = re.search(rb"<title[^>]*>(.*?)</title", head, re.I | re.S)
    text = " ".join(match[1].decode("utf-8", "replace").split())[:80] if match else ""
    return f' ("{text}")' if text else ""


def _validator(answer: requests.Response) -> str:
    tag = answer.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")


def _stalled(patience: Patience) -> Failure:
    return Failure(f"the server sent nothing for {patience.stall:g} s")


def _why(error: Exception) -> str:
    text = str(error)
    for hint in ("refused", "reset", "resolve", "certificate", "closed connection"):
        if hint in text.lower():
            return f" ({hint})"
    return ""


def _note(part: Path) -> Path:
    return part.with_name(part.name + ".validator")


def _drive_id(address: str) -> str | None:
    """Return the number of a file on Google Drive, if an address is that of one."""
    parts = urlsplit(address)
    if parts.hostname not in ("drive.google.com", "docs.google.com"):
        return None
    match = re.search(r"/file/d/([\w-]+)", parts.path)
    return match[1] if match else parse_qs(parts.query).get("id", [None])[0]


def _from_drive(number: str, part: Path, patience: Patience) -> None:
    """Download a file of Google Drive by gdown, which answers the question whether it may go unscanned."""
    import gdown

    try:
        gdown.download(
            id=number,
            output=str(part),
            quiet=not sys.stderr.isatty(),
            use_cookies=False,
            resume=True,
            timeout=(patience.connect, patience.stall),
            retries=patience.tries - 1,
        )
    except Exception as error:  # whatever gdown trips over in an answer that it does not expect
        if isinstance(error, OSError) and not isinstance(error, requests.RequestException):
            raise
        raise Failure(f"Google Drive did not give it ({' '.join(str(error).split())[:300]})") from None


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
