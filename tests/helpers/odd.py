"""Odd values, and files with changed bytes, drawn by Hypothesis."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import strategies as st

#: Files of a folder by name; a folder is what is read.
Files = dict[str, bytes]


class Kind(NamedTuple):
    """How files of a kind are drawn, and how they are read."""

    files: Callable[[], st.SearchStrategy[Files]]
    read: Callable[[Path], object]


def files_in(folder: Path) -> Files:
    """Return the files of a folder."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


TEXTS = st.one_of(
    st.sampled_from(
        ["", "x", "..", "../x", "/x", "nan", "1", "-1", "1e999", "\x1b[2J", "\ud800", "\0", "a" * 5000, "é"]
    ),
    st.text(st.characters(codec=None), max_size=8),
)
NUMBERS = st.one_of(
    st.sampled_from(
        [
            0,
            1,
            -1,
            255,
            1 << 31,
            1 << 63,
            -(1 << 63),
            1 << 64,
            10**400,
            1e308,
            1e-308,
            float("nan"),
            float("inf"),
            -0.0,
        ]
    ),
    st.integers(),
    st.floats(),
)
ODD = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def noisy(draw: Any, data: bytes, marks: tuple[bytes, ...] = ()) -> bytes:
    """Change some bytes of anything: set, flip, cut, repeat, insert; `marks` are inserted too."""
    changed = bytearray(data)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(changed)))
        count = draw(st.sampled_from([1, 1, 2, 4, 8, 64]))
        match draw(st.integers(0, 7 if marks else 6)):
            case 0:
                changed[at : at + 1] = bytes([draw(st.sampled_from([0, 1, 127, 128, 255]))])
            case 1 if at < len(changed):
                changed[at] ^= 1 << draw(st.integers(0, 7))
            case 2:
                del changed[at : at + count]
            case 3:
                changed[at:at] = changed[at : at + count]
            case 4:
                changed[at : at + count] = draw(st.binary(min_size=count, max_size=count))
            case 5:
                changed[at : at + 8] = draw(st.sampled_from([b"\xff" * 8, b"\0" * 8, b"\xff" * 7 + b"\x7f"]))
            case 6 if draw(st.integers(0, 3)) == 0:
                del changed[at:]
            case 7:
                changed[at:at] = draw(st.sampled_from(marks))
    return bytes(changed)


@st.composite
def odd_json(draw: Any, found: Any) -> Any:
    """Put odd values in some places of a JSON value."""
    found = json.loads(json.dumps(found))
    for _ in range(draw(st.integers(1, 3))):
        here = found
        while isinstance(here, dict | list) and here:
            keys = sorted(here) if isinstance(here, dict) else range(len(here))
            key = draw(st.sampled_from(keys))
            inner = here[key]
            if isinstance(inner, dict | list) and inner and draw(st.integers(0, 4)):
                here = inner
                continue
            match draw(st.integers(0, 9)):
                case 0:
                    del here[key]
                case 1 if isinstance(here, dict):
                    here[draw(TEXTS)] = draw(ODD)
                case 2 if isinstance(here, list):
                    here.append(draw(ODD))
                case _:
                    here[key] = draw(ODD)
            break
    return found


def json_text(found: Any) -> bytes:
    return json.dumps(found).encode()


def json_files(name: str, honest: Any, beside: Files) -> st.SearchStrategy[Files]:
    """A file of JSON with odd values, with changed bytes, or nested deep, and files beside it."""
    text = json_text(honest)
    deep = st.sampled_from([b"[", b'{"a":']).map(lambda mark: mark * 100_000)
    content = st.one_of(
        odd_json(honest).map(json_text), noisy(text, (b"NaN", b"1" * 5000, b"{", b"\xff")), deep
    )
    return content.map(lambda data: {**beside, name: data})
