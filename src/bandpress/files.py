"""Writing files whole or not at all."""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` on success, remove it otherwise.

    The temporary name keeps the suffix of `path`, starts with a dot and is on the same file system, so that the
    rename is atomic: a reader sees the old file, the new file, or none, never half of one. The temporary path may
    become a file or a folder; a folder can only take the place of nothing.

    Parameters
    ----------
    path
        Final path. Its parent folder is made if it does not exist.

    Yields
    ------
    pathlib.Path
        Where to write.
    """
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    part = final.with_name(f".{final.stem[:80]}.{secrets.token_hex(4)}.part{final.suffix}")
    try:
        yield part
        os.replace(part, final)
    except OSError as error:
        if error.filename is None:  # as when a device is full: say which file it was
            error.filename = str(final)
        raise
    finally:
        _remove(part)


def remove_parts(path: str | os.PathLike[str]) -> None:
    """Remove what `atomic_path` left beside `path` when its process was killed; for those who alone write there.

    Parameters
    ----------
    path
        Final path, which is left as it is.
    """
    final = Path(path)
    pattern = re.compile(rf"\.{re.escape(final.stem[:80])}\.[0-9a-f]{{8}}\.part{re.escape(final.suffix)}")
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
