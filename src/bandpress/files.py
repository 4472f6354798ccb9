"""Atomic writing of files, protection of existing files, digests."""

import hashlib
import os
import re
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bandpress.errors import ExistsError

#: Temporary paths of this process.
_unfinished: set[Path] = set()

#: Bytes of memory that any file may claim, and those that each of its bytes may claim in addition: enough for genuine
#: files with little content, such as a constant scene, and for rates down to 0.004 bits per sample.
_FREE_BYTES, _BYTES_A_BYTE = 1 << 29, 1 << 12


def refuse_to_replace(
    outputs: Iterable[str | os.PathLike[str]],
    overwrite: bool = False,
    inputs: Iterable[str | os.PathLike[str]] = (),
) -> None:
    """Reject outputs that would replace existing files; every command calls this before it starts work.

    Parameters
    ----------
    outputs
        Every output file: data, header and sidecar.
    overwrite
        Replace existing files.
    inputs
        Every input file; none may be replaced, under any name or link.

    Raises
    ------
    ExistsError
        If an output exists and may not be replaced, is no regular file, is one of the inputs, or if its folder cannot
        be written.
    """
    read = [Path(path) for path in inputs]
    for output in map(Path, outputs):
        if any(same_file(output, path) for path in read):
            raise ExistsError(f"{output}: is the input file; expected another output")
        if output.is_dir():
            raise ExistsError(f"{output}: a folder; expected the name of a file to write")
        if output.exists() and not output.is_file():
            raise ExistsError(f"{output}: a device or pipe; expected the name of a file to write")
        _refuse_folder(output)
        if not overwrite and (output.exists() or output.is_symlink()):
            raise ExistsError(f"{output}: exists already; give --overwrite to replace it")


def _refuse_folder(output: Path) -> None:
    """Reject an output whose folder cannot be written or made."""
    folder = next(parent for parent in output.absolute().parents if parent.exists())
    if not folder.is_dir():
        raise ExistsError(f"{output}: cannot be written, since {folder} is a file; expected a folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ExistsError(
            f"{output}: cannot be written, since {folder} is read-only; expected another folder"
        )


def same_file(one: Path, two: Path) -> bool:
    """Say whether two paths lead to the same file, through links or other spellings."""
    try:
        return one.samefile(two)
    except OSError:
        return False


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` on success, remove it otherwise.

    The temporary name keeps the suffix of `path`, starts with a dot and is on the same file system, so that the
    rename is atomic: a reader sees the old file, the new file, or none, never half of one. The temporary path may
    become a file or a folder; a folder cannot replace an existing path.

    Parameters
    ----------
    path
        Final path. Its parent folder is created if missing.

    Yields
    ------
    pathlib.Path
        Where to write.
    """
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    part = final.with_name(f".{final.stem[:80]}.{secrets.token_hex(4)}.part{final.suffix}")
    _unfinished.add(part)
    try:
        yield part
        os.replace(part, final)
    except OSError as error:
        if error.errno is not None and error.filename is None:  # such as a full disk: name the file
            error.filename = str(final)
        raise
    finally:
        _remove(part)
        _unfinished.discard(part)


@contextmanager
def scratch_folder(prefix: str, parent: Path | None = None) -> Iterator[Path]:
    """Yield an empty folder, in the temporary folder or in `parent`; remove it at the end."""
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        _unfinished.add(folder)
        try:
            yield folder
        finally:
            _unfinished.discard(folder)


def remove_unfinished() -> None:
    """Remove all temporary files and folders of this process before it exits without unwinding."""
    for part in list(_unfinished):
        with suppress(OSError):
            _remove(part)


def remove_parts(path: str | os.PathLike[str]) -> None:
    """Remove leftovers of `atomic_path` from a killed process; only for a sole writer of `path`.

    Parameters
    ----------
    path
        Final path, which is not touched.
    """
    final = Path(path)
    # Includes parts of parts: the writer of a part may itself use `atomic_path`.
    middle = r"(\.[0-9a-f]{8}\.part)+"
    pattern = re.compile(rf"\.+{re.escape(final.stem[:80])}{middle}{re.escape(final.suffix)}")
    for left in final.parent.glob(".*.part*") if final.parent.is_dir() else ():
        if pattern.fullmatch(left.name):
            _remove(left)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        for child in path.iterdir():
            _remove(child)
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def most_memory(size: int) -> int:
    """Return the most bytes of memory to allocate for what a file of some size claims to hold."""
    return _FREE_BYTES + _BYTES_A_BYTE * size
