"""Hostile archives, model folders, study files and lock files."""

import functools
import gzip
import hashlib
import io
import json
import lzma
import re
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

import golden
from bandpress.contexts import store as contexts
from bandpress.datasets import archive, lock
from bandpress.errors import DataError
from bandpress.hyperprior import store as networks
from bandpress.model_folders import CARD
from bandpress.study.file import load_study
from odd import TEXTS, Files, Kind, files_in, json_files, json_text, noisy, odd_json
from places import ROOT

_NAMES = st.one_of(
    st.sampled_from(
        ["a", "a/b", "a/./b", "../a", "/a", "a\\b", "C:x", ".", "", "a//b", "a/..", "x" * 300, "\x1b[2J"]
    ),
    st.text(max_size=6),
)
_PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "a.tar": bytes,
    "a.tar.gz": gzip.compress,
    "a.tar.xz": functools.partial(lzma.compress, preset=0),
}


@st.composite
def _tar(draw: Any) -> Files:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=draw(st.sampled_from([0, 1, 2]))) as file:
        for _ in range(draw(st.integers(0, 4))):
            entry = tarfile.TarInfo(draw(_NAMES))
            entry.type = bytes([draw(st.sampled_from(b"0" * 6 + b"1234567KLSxgZ\0"))])
            entry.linkname = draw(_NAMES)
            entry.size = draw(st.sampled_from([0, 3, 600]))
            entry.mode = draw(st.integers(0, 0o7777))
            if draw(st.booleans()):
                entry.pax_headers = draw(
                    st.dictionaries(
                        st.sampled_from(["path", "size", "GNU.sparse.map", "hdrcharset"]), st.text(max_size=4)
                    )
                )
            try:
                file.addfile(entry, io.BytesIO(bytes(entry.size)))
            except (ValueError, UnicodeError):
                continue
    name = draw(st.sampled_from(sorted(_PACKERS)))
    plain = made.getvalue()
    if draw(st.booleans()):
        plain = draw(noisy(plain))
        plain = b"".join(_summed(plain[at : at + 512]) for at in range(0, len(plain), 512))
    packed = _PACKERS[name](plain)
    return {name: draw(noisy(packed)) if draw(st.integers(0, 3)) == 0 else packed}


def _summed(block: bytes) -> bytes:
    """Make the checksum of a header of a tar right."""
    if block[257:262] != b"ustar":
        return block
    total = sum(block[:148]) + sum(block[156:]) + 8 * 32
    return block[:148] + b"%06o\0 " % total + block[156:]


@st.composite
def _zip(draw: Any) -> Files:
    made = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(made, "w") as file:
        for _ in range(draw(st.integers(0, 4))):
            entry = zipfile.ZipInfo(draw(_NAMES))
            entry.external_attr = draw(
                st.sampled_from([0, 0o120777 << 16, 0o100644 << 16, 0o060000 << 16, 0x10])
            )
            entry.compress_type = draw(st.sampled_from([0, 8, 12, 14]))
            try:
                file.writestr(entry, draw(st.sampled_from([b"", b"abc", bytes(600)])))
            except (ValueError, UnicodeError):
                continue
    whole = made.getvalue()
    return {"a.zip": draw(noisy(whole, (b"PK\x01\x02", b"PK\x03\x04"))) if draw(st.booleans()) else whole}


def _unpacked(folder: Path) -> object:
    path = next(path for path in folder.iterdir() if path.name.startswith("a."))
    archive.test(path, path.name)
    target = archive.unpack(path, folder / "into" / "all")
    with suppress(DataError):  # there is no such file in most
        archive.unpack(path, folder / "out", only=("b*",))
    made = {
        other for other in folder.rglob("*") if other.is_symlink() or not (other.is_dir() or other.is_file())
    }
    assert not made, made
    expected = {path.name, "out", "into", ".out.lock", ".out.unpacked"}
    outside = {other.name for other in folder.iterdir()} - expected
    assert not outside, outside
    return len(list(target.rglob("*")))


@functools.cache
def _model(name: str) -> Files:
    return files_in(golden.DATA / name)


def _with_hashes(files: Files, card: Any = None) -> Files:
    """Make the hashes of a model's card right."""
    card = json.loads(files[CARD]) if card is None else card
    if isinstance(card, dict) and isinstance(card.get("files"), dict):
        for name in files.keys() & card["files"].keys():
            card["files"][name] = hashlib.sha256(files[name]).hexdigest()
    return {**files, CARD: json_text(card)}


@st.composite
def _forged_model(draw: Any, name: str) -> Files:
    files = dict(_model(name))
    match draw(st.integers(0, 3)):
        case 0:
            return _with_hashes(files, draw(odd_json(json.loads(files[CARD]))))
        case 1:
            return {**files, CARD: draw(noisy(files[CARD], (b"[" * 50_000, b"NaN", b"9" * 5000)))}
    changed = draw(st.sampled_from(sorted(files.keys() - {CARD})))
    data = files[changed]
    size = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    match draw(st.integers(0, 3)):
        case 0:
            files[changed] = draw(noisy(data))
        case 1:
            text = json_text(draw(odd_json(header)))
            files[changed] = len(text).to_bytes(8, "little") + text + body
        case 2:
            key = draw(st.sampled_from(sorted(header.keys() - {"__metadata__"})))
            kinds = "BOOL U8 I8 I16 U16 F16 BF16 I32 U32 F32 F64 I64 F8_E4M3 F4".split()
            header[key]["dtype"] = draw(st.sampled_from(kinds))
            header[key]["shape"] = draw(st.lists(st.sampled_from([0, 1, 2, 3, 64, 1 << 40]), max_size=4))
            text = json_text(header)
            files[changed] = len(text).to_bytes(8, "little") + text + body
        case _:
            files[changed] = data[: 8 + size] + draw(noisy(body))[: len(body)].ljust(len(body), b"\0")
    return _with_hashes(files)


_STUDIES = [ROOT / "config.yaml", *sorted((ROOT / "studies").glob("*.yaml"))]
#: Values as they may stand in a YAML file, between bars.
_ODD_VALUES = r"""
!!bool maybe | !!int x | !!float '' | !!binary x | !!set {a} | !!omap [a: 1] | !!timestamp x | !x y
&a [*a] | *a | &a | {<<: *a} | <<: 5 | ? a | [ | { | >- | ' | " | %TAG ! x | --- | ... | {{}: 1} | {[a]: 1}
null | ~ | yes | 0o777 | .nan | .inf | -.inf | 1e400 | 2001-01-01 | 1:2:3 | _ | + | - | {1: 2} | {a: 1, a: 2}
\x | "\ud800" | "\e" | [] | {} | -1 | 0 | 1.5 | '' | ../x | # | a: b: c | é
"""
_LONG = ("0x" + "f" * 6000, "1" * 6000, "[" * 99 + "]" * 99, "{a: " * 99 + "}" * 99)
_YAML = st.sampled_from([*re.split(r" \| |\n", _ODD_VALUES.strip()), "|", "- ", "\t", "\0", *_LONG])


@st.composite
def _study(draw: Any) -> Files:
    lines = draw(st.sampled_from(_STUDIES)).read_text().splitlines()
    anchors = False
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        key, colon, rest = lines[at].partition(":")
        indent = len(key) - len(key.lstrip())
        match draw(st.integers(0, 7)):
            case 0 | 1 | 2:
                lines[at] = f"{key}{colon} {draw(_YAML)}"
            case 3:
                lines[at:at] = [
                    " " * indent + f"{draw(st.sampled_from(['x', 'study', '<<', 'rates']))}: {draw(_YAML)}"
                ]
            case 4:
                del lines[at]
            case 5:
                lines[at:at] = lines[at : at + draw(st.integers(1, 4))]
            case 6:
                lines[at] = lines[at].replace(rest, f" {draw(_YAML)} {rest}") if rest else lines[at]
            case _:
                anchors = True
    if anchors:
        levels, fan = draw(st.sampled_from([(3, 3), (8, 9), (30, 2), (200, 1)]))
        before = "b0: &b0 {x: 1}\n" if draw(st.booleans()) else "b0: &b0 x\n"
        for level in range(1, levels):
            inner = ", ".join([f"*b{level - 1}"] * fan)
            form = draw(st.sampled_from(["[{}]", "{{<<: [{}]}}", "{{<<: [{}], y: 1}}"]))
            before += f"b{level}: &b{level} " + form.format(inner) + "\n"
        lines[:0] = before.splitlines()
    text = "\n".join(lines).encode("utf-8", "replace")
    return {"study.yaml": draw(noisy(text)) if draw(st.integers(0, 4)) == 0 else text}


_LOCK = {
    "https://a/b.zip": {"sha256": "0" * 64, "bytes": 3},
    "https://a/#set": {"found as": "set", "offered": [["https://a/b.zip", "b.zip"]]},
}


def _offers() -> st.SearchStrategy[Files]:
    """Lock files whose choices from a page have odd names and addresses."""
    key = "https://a/#set"
    pairs = st.lists(st.lists(TEXTS, min_size=2, max_size=2), min_size=1, max_size=2)
    odd = pairs.map(lambda found: {**_LOCK, key: {"found as": "set", "offered": found}})
    return odd.map(lambda found: {"study.lock": json_text(found)})


def _locked(folder: Path) -> object:
    path = folder / "study.lock"
    found = lock.locked(path, "https://a/b.zip")
    name, offered = lock.offered(path, "https://a/#set")
    for pair in offered:
        assert len(pair) == 2
        assert (folder / pair[1]).resolve().parent == folder.resolve(), pair
        (folder / pair[1]).exists()
    assert isinstance(name, str)
    assert found is None or isinstance(found, str)
    return found


KINDS = {
    "tar": Kind(_tar, _unpacked),
    "zip": Kind(_zip, _unpacked),
    "network": Kind(lambda: _forged_model("model-gains"), lambda folder: networks.load(folder).digest),
    "context model": Kind(
        lambda: _forged_model("model-contexts"), lambda folder: contexts.load(folder).digest
    ),
    "study": Kind(_study, lambda folder: load_study(folder / "study.yaml").study),
    "lock": Kind(lambda: st.one_of(json_files("study.lock", _LOCK, {}), _offers()), _locked),
}
