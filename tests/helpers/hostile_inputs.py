"""Hostile files of every kind but ``.bpk``, drawn by Hypothesis, and what comes of reading them.

Each kind is honest files with changed bytes, or files made to be odd: other types, shapes, names, sizes and nesting,
checksums made right. Run ``python tests/helpers/hostile_inputs.py FILES KIND…`` for a table of outcomes.
"""

import faulthandler
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings

import hostile_documents
import hostile_scenes
from bandpress.errors import BandpressError
from hostile_files import LIMIT, MEMORY, peak_since_reset
from odd import Files

#: After so many seconds on one file the process ends, with a traceback of where it was.
_ENDLESS = 120.0


KINDS = {**hostile_scenes.KINDS, **hostile_documents.KINDS}


class Found(NamedTuple):
    """Outcomes of many files, the most that one of them took, and the files that ended otherwise."""

    outcomes: Counter[str]
    most: dict[str, float]
    kept: dict[str, Files]


def outcome(folder: Path, read: Callable[[Path], object]) -> str:
    """Read the files of a folder; return how that ended."""
    faulthandler.dump_traceback_later(_ENDLESS, exit=True)
    try:
        read(folder)
        return "read"
    except BandpressError as error:
        if not str(error).startswith(str(folder)):
            return f"no file named: {error}"[:160]
        return "refused"
    except Exception as error:
        where = error.__traceback__
        while where and where.tb_next:
            where = where.tb_next
        place = f"{Path(where.tb_frame.f_code.co_filename).name}:{where.tb_lineno}" if where else ""
        return f"{type(error).__name__} ({place}): {error}"[:160]
    finally:
        faulthandler.cancel_dump_traceback_later()


def count(kind: str, files: int) -> Found:
    """Read so many files of a kind; the same ones every time."""
    found = Found(Counter(), {"s": 0.0, "MB": 0.0}, {})
    base = Path(tempfile.mkdtemp(prefix="hostile-"))

    @settings(
        max_examples=files,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(KINDS[kind].files())
    def one(content: Files) -> None:
        folder = base / "in"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, data in content.items():
            (folder / name).write_bytes(data)
        peak_since_reset(reset=True)
        start, before = time.process_time(), peak_since_reset()
        ended = outcome(folder, KINDS[kind].read)
        seconds, taken = time.process_time() - start, peak_since_reset()
        if seconds > LIMIT:
            ended += ", slow"
        if taken > MEMORY and taken > before and "tensorflow" not in sys.modules:
            ended += ", much memory"
        found.outcomes[ended] += 1
        found.most["s"] = max(found.most["s"], seconds)
        found.most["MB"] = max(found.most["MB"], taken / 1e6)
        if ended not in ("read", "refused"):
            found.kept.setdefault(ended, content)

    try:
        one()
    finally:
        shutil.rmtree(base, ignore_errors=True)
    return found


def main(files: int, kinds: list[str]) -> None:
    """Print a table of outcomes."""
    for kind in kinds or KINDS:
        start = time.process_time()
        found = count(kind, files)
        for ended, number in found.outcomes.most_common():
            print(f"{kind}\t{number}\t{ended}", flush=True)
        for number, (_, content) in enumerate(found.kept.items()):
            folder = Path(tempfile.mkdtemp(prefix=f"hostile-{kind}-{number}-".replace(" ", "-")))
            for name, data in content.items():
                (folder / name).write_bytes(data)
            print(f"{kind}\tkept\t{folder}")
        most = f"at most {found.most['s']:.2f} s and {found.most['MB']:.0f} MB"
        print(f"{kind}\t{time.process_time() - start:.1f} s\t{most}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
