"""Reading and validation of study files; errors give file, line and key.

Nothing in the file is executed: YAML tags are rejected.
"""

import contextlib
import json
import math
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq, TaggedScalar
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scanner import RoundTripScanner

from bandpress.errors import StudyError
from bandpress.study.schema import Misplaced, Study

#: Limits of a study file, so that a hostile one is rejected before it fills the memory.
MOST_BYTES = 1_000_000
MOST_NODES = 1_000_000
MOST_LEVELS = 100


class _Scanner(RoundTripScanner):
    """Scan YAML whose brackets nest at most `MOST_LEVELS` deep: the time of ruamel.yaml grows with their square."""

    def fetch_flow_collection_start(self, *given: Any, **named: Any) -> None:
        if len(self.flow_context) >= MOST_LEVELS:
            problem = f"brackets nest more than {MOST_LEVELS} deep"
            raise MarkedYAMLError(problem=problem, problem_mark=self.reader.get_mark())
        super().fetch_flow_collection_start(*given, **named)


def load_study(
    path: str | Path, changes: Mapping[str, Any] | None = None, others: Collection[str] = ()
) -> Study:
    """Read and check a study file.

    Parameters
    ----------
    path
        A YAML file.
    changes
        Replacements of values in the file, merged as in Snakemake: mappings key by key, other values as a whole. A
        complete study, with the keys `study`, `datasets` and `codecs`, replaces the file.
    others
        Keys of `changes` that do not belong to the study and are ignored.

    Returns
    -------
    Study

    Raises
    ------
    StudyError
        If the file does not exist, is not YAML, or is not a valid study; one line for each fault, with the file, the
        line, the key, what was found and what was expected.
    """
    path, changes = Path(path), {key: value for key, value in (changes or {}).items() if key not in others}
    if unknown := [key for key in changes if key not in Study.model_fields]:
        raise StudyError(
            f"--config {unknown[0]}: unknown key; expected one of {', '.join((*Study.model_fields, *others))}"
        )
    raw = CommentedMap() if {"study", "datasets", "codecs"} <= set(changes) else _read(path)
    merged = _merged(json.loads(json.dumps(raw)), changes)
    try:
        return Study.model_validate(merged)
    except ValidationError as error:
        faults = [_sentence(path, raw, merged, changes, fault) for fault in error.errors()]
        raise StudyError("\n".join(dict.fromkeys(faults))) from None


def plain_values(given: Any) -> Any:
    """Convert Snakemake's ``--config KEY=VALUE`` values to plain numbers, also within lists and mappings."""
    if isinstance(given, Mapping):
        return {key: plain_values(value) for key, value in given.items()}
    if isinstance(given, list):
        return [plain_values(value) for value in given]
    if isinstance(given, str):
        with contextlib.suppress(YAMLError):
            read = YAML(typ="safe", pure=True).load(given)
            return read if isinstance(read, (bool, int, float)) else given
    return given


def _merged(owner: Any, changes: Any) -> Any:
    """Return a document with changes merged into its mappings."""
    if not (isinstance(owner, dict) and isinstance(changes, Mapping)):
        return changes
    return owner | {key: _merged(owner.get(key), value) for key, value in changes.items()}


def _read(path: Path) -> CommentedMap:
    """Read a YAML file as plain values with line numbers."""
    if not path.is_file():
        raise StudyError(f"{path}: no such study file")
    if path.stat().st_size > MOST_BYTES:
        raise StudyError(
            f"{path}: {path.stat().st_size} bytes; expected a study file of at most {MOST_BYTES}"
        )
    try:
        yaml = YAML(typ="rt", pure=True)
        yaml.Scanner = _Scanner
        raw = yaml.load(path.read_text("utf-8"))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise StudyError(f"{path}:{line}: not valid YAML: {error.problem}") from None
    except (YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise StudyError(f"{path}: not valid YAML: {str(error).splitlines()[0]}") from None
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        # Raised by ruamel.yaml for invalid tags and merges: `!!bool maybe`, a mapping merged with itself.
        raise StudyError(f"{path}: not valid YAML: a value that is not of its type ({error!r})") from None
    if not isinstance(raw, CommentedMap):
        raise StudyError(f"{path}: a {type(raw).__name__} was found; expected the keys of a study")
    if (nodes := _expanded(raw, {})) > MOST_NODES:
        raise StudyError(f"{path}: its aliases stand for {nodes:.0f} values; expected at most {MOST_NODES}")
    for line, tag in _tags(raw):
        raise StudyError(f"{path}:{line}: the YAML tag {tag} was found; expected plain values")
    for line, text in _unprintable(raw, int(raw.lc.line or 0)):
        raise StudyError(f"{path}:{line + 1}: {text[:60]!a} holds characters that cannot be printed")
    try:
        json.dumps(raw)
    except TypeError as error:
        raise StudyError(f"{path}: a value is neither text, number, list nor mapping ({error})") from None
    except ValueError as error:
        raise StudyError(f"{path}: a number cannot be written out ({error})") from None
    return raw


def _sentence(
    path: Path, raw: CommentedMap, merged: dict[str, Any], changes: Mapping[str, Any], fault: Any
) -> str:
    where = tuple(fault["loc"])
    cause = fault.get("ctx", {}).get("error")
    if isinstance(cause, Misplaced):
        where = where + cause.where
    parts, owner = _visible(merged, where)
    message = str(cause) if cause is not None else fault["msg"]
    if fault["type"] == "extra_forbidden":
        message = f"unknown key; expected one of {', '.join(_allowed(where[:-1]))}"
        parts = [*_visible(merged, where[:-1])[0], where[-1]]
    elif fault["type"] == "missing":
        parts = [*_visible(merged, where[:-1])[0], where[-1]]
        message = "missing"
    elif cause is None:
        found = owner if not isinstance(owner, (dict, list)) else type(owner).__name__
        message = f"{found!r} was found; {message[0].lower()}{message[1:]}"
    place = "--config" if _changed(changes, parts) else f"{path}:{_place(raw, parts)}"
    return f"{place}: {'.'.join(map(str, parts))}: {message}"


def _visible(document: Any, where: tuple) -> tuple[list, Any]:
    """Return a location without the parts that name a schema variant, not a key; and its value."""
    parts, here = [], document
    for part in where:
        if isinstance(here, (dict, list)):
            try:
                here = here[part]
            except (KeyError, IndexError, TypeError):
                continue
            parts.append(part)
    return parts, here


def _changed(changes: Any, parts: list) -> bool:
    """Say whether the value at a location comes from the changes."""
    for part in parts:
        if not isinstance(changes, Mapping):
            return True
        if part not in changes:
            return False
        changes = changes[part]
    return not isinstance(changes, Mapping)


def _place(raw: Any, parts: list) -> int:
    """Return the line, counted from 1, of a location in the file or of its nearest parent."""
    line = 1
    for part in parts:
        try:
            line, raw = _line(raw, part), raw[part]
        except (KeyError, IndexError, TypeError, AttributeError):
            break
    return line


def _line(owner: Any, part: Any) -> int:
    """Return the line of a key or an item, counted from 1; for merged keys, the line of their definition."""
    if not isinstance(owner, CommentedMap):
        return int(owner.lc.item(part)[0]) + 1
    if part in owner.lc.data:
        return int(owner.lc.key(part)[0]) + 1
    maps = [one[1] if isinstance(one, tuple) else one for one in owner.merge]  # pairs before ruamel.yaml 0.19
    merged = [found for found in maps if part in found]
    return _line(merged[0], part) if merged else int(owner.lc.line) + 1


def _allowed(where: tuple) -> list[str]:
    """Return the keys that the schema knows at a location."""
    schema = Study.model_json_schema(by_alias=True)
    here: Any = schema
    for part in where:
        here = _step(schema, _resolve(schema, here), part)
    here = _resolve(schema, here)
    options = here.get("oneOf") or here.get("anyOf") or [here]
    return sorted({key for option in options for key in _resolve(schema, option).get("properties", {})})


def _step(schema: dict, here: dict, part: Any) -> dict:
    if part in here.get("properties", {}):
        return here["properties"][part]
    choices = here.get("discriminator", {}).get("mapping", {})
    if part in choices:
        return {"$ref": choices[part]}
    for option in here.get("anyOf", []):
        resolved = _resolve(schema, option)
        if resolved.get("title") == part:
            return resolved
        if part in resolved.get("properties", {}):
            return resolved["properties"][part]
    if isinstance(part, int) and "items" in here:
        return here["items"]
    extra = here.get("additionalProperties") or next(iter(here.get("patternProperties", {}).values()), None)
    return extra if isinstance(extra, dict) else here


def _resolve(schema: dict, here: dict) -> dict:
    while "$ref" in here:
        here = schema["$defs"][here["$ref"].rsplit("/", 1)[1]]
    return here


def _expanded(node: Any, known: dict[int, float]) -> float:
    """Return the number of values in a document with all aliases expanded; infinite if one contains itself."""
    if not isinstance(node, (dict, list)):
        return 1
    if id(node) not in known:
        known[id(node)] = math.inf
        children = node.values() if isinstance(node, dict) else node
        known[id(node)] = 1 + sum(_expanded(child, known) for child in children)
    return known[id(node)]


def _unprintable(node: Any, line: int) -> Iterator[tuple[int, str]]:
    """Yield texts with control characters other than line ends and tabs, or with surrogates."""
    if isinstance(node, str):
        if not all(char.isprintable() or char in "\n\t\u00a0" for char in node):
            yield line, node
    elif isinstance(node, CommentedMap | CommentedSeq):
        line = int(node.lc.line or 0)
        for child in (*node.keys(), *node.values()) if isinstance(node, CommentedMap) else node:
            yield from _unprintable(child, line)


def _tags(node: Any) -> Iterator[tuple[int, str]]:
    tag = getattr(getattr(node, "tag", None), "value", None)
    if isinstance(node, TaggedScalar) or (
        tag and not re.match(r"tag:yaml\.org,2002:(map|seq|omap)$", str(tag))
    ):
        yield int(node.lc.line or 0) + 1, str(tag)
    children = (
        node.values() if isinstance(node, CommentedMap) else node if isinstance(node, CommentedSeq) else ()
    )
    for child in children:
        yield from _tags(child)
