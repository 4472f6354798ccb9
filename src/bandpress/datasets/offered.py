"""Download of a data set that a page offers: find its links, choose, record, download."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bandpress.datasets import lock as locks
from bandpress.datasets.answers import Failure, Patience, probe
from bandpress.datasets.choose import Unclear, choose, listed
from bandpress.datasets.download import Downloads
from bandpress.datasets.entry import Source, file_name
from bandpress.datasets.page import Link, links_of, lists_files
from bandpress.errors import DataError


class Offer(NamedTuple):
    """A file that a page offers for a data set: its address, and the name under which it is kept."""

    address: str
    name: str


def bring(source: Source, parts: Sequence[str], downloads: Downloads) -> tuple[str, list[Path]]:
    """Download the files that a page offers for a data set.

    Parameters
    ----------
    source
        A page and the names to search for on it.
    parts
        Names of its parts, which may have links of their own.
    downloads
        Where to keep them. An earlier choice that its lock file records is repeated, even if the page has moved the
        files, provided they are the same.

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
    key = f"{source.page}#{downloads.owner}"
    found, pairs = locks.offered(downloads.lock, key)
    known, chosen = bool(pairs), [Offer(*pair) for pair in pairs]
    if not known:
        found, chosen = look(source, downloads.owner, parts, downloads.patience)
    downloads.ask_consent(downloads.missing(chosen))
    files = []
    for offer in chosen:
        try:
            files.append(downloads.get([offer.address], offer.name))
        except DataError as error:
            if not known:
                raise
            files.append(_moved(offer, error, source, parts, downloads))
    # The folder of the data set is filled once all files are downloaded and recorded: files found in it before that
    # were put there by hand.
    locks.record_offer(downloads.lock, key, found, [list(offer) for offer in chosen])
    return found, [downloads.adopt(file) for file in files]


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
    offer: Offer, error: DataError, source: Source, parts: Sequence[str], downloads: Downloads
) -> Path:
    """Download a moved file from its new address on the page, if it is the same file."""
    try:
        offers = look(source, downloads.owner, parts, downloads.patience)[1]
    except DataError as fault:
        raise DataError(f"{error}; and the page changed since: {fault}") from None
    now = [other.address for other in offers if other.name == offer.name]
    if not now or now[0] == offer.address:
        raise error
    return downloads.get(now[:1], offer.name, locks.locked(downloads.lock, offer.address))
