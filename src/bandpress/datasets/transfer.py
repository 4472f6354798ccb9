"""Transfer of a file from one address, resumable."""

import errno
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from bandpress.datasets.answers import (
    CHUNK,
    Failure,
    Patience,
    answered,
    drive_id,
    looks_like_page,
    retried,
    title_of,
    understood,
    wants_page,
)
from bandpress.datasets.size import in_words


def transfer(address: str, part: Path, patience: Patience, most: int | None = None) -> None:
    """Download the bytes missing from `part`.

    Parameters
    ----------
    address
        Address of the file.
    part
        Partial file; an earlier transfer is resumed if the server allows it.
    patience
        Timeouts and number of tries.
    most
        Most bytes to download without consent. Default: any number.

    Raises
    ------
    Failure
        If the download fails, or gives a web page. Bytes worth resuming from stay in `part`.
    """
    drive = drive_id(address)
    if drive is not None:
        return _from_drive(drive, part, patience)
    try:
        return retried(lambda: _rest(address, part, patience, most), patience)
    except Failure as failure:
        if not failure.keep:
            forget(part)
        raise


def forget(part: Path) -> None:
    """Remove the files of an interrupted transfer."""
    part.unlink(missing_ok=True)
    _note(part).unlink(missing_ok=True)


def _rest(address: str, part: Path, patience: Patience, most: int | None) -> None:
    have = part.stat().st_size if part.is_file() else 0
    same = _note(part).read_text("utf-8") if have and _note(part).is_file() else ""
    wanted = {"Range": f"bytes={have}-", "If-Range": same} if have and same else {}
    with answered(address, patience, wanted, lambda: have) as answer:
        have, total = understood(answer, have)
        if total is not None:
            if most is not None and total > most:
                raise TooLarge(total)
            if shutil.disk_usage(part.parent).free < total - have:
                raise OSError(errno.ENOSPC, "no room")
        _note(part).write_text(_validator(answer), "utf-8")
        with open(part, "ab" if have else "wb") as file, _bar(part, have, total) as progress:
            for chunk in answer.iter_content(CHUNK):
                if have == 0 and looks_like_page(chunk) and not wants_page(answer):
                    raise Failure(f"the server answered with a web page{title_of(chunk)}", again=False)
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
        raise Failure(f"{have} bytes received; expected {total}")


class TooLarge(Failure):
    """Download larger than allowed without consent."""

    def __init__(self, size: int):
        super().__init__(f"{in_words(size)} or more", again=False)
        self.size = size


def _validator(answer: requests.Response) -> str:
    tag = answer.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")


def _note(part: Path) -> Path:
    return part.with_name(part.name + ".validator")


def _from_drive(number: str, part: Path, patience: Patience) -> None:
    """Download a Google Drive file with gdown, which confirms the download of unscanned files."""
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
    except Exception as error:  # any error of gdown in an unexpected answer
        if isinstance(error, OSError) and not isinstance(error, requests.RequestException):
            raise
        raise Failure(f"Google Drive did not give it ({' '.join(str(error).split())[:300]})") from None


@contextmanager
def _bar(part: Path, have: int, total: int | None) -> Iterator[Any]:
    """Show progress on a terminal after two seconds."""
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
