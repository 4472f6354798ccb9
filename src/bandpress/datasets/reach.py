"""Quick check, before a study starts, that missing data can be downloaded."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bandpress.datasets import lock as locks
from bandpress.datasets.answers import Failure, Patience, ask_size
from bandpress.datasets.download import CONSENT, Downloads
from bandpress.datasets.entry import file_name
from bandpress.datasets.folder import data_folder
from bandpress.datasets.inventory import Item, origin
from bandpress.datasets.offered import Offer, look
from bandpress.datasets.size import in_words
from bandpress.errors import DataError

#: Patience before the first job of a study.
QUICK = Patience(connect=5.0, stall=8.0, tries=2, pause=0.3)


def asked(
    study: Any,
    items: Iterable[Item],
    lock: Path | None = None,
    most: int | None = None,
    patience: Patience = QUICK,
) -> list[Item]:
    """Return the items with their obstacles; an item with an obstacle needs manual download or consent.

    Parameters
    ----------
    study
        A `bandpress.study.schema.Study`.
    items
        Its items that are not on this machine.
    lock
        The study's lock file.
    most
        Most bytes per item to download without consent; None for any number.
    patience
        Timeouts for the servers, which are asked in parallel.
    """
    items = list(items)

    def one(item: Item) -> Item:
        if item.action not in ("page", "download"):
            return item
        try:
            size = _size(study, item, lock, patience)
        except DataError as error:
            return item._replace(action="hand", obstacle=str(error))
        if most is None or size <= most:
            return item
        return item._replace(
            action="consent",
            obstacle=f"{item.name} is {in_words(size)}; more than {in_words(most)} comes only with {CONSENT}",
        )

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(one, items))


def _size(study: Any, item: Item, lock: Path | None, patience: Patience) -> int:
    """Return the bytes to download for an item, as far as servers state them; reject an item that no server offers."""
    source, parts = origin(study, item)
    if item.action == "page":
        offers = [Offer(*pair) for pair in locks.offered(lock, f"{source.page}#{item.folder.name}")[1]]
        if not offers:
            _, offers = look(source, item.name, parts, patience)
    else:
        offers = [Offer(address, file_name(address)) for address in source.url or []]
    missing = Downloads(data_folder(), item.folder.name).missing(offers)
    return sum(_first_size([address, *source.mirrors], patience) for address in missing)


def _first_size(addresses: list[str], patience: Patience) -> int:
    """Return the size of a file from the first address that answers; 0 if it does not state the size."""
    faults = []
    for address in addresses:
        try:
            return ask_size(address, patience) or 0
        except Failure as failure:
            faults.append(f"{address}: {failure}")
    raise DataError("; ".join(faults))
