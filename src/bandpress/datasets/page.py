"""The links of a page: any HTML page, a Google Drive folder, a Zenodo or Figshare record."""

import re
import warnings
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from bandpress.datasets import archive
from bandpress.datasets.answers import PATIENCE, Failure, Patience, read_page
from bandpress.formats import SUFFIXES
from bandpress.optional import require

_FILES = (*archive.ENDINGS, *archive.PACKED, *SUFFIXES)
_HEADINGS = {f"h{level}": level for level in range(1, 7)} | {"caption": 7, "legend": 7, "summary": 7, "dt": 8}
#: Elements around a link that describe it alone.
_AROUND = ("tr", "li", "p", "dd")
_PASSWORD = re.compile(rb"<input[^>]+type\s*=\s*['\"]?password", re.IGNORECASE)
_DRIVE = ("drive.google.com", "docs.google.com")
_RECORD = re.compile(r"/records?/(\d+)")
_ARTICLE = re.compile(r"/articles/(?:[a-z_]+/)?[^/]+/(\d+)(?:/(\d+))?|/articles/(\d+)")


class Link(NamedTuple):
    """A link of a page.

    Parameters
    ----------
    address
        Its absolute address.
    text
        Text of the link.
    around
        Texts of the row, list entry or paragraph around it, and of those around these.
    headings
        Headings above it, the nearest first.
    """

    address: str
    text: str = ""
    around: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Best guess, from address and text, of the name of the file that it leads to."""
        parts = urlsplit(self.address)
        names = [unquote(parts.path).rstrip("/").rpartition("/")[2]]
        names += [value.rpartition("/")[2] for _, value in parse_qsl(parts.query)]
        names += [self.text.rpartition("/")[2].strip()]
        return next((name for name in names if _is_file(name)), names[0] or names[-1])

    @property
    def is_file(self) -> bool:
        """Whether it leads to an archive or a scene, by its name."""
        return _is_file(self.name)

    @property
    def folders(self) -> tuple[str, ...]:
        """Folders of the address, the innermost first."""
        return tuple(reversed(unquote(urlsplit(self.address).path).strip("/").split("/")[:-1]))

    def __str__(self) -> str:
        return f"{self.text or self.name} ({self.address})"


def links_of(address: str, patience: Patience = PATIENCE) -> list[Link]:
    """Return the links of a page, each once, in its order.

    Raises
    ------
    Failure
        If it cannot be read, or is not a web page.
    """
    host, path = urlsplit(address).hostname or "", urlsplit(address).path
    if host in _DRIVE and "/folders/" in path:
        return _of_drive(address, patience)
    doi = _doi(host, path)
    if doi is not None:
        return _of_record(doi, address, patience)
    final, html = read_page(address, patience)
    links = parse(html, final)
    if _PASSWORD.search(html) and not any(link.is_file for link in links):
        raise Failure("the page asks for a password")
    return links


def lists_files(link: Link) -> bool:
    """Say whether a link leads to a folder or record whose files a service lists."""
    parts = urlsplit(link.address)
    host = parts.hostname or ""
    return not link.is_file and (
        (host in _DRIVE and "/folders/" in parts.path) or _doi(host, parts.path) is not None
    )


def parse(html: bytes, address: str) -> list[Link]:
    """Return the links of a page read from an address; the parser detects its encoding."""
    bs4 = require("bs4", address, "data")
    soup = bs4.BeautifulSoup(html, "lxml")
    base = soup.find("base", href=True)
    root = urljoin(address, base["href"]) if base else address
    above: list[tuple[int, str]] = []
    found: dict[str, Link] = {}
    for tag in soup.find_all(True):
        level = _HEADINGS.get(tag.name)
        if level is not None:
            above = [(other, text) for other, text in above if other < level] + [(level, _text(tag))]
        elif tag.name == "table":
            above = [(other, text) for other, text in above if other < 7]
        if tag.name != "a" or not tag.get("href"):
            continue
        try:
            target = urljoin(root, tag["href"].strip()).partition("#")[0]
            plain = urlsplit(target)
        except ValueError:
            continue
        if plain.scheme not in ("http", "https") or target in (address, root, ""):
            continue
        link = Link(
            target.replace(" ", "%20"),
            _text(tag) or str(tag.get("title", "")),
            tuple(map(_text, tag.find_parents(_AROUND))),
            tuple(text for _, text in reversed(above)),
        )
        found.setdefault(link.address, link)
    return list(found.values())


def _text(tag: object) -> str:
    return " ".join(tag.get_text(" ").split())[:500]  # type: ignore[attr-defined]


def _is_file(name: str) -> bool:
    return name.lower().endswith(_FILES)


def _doi(host: str, path: str) -> str | None:
    if host in ("doi.org", "dx.doi.org"):
        return unquote(path).strip("/")
    if host.endswith("zenodo.org") and (match := _RECORD.search(path)) and "/files/" not in path:
        return f"10.5281/zenodo.{match[1]}"
    if host.endswith("figshare.com") and (match := _ARTICLE.search(path)):
        return f"10.6084/m9.figshare.{match[1] or match[3]}" + (f".v{match[2]}" if match[2] else "")
    return None


def _of_record(doi: str, address: str, patience: Patience) -> list[Link]:
    """Return the files of a record, read by pooch from the service's interface."""
    pooch = require("pooch", address, "data")
    requests = require("requests", address, "data")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", UserWarning
            )  # Figshare's newest version: the lock file has the SHA-256
            record = pooch.downloaders.doi_to_repository(doi, timeout=(patience.connect, patience.stall))
            listed = pooch.create(path="", base_url="")
            record.populate_registry(listed)
            return [Link(record.download_url(name), name, headings=(doi,)) for name in listed.registry]
    except (ValueError, LookupError, TypeError, AttributeError, requests.RequestException) as error:
        raise Failure(f"the record {doi} cannot be read ({' '.join(str(error).split())[:300]})") from None


def _of_drive(address: str, patience: Patience) -> list[Link]:
    """Return the files of a shared folder and its subfolders, read by gdown."""
    gdown = require("gdown", address, "data")
    requests = require("requests", address, "data")
    try:
        files = gdown.download_folder(
            address,
            quiet=True,
            skip_download=True,
            use_cookies=False,
            timeout=(patience.connect, patience.stall),
        )
    except (gdown.exceptions.DownloadError, ValueError, requests.RequestException) as error:
        raise Failure(f"the folder cannot be listed ({' '.join(str(error).split())})") from None
    return [
        Link(
            f"https://drive.google.com/uc?id={file.id}",
            file.path.rpartition("/")[2],
            headings=tuple(reversed(file.path.split("/")[:-1])),
        )
        for file in files
    ]
