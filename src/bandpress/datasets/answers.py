"""Server requests: timeouts, retries, and detection of web pages sent in place of files."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from bandpress.optional import needed

with needed("downloads", "data"):
    import requests

_WORTH_ANOTHER_TRY = (408, 425, 429, 500, 502, 503, 504)
CHUNK = 1 << 14
_LARGEST_PAGE = 20_000_000
_PAGE = re.compile(
    rb"\s*(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b",
    re.I | re.S,
)
_T = TypeVar("_T")


@dataclass(frozen=True)
class Patience:
    """Timeouts in seconds and number of tries.

    Parameters
    ----------
    connect
        Timeout of the connection.
    stall
        Timeout of the next bytes.
    tries
        Tries per address.
    pause
        Wait between two tries; doubles each time.
    """

    connect: float = 15.0
    stall: float = 30.0
    tries: int = 5
    pause: float = 1.0


#: Patience for the download of a data set.
PATIENCE = Patience()


class Failure(Exception):
    """A request to an address failed.

    Parameters
    ----------
    what
        Description of the failure.
    again
        Whether another try may help, after `wait` seconds.
    keep
        Whether a partial file can still be resumed. Default: as `again`.
    """

    def __init__(self, what: str, again: bool = True, wait: float = 0.0, keep: bool | None = None):
        super().__init__(what)
        self.again, self.wait, self.keep = again, wait, again if keep is None else keep


class Probe(NamedTuple):
    """A server's description of an address: size in bytes or None, name of the file, whether it is a web page."""

    size: int | None
    name: str
    is_page: bool


def probe(address: str, patience: Patience) -> Probe:
    """Request a file and inspect the beginning of the answer.

    Raises
    ------
    Failure
        If there is no answer.
    """
    if drive_id(address) is not None:
        return Probe(None, "", False)

    def ask() -> Probe:
        with answered(address, patience) as answer:
            understood(answer, 0, pages=True)
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
            return Probe(size, name, calls_it_page(answer) or looks_like_page(head))

    return retried(ask, patience)


def ask_size(address: str, patience: Patience) -> int | None:
    """Return the size of a file in bytes as its server states it, or None.

    Raises
    ------
    Failure
        If no server answers. Errors in its answer appear when the file is downloaded.
    """

    def ask() -> int | None:
        with answered(address, patience, method="HEAD") as answer:
            length = answer.headers.get("Content-Length", "")
            return int(length) if answer.status_code == 200 and length.isdigit() else None

    return retried(ask, patience)


def read_page(address: str, patience: Patience) -> tuple[str, bytes]:
    """Return the final address of a page, after redirects, and its bytes.

    Raises
    ------
    Failure
        If it cannot be read, or is not a web page.
    """

    def ask() -> tuple[str, bytes]:
        with answered(address, patience) as answer:
            understood(answer, 0, pages=True)
            body = b""
            for chunk in answer.iter_content(CHUNK):
                body += chunk
                if len(body) > _LARGEST_PAGE:
                    raise Failure(f"more than {_LARGEST_PAGE} bytes, which is not a web page", again=False)
            if not (calls_it_page(answer) or looks_like_page(body)):
                raise Failure("the answer of the server is not a web page", again=False)
            return answer.url, body

    return retried(ask, patience)


def drive_id(address: str) -> str | None:
    """Return the identifier of a Google Drive file from its address, or None."""
    parts = urlsplit(address)
    if parts.hostname not in ("drive.google.com", "docs.google.com"):
        return None
    match = re.search(r"/file/d/([\w-]+)", parts.path)
    return match[1] if match else parse_qs(parts.query).get("id", [None])[0]


def retried(action: Callable[[], _T], patience: Patience) -> _T:
    """Return an action's result, with retries."""
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
def answered(
    address: str,
    patience: Patience,
    headers: dict[str, str] | None = None,
    have: Callable[[], int] = lambda: 0,
    method: str = "GET",
) -> Iterator[requests.Response]:
    """Yield a server's answer; turn connection errors into a `Failure`."""
    sent = {"Accept-Encoding": "identity", "User-Agent": "bandpress", **(headers or {})}
    try:
        with requests.request(
            method,
            address,
            headers=sent,
            stream=True,
            allow_redirects=True,
            timeout=(patience.connect, patience.stall),
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


def understood(answer: requests.Response, have: int, pages: bool = False) -> tuple[int, int | None]:
    """Return the number of valid bytes of the partial file, and the total size."""
    status = answer.status_code
    if status == 206:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
        if match is None or int(match[1]) != have:
            raise Failure("the server sent another part of the file than requested", again=False)
        return have, None if match[2] == "*" else int(match[2])
    if status == 416:
        raise Failure("the file on the server is now shorter than the part already here", again=False)
    if status != 200:
        wait = answer.headers.get("Retry-After", "")
        raise Failure(
            f"HTTP status {status} {answer.reason}",
            again=status in _WORTH_ANOTHER_TRY,
            wait=float(wait) if wait.isdigit() else 0.0,
            keep=True,
        )
    if not pages and calls_it_page(answer) and not wants_page(answer):
        title = title_of(next(answer.iter_content(4096), b""))
        raise Failure(f"the server answered with a web page{title}", again=False)
    length = answer.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None


def looks_like_page(beginning: bytes) -> bool:
    """Say whether bytes begin like a web page."""
    return _PAGE.match(beginning[:2048]) is not None


def calls_it_page(answer: requests.Response) -> bool:
    """Say whether a server calls its answer a web page."""
    return answer.headers.get("Content-Type", "").startswith(("text/html", "application/xhtml"))


def wants_page(answer: requests.Response) -> bool:
    """Say whether a web page was asked for."""
    return urlsplit(answer.url).path.lower().endswith((".html", ".htm"))


def title_of(head: bytes) -> str:
    """Return the quoted title of a web page, or an empty string."""
    match = re.search(rb"<title[^>]*>(.*?)</title", head, re.I | re.S)
    text = " ".join(match[1].decode("utf-8", "replace").split())[:80] if match else ""
    return f' ("{text}")' if text else ""


def _stalled(patience: Patience) -> Failure:
    return Failure(f"the server sent nothing for {patience.stall:g} s")


def _why(error: Exception) -> str:
    text = str(error)
    for hint in ("refused", "reset", "resolve", "certificate", "closed connection"):
        if hint in text.lower():
            return f" ({hint})"
    return ""
