"""Pairs of ENVI headers and data files, matched by name.

``scene.img`` with ``scene.img.hdr`` or, if there is none, with ``scene.hdr``; data may have any suffix, or none as in
AVIRIS archives (``…_rdn_img`` with ``…_rdn_img.hdr``), and suffixes may be in capitals.
"""

from pathlib import Path

from bandpress.errors import SceneError
from bandpress.files import same_file

#: Endings of data files to look for beside a header.
DATA = (".img", ".dat", ".raw", ".bin", ".bsq", ".bil", ".bip", ".hyspex")
#: Endings of other files that may share a header's name.
_OTHERS = (
    ".hdr",
    ".json",
    ".xml",
    ".bpk",
    ".txt",
    ".tif",
    ".tiff",
    ".mat",
    ".npy",
    ".npz",
    ".png",
    ".glt",
    ".enp",
)


def is_header(path: Path) -> bool:
    """Say whether a file has the suffix of a header."""
    return path.suffix.lower() == ".hdr"


def header_of(data: Path) -> Path | None:
    """Return the header beside a data file, or None; preferably one with the full name of the data file."""
    if is_header(data):
        return None
    names = (data.name + ".hdr", data.name + ".HDR", data.stem + ".hdr", data.stem + ".HDR")
    return next((path for path in map(data.with_name, names) if path.is_file()), None)


def data_files(header: Path) -> list[Path]:
    """Return the data files that belong to a header by name; skip those with a header of their own."""
    stem = header.with_suffix("")
    found = [path for path in _named(stem) if path.is_file() and _same(header_of(path), header)]
    if not found and header.parent.is_dir():
        found = sorted(
            path
            for path in header.parent.iterdir()
            if path.stem == stem.name and path.suffix.lower() not in _OTHERS and path.is_file()
            if _same(header_of(path), header)
        )
    return list({path.stat().st_ino: path for path in reversed(found)}.values())[::-1]


def data_of(header: Path, size: int) -> Path:
    """Return the data file beside a header.

    Parameters
    ----------
    header
        The header.
    size
        Size of the data file according to the header; decides between several.

    Raises
    ------
    SceneError
        If there is no data file, or several fit.
    """
    found = data_files(header)
    fitting = [path for path in found if path.stat().st_size == size]
    if len(fitting) > 1 or (len(found) > 1 and not fitting):
        names = " and ".join(path.name for path in found)
        raise SceneError(f"{header}: {names} are beside it; expected one data file, or the name of one")
    if not found:
        stem = header.with_suffix("").name
        raise SceneError(f"{header}: no data file beside it; expected {stem}, {stem}.img or the like")
    return (fitting or found)[0]


def rivals(header: Path, data: Path, size: int) -> list[Path]:
    """Return files that would prevent a written pair from being read back.

    These are a header with the full name of the data file, and other data files without such a header.

    Parameters
    ----------
    header, data
        The files to write.
    size
        Bytes of `data`; data files of another size do not matter.
    """
    others = [
        path
        for path in _named(header.with_suffix(""))
        if path.is_file() and path.stat().st_size == size and not _same(data, path)
        if not _own_headers(path, header)
    ]
    return _own_headers(data, header) + others


def scene_of(header: Path) -> str:
    """Return the name of a scene: the header's name without suffixes."""
    stem = header.with_suffix("")
    return stem.stem if stem.suffix.lower() in DATA else stem.name


def _named(stem: Path) -> list[Path]:
    """Return the usual names of data files of a header without its suffix."""
    return [stem, *(stem.with_name(stem.name + e) for ending in DATA for e in (ending, ending.upper()))]


def _own_headers(data: Path, but: Path) -> list[Path]:
    """Return the headers with the full name of a data file, except one."""
    names = [data.with_name(data.name + ending) for ending in (".hdr", ".HDR")]
    return [path for path in names if path.is_file() and not _same(but, path)]


def _same(one: Path | None, two: Path) -> bool:
    return one is not None and (one == two or same_file(one, two))
