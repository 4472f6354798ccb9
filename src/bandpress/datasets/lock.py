"""The lock file of a study: the SHA-256 of every download for which the study gives none.

JSON, one object: address → ``{"sha256": …, "bytes": …}``; the address of a file put there by hand is ``<page>#<file>``.
The choice from a page is ``<page>#<data set>`` → ``{"found as": …, "offered": [[address, file], …]}``. Keep the file
beside the study, and share it with the study.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bandpress.datasets.folder import data_folder
from bandpress.errors import DataError
from bandpress.files import atomic_path
from bandpress.optional import require


def locked(lock: Path | None, address: str) -> str | None:
    """Return the SHA-256 that the lock file has for an address, or None."""
    return None if lock is None else _read(lock).get(address, {}).get("sha256")


def record(lock: Path | None, address: str, sha256: str, size: int) -> None:
    """Add an address to the lock file.

    Raises
    ------
    DataError
        If the file records another SHA-256 for it.
    """
    if lock is None:
        return
    with _editing(lock) as entries:
        known = entries.get(address, {}).get("sha256", sha256)
        if known != sha256:
            raise DataError(f"{address}: SHA-256 {sha256}; expected {known}, recorded in {lock}")
        entries.setdefault(address, {"sha256": sha256, "bytes": size})


def offered(lock: Path | None, key: str) -> tuple[str, list[list[str]]]:
    """Return the recorded choice from a page: the name that matched, address and name of each file."""
    entry = {} if lock is None else _read(lock).get(key, {})
    return entry.get("found as", ""), entry.get("offered", [])


def record_offer(lock: Path | None, key: str, found: str, offer: list[list[str]]) -> None:
    """Record a choice from a page in the lock file, if it is new."""
    if lock is not None:
        with _editing(lock) as entries:
            entries.setdefault(key, {"found as": found, "offered": offer})


@contextmanager
def _editing(lock: Path) -> Iterator[dict[str, Any]]:
    """Yield the entries of the lock file; write them back if they changed."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    filelock = require("filelock", lock, "data")
    # Beside the downloads, not beside the study, since it locks jobs that download.
    writable = (
        folder for folder in (data_folder(), Path(tempfile.gettempdir())) if os.access(folder, os.W_OK)
    )
    with filelock.FileLock(next(writable, lock.parent) / f".{lock.name}.lock"):
        entries = _read(lock)
        before = len(entries)
        yield entries
        if len(entries) > before:
            with atomic_path(lock) as part:
                part.write_text(json.dumps(entries, indent=2, sort_keys=True) + "\n", "utf-8")


def _read(lock: Path) -> dict[str, Any]:
    if not lock.exists():
        return {}
    try:
        entries = json.loads(lock.read_text("utf-8"))
        if not all(_is_entry(entry) for entry in entries.values()):
            raise ValueError("an entry without sha256")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{lock}: cannot be read ({error}); expected an object of addresses and SHA-256"
        ) from None
    return entries


def _is_entry(entry: dict[str, Any]) -> bool:
    if "offered" in entry:
        return (
            isinstance(entry["found as"], str)
            and isinstance(entry["offered"], list)
            and all(
                isinstance(pair, list)
                and len(pair) == 2
                and all(isinstance(text, str) and text.isprintable() for text in pair)
                and _is_plain(pair[1])
                for pair in entry["offered"]
            )
        )
    return isinstance(entry["sha256"], str)


def _is_plain(name: str) -> bool:
    """Say whether a printable name is that of a file within its folder."""
    return (
        name not in ("", ".", "..") and not any(mark in name for mark in "/\\") and len(name.encode()) <= 200
    )
