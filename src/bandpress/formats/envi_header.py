"""The text of ENVI headers: one ``key = value`` per line, lists in braces over any number of lines.

Read as UTF-8 or UTF-16 with a byte order mark, as UTF-8 without one, else as Latin-1, which accepts any bytes; written
as ASCII.
"""

import codecs
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bandpress.errors import SceneError

#: Largest header. Those of flight lines have some tens of kB.
_MOST_BYTES = 1 << 24


def read_header(path: Path) -> dict[str, str | list[str]]:
    """Return the fields of a header, with keys in lower case; a value is a text or a list of texts.

    Raises
    ------
    SceneError
        If it is not an ENVI header.
    """
    if path.stat().st_size > _MOST_BYTES:
        raise SceneError(f"{path}: {path.stat().st_size} bytes; expected an ENVI header, a text file")
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-16" if raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    lines = iter(text.splitlines())
    if not next(lines, "").strip().upper().startswith("ENVI"):
        raise SceneError(f"{path}: not an ENVI header; expected ENVI in its first line, then key = value")
    fields: dict[str, str | list[str]] = {}
    for line in lines:
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals or key.startswith(";"):
            continue
        key = key.lower()
        if not value.startswith("{"):
            fields[key] = value
            continue
        while not value.endswith("}"):
            more = next(lines, None)
            if more is None:
                raise SceneError(f"{path}: not an ENVI header; expected a brace that ends the field {key!r}")
            value += "" if more.lstrip().startswith(";") else "\n" + more.strip()
        inner = value[1:-1].strip()
        fields[key] = (
            inner if key == "description" else [item.strip() for item in inner.rstrip(",").split(",")]
        )
        if fields[key] == [""]:
            del fields[key]
    return fields


def write_header(fields: Mapping[str, Any], path: Path) -> None:
    """Write a header of numbers and of fields for which `is_field` is true."""
    lines = ["ENVI"]
    for key, value in fields.items():
        if isinstance(value, list | tuple):
            value = "{" + ", ".join(map(str, value)) + "}"
        elif key == "description":
            value = "{" + str(value) + "}"
        lines.append(f"{key} = {value}")
    path.write_text("\n".join(lines) + "\n", "ascii")


def is_field(key: str, value: Any) -> bool:
    """Say whether a header can hold this field: a text or a list of texts that it reproduces."""
    if key != key.strip().lower() or not _plain(key) or key[:1] == ";" or "=" in key:
        return False
    if isinstance(value, list):
        return (
            key != "description" and bool(value) and all(_plain(text) and "," not in text for text in value)
        )
    return _plain(value)


def _plain(text: Any) -> bool:
    return (
        isinstance(text, str)
        and text == text.strip() != ""
        and text.isprintable()
        and text.isascii()
        and not set("{}") & set(text)
    )
