"""The lock file of a study: the SHA-256 of every file that was first seen without one.

JSON, one object: address → ``{"sha256": …, "bytes": …}``; the address of a file brought by hand is ``<page>#<file>``.
What was chosen of a page is ``<page>#<data set>`` → ``{"offered": [[address, file], …]}``.
Made to be kept beside the study and shared with it.
"""

import json
from pathlib import Path
from typing import Any

from bandpress.errors import DataError
from bandpress.files import atomic_path
from bandpress.formats.optional import require


def locked(lock: Path | None, address: str) -> str | None:
    """Return the SHA-256 that the lock file has for an address, or None."""
    return None if lock is None else _read(lock).get(address, {}).get("sha256")


def record(lock: Path | None, address: str, sha256: str, size: int) -> None:
    """Add an address to the lock file.

    Raises
    ------
    DataError
        If it has it already with another SHA-256.
    """
    known = locked(lock, address)
    if known not in (None, sha256):
        raise DataError(f"{address}: SHA-256 {sha256}; expected {known}, recorded in {lock}")
    if lock is not None and known is None:
        _add(lock, address, {"sha256": sha256, "bytes": size})


def offered(lock: Path | None, key: str) -> list[list[str]]:
    """Return address and name of each file that was chosen of a page before; none if it was not looked at yet."""
    return [] if lock is None else _read(lock).get(key, {}).get("offered", [])


def record_offer(lock: Path | None, key: str, offer: list[list[str]]) -> None:
    """Add what was chosen of a page to the lock file, unless it is there."""
    if lock is not None and not offered(lock, key):
        _add(lock, key, {"offered": offer})


def _add(lock: Path, key: str, entry: dict[str, Any]) -> None:
    lock.parent.mkdir(parents=True, exist_ok=True)
    filelock = require("filelock", lock, "data")
    with filelock.FileLock(lock.with_name(f".{lock.name}.lock")), atomic_path(lock) as part:
        entries = {**_read(lock), key: entry}
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
        return all(len(pair) == 2 and all(isinstance(text, str) for text in pair) for pair in entry["offered"])
    return isinstance(entry["sha256"], str)
