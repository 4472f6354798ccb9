"""Download of a data set that a page offers: find its links, choose, record, download."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bandpress.datasets import lock as locks
from bandpress.datasets.answers import PATIENCE, Failure, Patience, probe
from bandpress.datasets.choose import Unclear, choose, listed
from bandpress.datasets.download import adopt, ask_consent, download, stored
from bandpress.datasets.entry import Source, file_name
from bandpress.datasets.page import Link, links_of, lists_files
from bandpress.errors import DataError


class Offer(NamedTuple):
    """A file that a page offers for a data set: its address, and the name under which it is kept."""

    address: str
    name: str


def bring(
    source: Source,
    name: str,
    cache: Path,
    lock: Path | None = None,
    parts: Sequence[str] = (),
    most: int | None = None,
    patience: Patience = PATIENCE,
) -> tuple[str, list[Path]]:
    """Download the files that a page offers for a data set.

    Parameters
    ----------
    source
        A page and the names to search for on it.
    name
        Name of the data set in the study; its files are kept in ``cache/name``.
    cache
        The data folder.
    lock
        The study's lock file. An earlier choice is repeated, even if the page has moved the files, provided they are
        the same.
    parts
        Names of its parts, which may have links of their own.
    most
        Most bytes to download without consent. Default: any number.
    patience
        Timeouts and number of tries.

    Returns
    -------
    str
        The name that matched.
    list of pathlib.Path
        The files.

    Raises
    ------
    DataError
        If the page cannot be read, no link or several are found, or a file cannot be downloaded. Files already
        downloaded are kept.
    """
    key = f"{source.page}#{name}"
    found, pairs = locks.offered(lock, key)
    known, chosen = bool(pairs), [Offer(*pair) for pair in pairs]
    if not known:
        found, chosen = look(source, name, parts, patience)
    missing = [
        offer.address for offer in chosen if not stored(offer.address, cache, name, offer.name).is_file()
    ]
    ask_consent(missing, name, most, patience)
    files = []
    for offer in chosen:
        folder = stored(offer.address, cache, name, offer.name).parent
        try:
            files.append(download([offer.address], folder, None, lock, patience, name=offer.name, most=most))
        except DataError as error:
            if not known:
                raise
            files.append(_moved(offer, error, source, name, cache, lock, parts, most, patience))
    # The folder of the data set is filled once all files are downloaded and recorded: files found in it before that
    # were put there by hand.
    locks.record_offer(lock, key, found, [list(offer) for offer in chosen])
    return found, [adopt(file, cache, name) for file in files]


def look(source: Source, name: str, parts: Sequence[str], patience: Patience) -> tuple[str, list[Offer]]:
    """Return the files that a source's pages offer for a data set, and the name that matched.

    Raises
    ------
    DataError
        If no page can be read, or no link or several may be meant; the message lists the links.
    """
    links: list[Link] = []
    faults: list[str] = []
    for page in (source.page, *source.pages):
        assert page is not None
        try:
            links += links_of(page, patience)
        except Failure as failure:
            faults.append(f"{page}: {failure}")
    links = list({link.address.partition("://")[2]: link for link in reversed(links)}.values())[::-1]
    try:
        if not links and not faults:
            raise Unclear("no link on the page")
        found, chosen = choose(links, source.match or [name], parts)
        if len(chosen) == 1 and not chosen[0].is_file:
            chosen = _behind(chosen[0], found, source, name, parts, patience)
    except (Unclear, Failure) as fault:
        if links or not faults:
            faults.append(f"{source.page}: {fault}")
        raise DataError("; ".join(faults)) from None
    names = [file_name(link.name if link.is_file else link.address) for link in chosen]
    if len(set(names)) < len(names):
        raise DataError(
            f"{source.page}: links to files of one name: {listed(chosen)}; expected each file once"
        )
    return found, [Offer(link.address, kept) for link, kept in zip(chosen, names, strict=True)]


def _behind(
    link: Link, found: str, source: Source, name: str, parts: Sequence[str], patience: Patience
) -> list[Link]:
    """Return the links of the page that a link leads to; the link itself if it leads to a file."""
    if not lists_files(link):
        asked = probe(link.address, patience)
        if not asked.is_page:
            return [link._replace(text=asked.name)]
    below = [inner._replace(headings=(*inner.headings, found)) for inner in links_of(link.address, patience)]
    files = [inner for inner in below if inner.is_file]
    if not files:
        raise Unclear(f"{link} leads to a page without a link to a file")
    return choose(files, source.match or [name], parts)[1]


def _moved(
    offer: Offer,
    error: DataError,
    source: Source,
    name: str,
    cache: Path,
    lock: Path | None,
    parts: Sequence[str],
    most: int | None,
    patience: Patience,
) -> Path:
    """Download a moved file from its new address on the page, if it is the same file."""
    try:
        now = [other for other in look(source, name, parts, patience)[1] if other.name == offer.name]
    except DataError as fault:
        raise DataError(f"{error}; and the page changed since: {fault}") from None
    if not now or now[0].address == offer.address:
        raise error
    sha256 = locks.locked(lock, offer.address)
    folder = stored(now[0].address, cache, name, offer.name).parent
    return download([now[0].address], folder, sha256, lock, patience, name=offer.name, most=most)
