"""Data set entry of a study: sensor, role, licence, citation, source, scenes."""

import re
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator

from bandpress.datasets.window import place_window
from bandpress.errors import DataError
from bandpress.scene import Scene

_SPAN = re.compile(r"([1-9]\d{0,8})(?:-([1-9]\d{0,8}))?")


def _number_as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _span(text: str) -> str:
    match = _SPAN.fullmatch(text.replace(" ", ""))
    if match is None or (match[2] is not None and int(match[2]) < int(match[1])):
        raise ValueError(
            f"{text!r} is not a number or a range such as 1-145, counted from 1, both ends included"
        )
    return match[0]


def _within(text: str) -> str:
    path = PurePosixPath(text)
    if not text or path.is_absolute() or ".." in path.parts or "\\" in text or not text.isprintable():
        raise ValueError(f"{text!r} is not the path of a file within the source")
    return text


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{text!r} is not an address; expected http://… or https://…")
    return text


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


#: A range of bands, lines or samples, counted from 1, both ends included: ``"1-145"``, or one number.
Span = Annotated[str, BeforeValidator(_number_as_text), AfterValidator(_span)]
#: A name that can be part of a file name: letters, digits, ``. _ -``, not starting with a dot or a dash.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
#: The path of a file within a source.
Within = Annotated[str, AfterValidator(_within)]
Address = Annotated[str, AfterValidator(_address)]
#: A value or a list; a single value needs no brackets.
Addresses = Annotated[list[Address], BeforeValidator(_as_list), Field(min_length=1)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Source(BaseModel, extra="forbid"):
    """Where a data set comes from: one of `package`, `url`, `path`, or the `page` that offers it.

    Parameters
    ----------
    package, file
        A file inside an installed Python package.
    url, mirrors
        Address or addresses of files or archives; other addresses of the same file, if there is only one.
    path
        A file or folder; a relative one is looked for in the data folder and then in the working directory.
    page, match, pages
        The page that offers the data set. With `match`, its names on the page (the first one found counts; patterns
        such as ``AVIRIS_test_*`` are allowed), it is searched for among the links of the page and of the other `pages`;
        a page may be a Google Drive folder or a Zenodo or Figshare record. Without `match`, the page is for manual
        download.
    sha256
        SHA-256 of the file. Default: recorded in the study's lock file at the first download.
    unpack
        Unpack the files of `url` or `path`, which are archives (zip, tar, tar.gz …); ``listed`` unpacks only the data
        set's scenes. Archives from a page are always unpacked.
    """

    package: Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")] | None = None
    file: Within | None = None
    url: Addresses | None = None
    mirrors: list[Address] = []
    path: Annotated[str, Field(min_length=1)] | None = None
    page: Address | None = None
    match: Annotated[list[Annotated[str, Field(min_length=1)]], BeforeValidator(_as_list)] = []
    pages: list[Address] = []
    sha256: Sha256 | None = None
    unpack: bool | Literal["listed"] = False

    @model_validator(mode="after")
    def _one_kind(self) -> "Source":
        kinds = [key for key in ("package", "url", "path") if getattr(self, key) is not None]
        if len(kinds) > 1 or (not kinds and self.page is None):
            found = " and ".join(kinds) or "none"
            raise ValueError(f"{found} of package, url, path and page given; expected one of them")
        if (self.file is None) != (self.package is None):
            raise ValueError("file and package belong together: a file inside an installed package")
        if self.mirrors and self.url is None:
            raise ValueError("mirrors were given without a url")
        if (self.mirrors or self.sha256) and len(self.url or []) > 1:
            raise ValueError("mirrors or sha256 were given for several files; expected one url")
        if (self.match or self.pages) and self.kind != "page":
            raise ValueError(f"match or pages were given for a {self.kind}; expected a page alone")
        if self.pages and not self.match:
            raise ValueError("pages were given without match, the name of the data set on them")
        return self

    @property
    def kind(self) -> Literal["package", "url", "path", "page"]:
        """The kind of source."""
        if self.package is not None:
            return "package"
        if self.url is not None:
            return "url"
        return "path" if self.path is not None else "page"


class SceneEntry(BaseModel, extra="forbid"):
    """One scene of a data set.

    Parameters
    ----------
    file
        File within the source, ``file.mat:variable`` for one of several arrays; may be compressed, with a further
        suffix ``.xz``, ``.gz`` or ``.bz2``. With ``*`` and ``?``, the only file whose path ends like that. Optional if
        the source is one file.
    lines, samples, bands
        Ranges to keep, counted from 1, both ends included.
    window, along, narrowest
        Instead of lines and samples: their numbers, placed where no pixel is fill (see `bandpress.datasets.window`);
        `along` chooses from the first such place (0) to the last (1), default 0.5. If the margins leave fewer samples,
        `narrowest` is the fewest allowed.
    sha256
        SHA-256 of the uncompressed file.
    interleave
        Order of the axes, for files that do not state it.
    """

    file: Within | None = None
    lines: Span | None = None
    samples: Span | None = None
    bands: Span | None = None
    window: tuple[Annotated[int, Field(gt=0)], Annotated[int, Field(gt=0)]] | None = None
    along: Annotated[float, Field(ge=0, le=1)] = 0.5
    narrowest: Annotated[int, Field(gt=0)] | None = None
    sha256: Sha256 | None = None
    interleave: Literal["bsq", "bil", "bip"] | None = None

    @model_validator(mode="after")
    def _one_place(self) -> "SceneEntry":
        if self.window is not None and (self.lines or self.samples):
            raise ValueError("a window and lines or samples were given; expected one of them")
        return self

    def crop(self, scene: Scene) -> Scene:
        """Return the part of a scene that the entry keeps, as a view.

        Raises
        ------
        DataError
            If the scene is too small.
        """
        kept: dict[str, slice] = {}
        for axis in ("bands", "lines", "samples"):
            text, there = getattr(self, axis), getattr(scene, axis)
            if text is None:
                continue
            first, last = limits(text)
            if last > there:
                raise DataError(
                    f"scene {scene.name}: {axis} {text} were asked for; expected {axis} within 1-{there}"
                )
            kept[axis] = slice(first - 1, last)
        if self.window is not None:
            lines, samples = place_window(scene, self.window, self.along, self.narrowest)
            kept |= {"lines": lines, "samples": samples}
        if not kept:
            return scene
        return scene.crop(**kept)

    def overlaps(self, other: "SceneEntry") -> bool:
        """Say whether two parts of the same file share pixels."""

        def meet(one: str | None, two: str | None) -> bool:
            if one is None or two is None:
                return True
            (first, last), (start, end) = limits(one), limits(two)
            return first <= end and start <= last

        return meet(self.lines, other.lines) and meet(self.samples, other.samples)


class Dataset(BaseModel, extra="forbid"):
    """A data set of a study.

    Parameters
    ----------
    sensor
        Name of the sensor.
    role
        Use of the data set: ``train``, ``validation`` or ``test``.
    licence, citation
        Its licence and how to cite it.
    source
        Its source.
    scenes
        Its scenes by name, in order. Default: every scene found in the source, in order of path.
    """

    sensor: Name
    role: Literal["train", "validation", "test"]
    licence: Annotated[str, Field(min_length=1)]
    citation: Annotated[str, Field(min_length=1)]
    source: Source
    scenes: Annotated[dict[Name, SceneEntry], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _files_known(self) -> "Dataset":
        if self.source.kind != "package":
            return self
        for name, entry in (self.scenes or {}).items():
            if (
                entry.file is not None
                and entry.file.partition(":")[0] != PurePosixPath(self.source.file or "").name
            ):
                raise ValueError(
                    f"scene {name}: file {entry.file} is not the package's; expected none to be named"
                )
        return self


def limits(span: str) -> tuple[int, int]:
    """Return first and last of a range such as ``"1-145"``, counted from 1, both ends included."""
    first, _, last = span.partition("-")
    return int(first), int(last or first)


def file_name(address: str) -> str:
    """Return the name under which a download is kept."""
    last = unquote(urlsplit(address).path).rstrip("/").rsplit("/", 1)[-1]
    name = re.sub(r"[^A-Za-z0-9._+-]", "_", last).lstrip(".-")
    if not name:
        raise DataError(f"{address}: the address ends without the name of a file; expected one")
    return name[:150]


def refuse_overlaps(datasets: dict[str, Dataset]) -> None:
    """Reject training or validation sets that overlap a test set.

    Two scenes overlap when they come from the same file of the same source and share pixels, whatever their bands.

    Raises
    ------
    DataError
        If scenes of data sets with different roles overlap.
    """
    seen: list[tuple[str, Dataset, str, SceneEntry]] = []
    for name, dataset in datasets.items():
        for scene, entry in (dataset.scenes or {"*": SceneEntry()}).items():
            for other_name, other, other_scene, other_entry in seen:
                if (
                    other.role != dataset.role
                    and _same_file(dataset, entry, other, other_entry)
                    and entry.overlaps(other_entry)
                ):
                    raise DataError(
                        f"{name}/{scene} ({dataset.role}) and {other_name}/{other_scene} ({other.role}) share pixels "
                        "of the same file; expected data sets of different roles to share none"
                    )
            seen.append((name, dataset, scene, entry))


def _same_file(one: Dataset, entry: SceneEntry, two: Dataset, other: SceneEntry) -> bool:
    """Say whether two scenes may come from one file: the same name, or none, in a common source."""
    if one.source.kind != two.source.kind or not set(_origins(one.source)) & set(_origins(two.source)):
        return False
    return entry.file is None or other.file is None or entry.file == other.file


def _origins(source: Source) -> list[tuple[str | None, ...]]:
    """Return the origins of a source's files; None for manual downloads."""
    if source.kind == "page":
        return [(source.page, name) for name in source.match[:1]]
    return [(url,) for url in source.url or []] or [(source.package, source.file, source.path)]
