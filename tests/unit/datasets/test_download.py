"""Downloads from a real server on 127.0.0.1: the right file or none, and one clear sentence."""

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pooch")

from bandpress.datasets import lock as locks
from bandpress.datasets.answers import Patience
from bandpress.datasets.download import download
from bandpress.datasets.entry import file_name
from bandpress.errors import DataError
from loopback import Loopback

CONTENT = np.random.default_rng(0).bytes(327_680)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
OTHER = hashlib.sha256(b"other").hexdigest()
QUICK = Patience(connect=2, stall=0.3, tries=3, pause=0.01)


@pytest.fixture
def site():
    with Loopback() as server:
        server.offer("a.bin", CONTENT)
        yield server


def get(site, folder, sha256=SHA256, lock=None, mirrors=()):
    return download([f"{site.address}/a.bin", *mirrors], folder, sha256, lock, QUICK)


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def refused(folder, *words, **how):
    """Expect one sentence with these words, and no file."""
    with pytest.raises(DataError) as caught:
        get(folder=folder, **how)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message
    assert "a.bin" not in visible(folder)
    return message


def test_a_file_is_downloaded_once(site, tmp_path):
    for _ in range(2):
        assert get(site, tmp_path).read_bytes() == CONTENT
    assert len(site.requests) == 1
    assert visible(tmp_path) == ["a.bin"]


def test_truncated_body_is_taken_up_where_it_ended(site, tmp_path):
    site.misbehave("a.bin", "truncate")
    assert get(site, tmp_path).read_bytes() == CONTENT
    assert site.requests == [("/a.bin", None), ("/a.bin", "bytes=163840-")]
    assert visible(tmp_path) == ["a.bin"]


def test_truncated_body_without_ranges_is_downloaded_again(site, tmp_path):
    site.ranges = False
    site.misbehave("a.bin", "truncate")
    assert get(site, tmp_path).read_bytes() == CONTENT


def test_truncated_body_without_validators_is_downloaded_again(site, tmp_path):
    site.validators = False
    site.misbehave("a.bin", "truncate")
    assert get(site, tmp_path).read_bytes() == CONTENT
    assert site.requests == [("/a.bin", None), ("/a.bin", None)]


def test_body_that_is_always_truncated_gives_nothing(site, tmp_path):
    site.ranges = False
    site.misbehave("a.bin", *["truncate"] * 9)
    refused(tmp_path, "a.bin", "after 163840 bytes", "3 tries", site=site)


def test_the_next_run_goes_on_where_the_last_one_ended(site, tmp_path):
    site.misbehave("a.bin", "truncate", "stall", "stall")
    refused(tmp_path, "a.bin", site=site)
    site.requests.clear()
    assert get(site, tmp_path).read_bytes() == CONTENT
    ((_, wanted),) = site.requests
    assert int(wanted.removeprefix("bytes=").removesuffix("-")) > 163_840


def test_bytes_received_are_kept_when_the_server_refuses_the_rest(site, tmp_path):
    site.misbehave("a.bin", "truncate", 403)
    refused(tmp_path, "403", site=site)
    site.requests.clear()
    assert get(site, tmp_path).read_bytes() == CONTENT
    assert site.requests == [("/a.bin", "bytes=163840-")]


def test_a_file_that_changes_between_two_tries_is_not_patched_together(site, tmp_path):
    site.misbehave("a.bin", "truncate", *["silent"] * 2)
    refused(tmp_path, site=site, sha256=None)
    changed = CONTENT[::-1]
    site.offer("a.bin", changed)
    assert get(site, tmp_path, sha256=None).read_bytes() == changed


def test_a_wrong_hash_is_refused_and_leaves_no_file(site, tmp_path):
    refused(tmp_path, "SHA-256", OTHER, site=site, sha256=OTHER)
    assert visible(tmp_path) == []


def test_a_server_that_lies_is_passed_over_for_a_mirror(site, tmp_path):
    site.misbehave("a.bin", "lie")
    mirror = site.offer("mirror/b.bin", CONTENT)
    path = get(site, tmp_path, mirrors=[mirror])
    assert path.read_bytes() == CONTENT
    assert path.name == "a.bin"


def test_a_404_is_refused_after_one_request(site, tmp_path):
    del site.files["/a.bin"]
    refused(tmp_path, "404", site=site)
    assert len(site.requests) == 1


def test_a_mirror_is_tried_after_a_404(site, tmp_path):
    mirror = site.offer("mirror/b.bin", CONTENT)
    site.misbehave("a.bin", 404)
    assert get(site, tmp_path, mirrors=[mirror]).read_bytes() == CONTENT


def test_a_503_is_tried_again(site, tmp_path):
    site.misbehave("a.bin", 503, 503)
    assert get(site, tmp_path).read_bytes() == CONTENT
    assert len(site.requests) == 3


def test_a_lasting_503_is_refused_after_three_tries(site, tmp_path):
    site.misbehave("a.bin", *[503] * 9)
    refused(tmp_path, "503", "3 tries", site=site)


def test_a_server_that_stalls_is_given_up_in_time(site, tmp_path):
    site.misbehave("a.bin", *["stall"] * 9)
    started = time.monotonic()
    refused(tmp_path, "0.3 s", site=site)
    assert time.monotonic() - started < 10


def test_a_server_that_never_answers_is_given_up(site, tmp_path):
    site.misbehave("a.bin", *["silent"] * 9)
    refused(tmp_path, "0.3 s", site=site)


def test_a_refused_connection_is_one_sentence(site, tmp_path):
    message = ""
    with Loopback() as other:
        address = other.address + "/a.bin"
    with pytest.raises(DataError, match="connection") as caught:
        download([address], tmp_path, SHA256, None, QUICK)
    message = str(caught.value)
    assert "\n" not in message
    assert visible(tmp_path) == []


def test_a_web_page_instead_of_the_file_is_refused(site, tmp_path):
    site.offer("a.bin", b"<html>Not found</html>", kind="text/html; charset=utf-8")
    refused(tmp_path, "web page", site=site, sha256=None)


@pytest.mark.parametrize("lengths", [True, False])
def test_a_full_disk_is_one_sentence_and_leaves_no_file(site, tmp_path, lengths):
    site.lengths = lengths
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small tmpfs cannot be mounted here")
    try:
        refused(folder, "no space left on the device", site=site)
        assert visible(folder) == []
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_folder_that_cannot_be_made_is_refused(site, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="expected a folder"):
        get(site, tmp_path / "file" / "x")


def in_another_process(site, folder):
    """Download the file in a process of its own, which prints the path."""
    code = (
        "import sys; from pathlib import Path; from bandpress.datasets.download import download\n"
        "print(download([sys.argv[1]], Path(sys.argv[2]), sys.argv[3]))"
    )
    argv = [sys.executable, "-c", code, f"{site.address}/a.bin", str(folder), SHA256]
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    return subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_two_processes_download_the_same_file_once(site, tmp_path):
    site.pause = 0.5
    both = [in_another_process(site, tmp_path) for _ in range(2)]
    for process in both:
        output, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors.decode()
        assert output.decode().strip() == str(tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert len(site.requests) == 1
    assert visible(tmp_path) == ["a.bin"]


def test_a_killed_download_leaves_no_file_and_the_next_one_finishes(site, tmp_path):
    site.pause = 30
    process = in_another_process(site, tmp_path)
    deadline = time.monotonic() + 30
    while not any(p.name.endswith(".part") and p.stat().st_size for p in tmp_path.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.communicate()
    assert "a.bin" not in visible(tmp_path)
    site.pause = 0
    assert get(site, tmp_path).read_bytes() == CONTENT


def test_the_first_download_is_recorded_and_every_later_one_must_match(site, tmp_path):
    lock = tmp_path / "study.lock.json"
    get(site, tmp_path / "one", None, lock)
    assert json.loads(lock.read_text()) == {
        f"{site.address}/a.bin": {"sha256": SHA256, "bytes": len(CONTENT)}
    }
    site.offer("a.bin", b"changed")
    with pytest.raises(DataError, match=SHA256):
        get(site, tmp_path / "two", None, lock)
    assert visible(tmp_path / "two") == []
    assert json.loads(lock.read_text())[f"{site.address}/a.bin"]["sha256"] == SHA256


def test_a_file_brought_by_hand_is_checked_and_taken(site, tmp_path):
    (tmp_path / "a.bin").write_bytes(CONTENT)
    get(site, tmp_path)
    assert site.requests == []
    (tmp_path / "a.bin").write_bytes(b"damaged")
    with pytest.raises(DataError, match="remove the file to download it again"):
        get(site, tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == b"damaged"


def test_a_damaged_lock_file_is_one_sentence(site, tmp_path):
    lock = tmp_path / "lock.json"
    lock.write_text("[1, 2")
    with pytest.raises(DataError, match="cannot be read"):
        get(site, tmp_path / "d", None, lock)


@pytest.mark.parametrize(
    "name",
    ["../../b.bin", "/b.bin", "..", "", "a\\b", "a\0", "\ud800", "a\x1b[2J", 201 * "x", 3, None],
    ids=lambda name: ascii(name)[:20],
)
def test_a_lock_file_names_plain_files_within_the_folder(tmp_path, name):
    lock = tmp_path / "lock.json"
    lock.write_text(json.dumps({"p#s": {"found as": "s", "offered": [["http://x/a.bin", name]]}}))
    with pytest.raises(DataError, match=r"lock\.json: cannot be read"):
        locks.offered(lock, "p#s")


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("http://x/a.bin", "a.bin"),
        ("http://x/a/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "passwd"),
        ("http://x/-rf%20$(x).zip?y=/z", "rf___x_.zip"),
        ("http://x/.hidden.zip", "hidden.zip"),
    ],
)
def test_names_of_downloads_are_plain(address, name):
    assert file_name(address) == name


def test_an_address_without_a_name_is_refused():
    with pytest.raises(DataError, match="without the name of a file"):
        file_name("http://x/")
