"""Choice of the links on a page that belong to a data set or to models.

A name is searched for in the file name or the text of a link, then in the row or entry around it, then in the headings
above it and the folders of its address. Case and word separators do not matter.
"""

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import PurePosixPath

from bandpress.datasets import archive
from bandpress.datasets.page import Link

_SHOWN = 12
#: A name of several words, like those of data sets and models.
_IDENTIFIER = re.compile(r"[A-Za-z0-9]+(?:_[A-Za-z0-9]+)+")


class Unclear(Exception):
    """No link fits, or several do; the message lists them."""


def choose(links: Sequence[Link], names: Sequence[str], parts: Sequence[str] = ()) -> tuple[str, list[Link]]:
    """Return the links of a data set, and the name by which they were found.

    Parameters
    ----------
    links
        Links of the page.
    names
        Possible names on the page; the first one with a matching link counts. A name with ``*`` and ``?`` stands for
        every matching file or text.
    parts
        Names of its parts; if every part has its own link, these are returned.

    Raises
    ------
    Unclear
        If no link matches, or several do that are not clearly parts of one set.
    """
    found = [_one(links, part) for part in parts]
    if parts and all(found):
        return names[0], list(dict.fromkeys(link for link in found if link is not None))
    for name in names:
        chosen = _of_name(links, name)
        if chosen:
            return name, chosen
    raise Unclear(f"no link for {' or '.join((*parts[:1], *names))} among {listed(links)}")


def listed(links: Sequence[Link]) -> str:
    """Return links as text for a message, files first."""
    if not links:
        return "its links: it has none"
    shown = sorted(links, key=lambda link: not link.is_file)
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return "; ".join(map(str, shown[:_SHOWN])) + more


def has_name(text: str, name: str) -> bool:
    """Say whether a text contains the words of a name."""
    wanted, there = _words(name), _words(text)
    return any(there[at : at + len(wanted)] == wanted for at in range(len(there) - len(wanted) + 1))


def stem(name: str) -> str:
    """Return the name of a file without its compression endings."""
    path = PurePosixPath(name)
    whole = archive.stem(path)  # type: ignore[arg-type]
    if whole != f"{name}.unpacked":
        return whole
    return path.stem if path.suffix.lower() in archive.PACKED else name


def _one(links: Sequence[Link], part: str) -> Link | None:
    chosen = _of_name(links, part)
    return chosen[0] if len(chosen) == 1 and chosen[0].is_file else None


def _of_name(links: Sequence[Link], name: str) -> list[Link]:
    """Return the links that match a name."""
    if set("*?") & set(name):
        return _apart([link for link in links if link.is_file and _matches(link, name)], name)
    for files in (True, False):
        some = [link for link in links if link.is_file == files]
        for level, (found, together) in enumerate(_levels(some, name)):
            if not files and level == 3:
                break  # a heading alone does not make every link below it data
            if len(found) > 1 and (not files or not together):
                raise Unclear(f"{len(found)} links for {name}: {listed(found)}")
            if found:
                return _apart(found, name)
    return []


def _levels(links: Sequence[Link], name: str) -> Iterator[tuple[list[Link], bool]]:
    """Yield groups of links that match a name, strongest evidence first, and whether a group may have several links."""
    wanted = _words(name)
    yield (
        [link for link in links if wanted in (_words(stem(link.name)), _words(link.name), _words(link.text))],
        False,
    )
    yield [link for link in links if has_name(link.name, name) or has_name(link.text, name)], False
    yield [link for link in links if _said(link.around, name)], True
    yield [link for link in links if _said((*link.headings, *link.folders), name)], True


def _said(texts: Sequence[str], name: str) -> bool:
    return any(has_name(text, name) and not _names_several(text) for text in texts)


def _names_several(text: str) -> bool:
    """Say whether a text names several sets, and so does not identify the set of a link."""
    return len({tuple(_words(name)) for name in _IDENTIFIER.findall(text)}) > 1


def _apart(links: list[Link], name: str) -> list[Link]:
    """Reject links that may lead to the same files in different archives."""
    stems = [stem(link.name).lower() for link in links]
    if len(links) > 1 and len(set(stems)) < len(stems):
        raise Unclear(f"{len(links)} links for {name}, some to files of one name: {listed(links)}")
    return links


def _matches(link: Link, pattern: str) -> bool:
    return any(fnmatch(text.lower(), pattern.lower()) for text in (link.name, stem(link.name), link.text))


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())
