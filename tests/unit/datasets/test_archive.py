"""Archives that others made: refused or unpacked within their folder, never anything else."""

import gzip
import io
import os
import stat
import subprocess
import sys
import tarfile
import tracemalloc
import zipfile

import pytest

from bandpress.datasets import archive
from bandpress.errors import DataError
from loopback import tarred, zipped

FILES = {"AVIRIS_test/a.raw": b"1234", "AVIRIS_test/b.raw": b"", "AVIRIS_test/deep/er/c.raw": b"x" * 9999}


def tree(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def refused(tmp_path, name, content, match):
    """Expect one sentence, and nothing beside the archive."""
    box = tmp_path / "box"
    box.mkdir()
    (box / name).write_bytes(content)
    before = [*sorted(tmp_path.rglob("*")), box / ".out.lock"]
    with pytest.raises(DataError, match=match) as caught:
        archive.unpack(box / name, box / "out")
    assert "\n" not in str(caught.value)
    assert set(tmp_path.rglob("*")) <= set(before)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.zip", zipped(FILES)),
        ("a.tar", tarred(FILES, "w")),
        ("a.tar.gz", tarred(FILES)),
        ("a.tgz", tarred(FILES)),
        ("a.tar.xz", tarred(FILES, "w:xz")),
        ("a.tar.bz2", tarred(FILES, "w:bz2")),
    ],
)
def test_archives_are_unpacked_once(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert archive.is_archive(tmp_path / name)
    assert archive.stem(tmp_path / name) == "a"
    folder = archive.unpack(tmp_path / name, tmp_path / "a")
    assert tree(folder) == FILES
    (folder / "AVIRIS_test" / "a.raw").write_bytes(b"touched")
    archive.unpack(tmp_path / name, tmp_path / "a")
    assert (folder / "AVIRIS_test" / "a.raw").read_bytes() == b"touched"
    (tmp_path / name).write_bytes(content)
    os.utime(tmp_path / name, (1, 1))
    assert tree(archive.unpack(tmp_path / name, tmp_path / "a")) == FILES


@pytest.mark.parametrize(
    "name",
    [
        "../evil.raw",
        "a/../../evil.raw",
        "/etc/evil.raw",
        "..",
        "a\\..\\evil.raw",
        "C:/evil.raw",
        "a\nb.raw",
        "a\x1b[2Jb.raw",
        "n" * 300,
    ],
)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_names_outside_the_folder_or_hostile_names_are_refused(tmp_path, name, kind):
    content = zipped({"ok.raw": b"1", name: b"2"}) if kind == "zip" else tarred({"ok.raw": b"1", name: b"2"})
    refused(tmp_path, f"a.{kind}", content, "expected plain names")


@pytest.mark.parametrize("name", ["-rf", "$(touch x).raw", "a b'\"`;&.raw", "ÀÉ.raw"])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_odd_names_within_the_folder_are_plain_files(tmp_path, name, kind):
    content = zipped({name: b"2"}) if kind == "zip" else tarred({name: b"2"})
    (tmp_path / "a").write_bytes(content)
    assert tree(archive.unpack(tmp_path / "a", tmp_path / "out")) == {name: b"2"}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path, kind):
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = kind, "/etc"
        tar.addfile(link)
        info = tarfile.TarInfo("link/evil")
        tar.addfile(info, io.BytesIO(b""))
    refused(tmp_path, "a.tar", target.getvalue(), "link or a device")


def test_links_in_a_zip_are_refused(tmp_path):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as packed:
        info = zipfile.ZipInfo("link")
        info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        packed.writestr(info, "/etc")
    refused(tmp_path, "a.zip", target.getvalue(), "link or a device")


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.xz"])
def test_bombs_are_refused(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(archive, "_ALWAYS_FINE", 1 << 20)
    files = {"bomb": bytes(30 << 20)}
    content = zipped(files) if kind == "zip" else tarred(files, f"w:{kind[4:]}")
    refused(tmp_path, f"a.{kind}", content, "unpacks to more than 200 times its size")


@pytest.mark.parametrize("kind", ["gz", "bz2"])
def test_a_bomb_in_a_skipped_member_is_refused(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(archive, "_ALWAYS_FINE", 1 << 20)
    path = tmp_path / f"a.tar.{kind}"
    path.write_bytes(tarred({"bomb": bytes(30 << 20), "wanted.raw": b"x"}, f"w:{kind}"))
    with pytest.raises(DataError, match="unpacks to more than 200 times its size"):
        archive.unpack(path, tmp_path / "out", only=["wanted.raw"])
    assert not (tmp_path / "out").exists()


def test_too_many_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "_MOST_MEMBERS", 10)
    refused(tmp_path, "a.zip", zipped({f"{i}": b"" for i in range(11)}), "more than 10 files")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_there_twice_or_is_also_a_folder_is_refused(tmp_path):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as packed:
        packed.writestr("a", b"1")
        packed.writestr("a", b"2")
    refused(tmp_path, "a.zip", target.getvalue(), "twice")


def test_a_file_that_is_also_a_folder_is_refused(tmp_path):
    refused(tmp_path, "a.tar", tarred({"a": b"1", "a/b": b"2"}), "both as a file and as a folder")


@pytest.mark.parametrize("cut", [10, 100, 400, -30])
@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.xz"])
def test_damaged_archives_are_refused(tmp_path, kind, cut):
    files = {"a": os.urandom(999), "b": os.urandom(999)}
    content = zipped(files) if kind == "zip" else tarred(files, f"w:{kind[4:]}")
    refused(tmp_path, f"a.{kind}", content[:cut], "expected")


def test_damaged_members_are_refused(tmp_path):
    content = bytearray(zipped({"a": os.urandom(999)}))
    content[500] ^= 1
    refused(tmp_path, "a.zip", bytes(content), "damaged")


def test_an_empty_name_is_refused(tmp_path):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as packed:
        entry = zipfile.ZipInfo("x")
        entry.filename = ""
        packed.writestr(entry, b"1")
    refused(tmp_path, "a.zip", target.getvalue(), "damaged")


def test_a_sparse_map_of_text_is_refused(tmp_path):
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as packed:
        entry = tarfile.TarInfo("a.raw")
        entry.pax_headers = {"GNU.sparse.map": "7>x"}
        packed.addfile(entry)
    refused(tmp_path, "a.tar", target.getvalue(), "damaged")


def test_an_archive_without_room_is_refused_and_leaves_nothing(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(small)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small tmpfs cannot be mounted here")
    try:
        (tmp_path / "a.zip").write_bytes(zipped({"a": os.urandom(999_999)}))
        with pytest.raises(DataError, match="no space"):
            archive.unpack(tmp_path / "a.zip", small / "out")
        assert [path.name for path in small.iterdir()] == [".out.lock"]
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_two_processes_share_one_unpacked_archive(tmp_path):
    """Neither takes the folder away from under the other."""
    files = {f"{i}": os.urandom(20_000) for i in range(200)}
    (tmp_path / "a.zip").write_bytes(zipped(files))
    code = (
        "import sys; from pathlib import Path; from bandpress.datasets.archive import unpack\n"
        "folder = unpack(Path(sys.argv[1]), Path(sys.argv[2])); state = folder.stat()\n"
        "import time; time.sleep(0.5); print(folder.stat().st_ino == state.st_ino, len(list(folder.iterdir())))"
    )
    argv = [sys.executable, "-c", code, str(tmp_path / "a.zip"), str(tmp_path / "out")]
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    several = [subprocess.Popen(argv, env=env, stdout=subprocess.PIPE) for _ in range(3)]
    assert [process.communicate(timeout=60)[0].decode().split() for process in several] == [
        ["True", "200"]
    ] * 3
    assert tree(tmp_path / "out") == files


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE])
def test_a_name_of_hundreds_of_megabytes_is_refused_before_it_is_read(tmp_path, kind):
    path = tmp_path / "names.tar.gz"
    entry = tarfile.TarInfo("././@LongLink")
    entry.size, entry.type = 300 << 20, kind
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(entry.tobuf(tarfile.GNU_FORMAT))
        for _ in range(300):
            file.write(bytes(1 << 20))
    tracemalloc.start()
    with pytest.raises(DataError, match="a name or a record of 314572800 bytes"):
        archive.unpack(path, tmp_path / "out")
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()
    assert not (tmp_path / "out").exists()
