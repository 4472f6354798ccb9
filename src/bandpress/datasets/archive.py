"""Safe unpacking of untrusted archives: nothing outside the folder, no links, no bombs, no partial results."""

import bz2
import errno
import gzip
import lzma
import os
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple

from bandpress.errors import DataError
from bandpress.files import atomic_path
from bandpress.optional import require

_TAR = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tar.bzip2", ".tbz2")
#: Endings of archives.
ENDINGS = (".zip", *_TAR)
#: Endings of single compressed files.
PACKED: dict[str, Callable[..., Any]] = {
    ".xz": lzma.open,
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".bzip2": bz2.open,
}

_MOST_MEMBERS = 100_000
_MOST_RATIO = 200
_ALWAYS_FINE = 1 << 28
_CHUNK = 1 << 20
_MOST_AT_ONCE = 1 << 21
_MAGIC: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
_LONGEST_MAGIC = max(map(len, _MAGIC))
#: Exceptions of the libraries for damaged archives; the last four come from invalid names and numbers.
_DAMAGED = (
    *(zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error, gzip.BadGzipFile, EOFError),
    *(ValueError, IndexError, OverflowError, struct.error),
)


class _Member(NamedTuple):
    name: str
    is_folder: bool
    is_file: bool
    open: Callable[[], IO[bytes]]


def is_archive(path: Path) -> bool:
    """Say whether a file is an archive that can be unpacked, by its name."""
    return path.is_file() and path.name.lower().endswith(ENDINGS) and not path.name.startswith(".")


def stem(path: Path) -> str:
    """Return the name of an archive without its ending."""
    for ending in sorted(ENDINGS, key=len, reverse=True):
        if path.name.lower().endswith(ending):
            return path.name[: -len(ending)] or "archive"
    return path.name + ".unpacked"


def test(path: Path, name: str) -> None:
    """Check that an archive or a compressed file is complete, by reading it to its end; ignore other files.

    Parameters
    ----------
    path
        The file.
    name
        Name of the file; its ending gives its kind.

    Raises
    ------
    DataError
        If it is damaged, or unpacks to an implausible size.
    """
    ending = Path(name).suffix.lower()
    with stated(path):
        budget = Budget(path, None)
        if name.lower().endswith(ENDINGS):
            for member in _members(path, budget):
                if member.is_file:
                    with closing(member.open()) as source:
                        copy(source, None, budget)
        elif ending in PACKED:
            with PACKED[ending](path, "rb") as source:
                copy(source, None, budget)


def unpack(path: Path, folder: Path, only: Sequence[str] = ()) -> Path:
    """Unpack a zip or tar archive into a folder of its own, once.

    Parameters
    ----------
    path
        The archive.
    folder
        Folder to make; an existing folder made from the same archive is kept.
    only
        Names or patterns (``*_img``) of the wanted files; files whose names begin the same (headers) are unpacked too.
        Default: all files.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    DataError
        If the archive is damaged, encrypted or of an unknown kind, names files outside the folder, holds links or
        devices, or would unpack to an implausible size or to more than there is room for. No files are left then.
    """
    state = _state(path, only)
    if _is_unpacked(state, folder):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    filelock = require("filelock", path, "data")
    with filelock.FileLock(folder.with_name(f".{folder.name}.lock")):
        if not _is_unpacked(state, folder):
            _unpack(path, folder, only, state)
    return folder


def _is_unpacked(state: str, folder: Path) -> bool:
    """Say whether the folder was made from this archive, or existed before any archive was unpacked into it."""
    mark = _mark(folder)
    return folder.is_dir() and (not mark.is_file() or mark.read_text("utf-8") == state)


def _mark(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.unpacked")


def _state(path: Path, only: Sequence[str]) -> str:
    state = path.stat()
    return " ".join([path.name, str(state.st_size), str(state.st_mtime_ns), *only]) + "\n"


def _unpack(path: Path, folder: Path, only: Sequence[str], state: str) -> None:
    budget = Budget(path, folder.parent)
    with stated(path, folder.parent), atomic_path(folder) as part:
        part.mkdir()
        for member in _members(path, budget):
            if not only or (member.is_file and _wanted(member.name, only)):
                _write(member, path, part, budget)
        if only and not any(part.iterdir()):
            raise DataError(
                f"{path}: no file in it is named {' or '.join(only)}; expected them in the archive"
            )
        # In this order, a folder never exists without the mark of its archive.
        if folder.is_dir():
            shutil.rmtree(folder)
        _mark(folder).write_text(state, "utf-8")


def _wanted(name: str, only: Sequence[str]) -> bool:
    """Say whether a member is wanted, or has a name that begins like a wanted one, such as a header."""
    return any(fnmatch(name, f"*{beginning}*") for beginning in map(_beginning, only))


def _beginning(pattern: str) -> str:
    path = PurePosixPath(pattern.partition(":")[0])
    return str(path.with_suffix("")) if path.suffix else str(path)


@contextmanager
def stated(path: Path, folder: Path | None = None, expected: str = "a zip or tar archive") -> Iterator[None]:
    """Convert the libraries' exceptions for damaged archives to one sentence."""
    try:
        yield
    except _DAMAGED as error:
        raise DataError(f"{path}: damaged ({error}); expected {expected}") from None
    except RuntimeError as error:
        raise DataError(f"{path}: cannot be unpacked ({error}); expected a plain archive") from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT) and folder is not None:
            raise DataError(f"{folder}: no space left on the device to unpack {path}") from None
        if error.errno in (None, errno.EINVAL):  # raised by bz2 for other files, by zipfile for wrong places
            raise DataError(f"{path}: damaged ({error}); expected {expected}") from None
        raise


class Budget:
    """Budget of bytes to unpack from a file.

    Parameters
    ----------
    path
        The packed file.
    folder
        Target of the bytes, or None.
    """

    def __init__(self, path: Path, folder: Path | None):
        self.path, self.folder = path, folder
        self._left = max(_ALWAYS_FINE, _MOST_RATIO * path.stat().st_size)
        self._members = _MOST_MEMBERS

    def spend(self, count: int) -> None:
        """Count bytes to be written."""
        self.pass_over(count)
        if self.folder is not None and shutil.disk_usage(self.folder).free < count:
            raise DataError(f"{self.folder}: no space left on the device to unpack {self.path}")

    def pass_over(self, count: int) -> None:
        """Count bytes that are unpacked but not written."""
        self._left -= count
        if self._left < 0:
            raise DataError(
                f"{self.path}: unpacks to more than {_MOST_RATIO} times its size; expected an archive of scenes"
            )

    def member(self) -> None:
        """Count a file or folder."""
        self._members -= 1
        if self._members < 0:
            raise DataError(f"{self.path}: more than {_MOST_MEMBERS} files; expected an archive of scenes")


def copy(source: IO[bytes], target: IO[bytes] | None, budget: Budget) -> None:
    """Copy the content of a compressed file within a budget, or only read it."""
    while chunk := source.read(_CHUNK):
        budget.spend(len(chunk))
        if target is not None:
            target.write(chunk)


def _members(path: Path, budget: Budget) -> Iterator[_Member]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                mode = info.external_attr >> 16
                regular = not info.is_dir() and (not stat.S_IFMT(mode) or stat.S_ISREG(mode))
                yield _Member(info.filename, info.is_dir(), regular, lambda info=info: archive.open(info))  # type: ignore[misc]
    else:
        with _open_tar(path, budget) as tar:
            for entry in tar:
                # A sparse file may state any size at no cost, and no scene is one.
                regular = entry.isreg() and not entry.issparse()
                yield _Member(entry.name, entry.isdir(), regular, lambda entry=entry: tar.extractfile(entry))  # type: ignore[misc,arg-type]
            # The checksum of a compressed stream is at its end, beyond the last byte that the archive needs.
            while tar.fileobj is not None and (rest := tar.fileobj.read(_CHUNK)):
                budget.pass_over(len(rest))


@contextmanager
def _open_tar(path: Path, budget: Budget) -> Iterator[tarfile.TarFile]:
    with open(path, "rb") as file:
        start = file.read(_LONGEST_MAGIC)
    unpacked = next((open_ for magic, open_ in _MAGIC.items() if start.startswith(magic)), open)
    with unpacked(path, "rb") as stream:
        try:
            tar = tarfile.open(fileobj=_Modest(stream, path, budget), mode="r:")  # type: ignore[call-overload]  # noqa: SIM115
        except tarfile.ReadError:
            raise DataError(
                f"{path}: unknown kind of archive; expected one of {', '.join(ENDINGS)}"
            ) from None
        with tar:
            yield tar


class _Modest:
    """A stream that counts skipped bytes and limits single reads, since `tarfile` reads names of any size at once."""

    def __init__(self, stream: IO[bytes], path: Path, budget: Budget):
        self._stream, self._path, self._budget = stream, path, budget
        self.tell = stream.tell

    def seek(self, place: int) -> int:
        self._budget.pass_over(max(0, place - self.tell()))
        return self._stream.seek(place)

    def read(self, size: int) -> bytes:
        if size > _MOST_AT_ONCE:
            raise DataError(
                f"{self._path}: a name or a record of {size} bytes; expected at most {_MOST_AT_ONCE}"
            )
        return self._stream.read(size)


def _write(member: _Member, path: Path, folder: Path, budget: Budget) -> None:
    budget.member()
    name = PurePosixPath(member.name)
    shown = ascii(member.name)
    if (
        name.is_absolute()
        or ".." in name.parts
        or "\\" in member.name
        or not member.name.isprintable()
        or any(len(os.fsencode(part)) > 200 or part.endswith(":") for part in name.parts)
        or (name.parts and len(name.parts[0]) > 1 and name.parts[0][1] == ":")
    ):
        raise DataError(f"{path}: names {shown}; expected plain names within one folder")
    target = folder.joinpath(*name.parts)
    if member.is_folder:
        if target.exists() and not target.is_dir():
            raise DataError(f"{path}: names {shown} twice, as a file and as a folder")
        target.mkdir(parents=True, exist_ok=True)
        return
    if not member.is_file:
        raise DataError(f"{path}: {shown} is a link or a device; expected files and folders")
    if not name.parts or target.exists():
        raise DataError(f"{path}: names {shown} twice; expected each file once")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with closing(member.open()) as source, open(target, "xb") as file:
            copy(source, file, budget)
    except (FileExistsError, NotADirectoryError):
        raise DataError(f"{path}: names {shown} both as a file and as a folder") from None
