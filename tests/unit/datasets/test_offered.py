"""A page as a source: pages of many shapes on 127.0.0.1; faults are one sentence, and the next run goes on."""

import bz2
import json
import re

import numpy as np
import pytest
from test_datasets import dataset, raw

pytest.importorskip("pooch")

from bandpress import read_scene
from bandpress.datasets import fetch, find_scenes, prepare
from bandpress.datasets.answers import Patience
from bandpress.errors import DataError
from loopback import Loopback, certificate, tarred, zipped

QUICK = Patience(connect=2, stall=0.3, tries=2, pause=0.01)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """Files of two scenes of a set and of one of another, by name."""
    folder = tmp_path_factory.mktemp("scenes")
    paths = [raw(folder, name) for name in ("f080806t01p00r07", "f090710t01p00r11", "EO1H0440342002")]
    return {path.name: path.read_bytes() for path in paths}


@pytest.fixture
def site():
    with Loopback() as server:
        yield server


def mine(scenes):
    return {name: content for name, content in scenes.items() if name.startswith("f")}


def one_by_one(site, files):
    """Offer files; return a link to each."""
    for name, content in files.items():
        site.offer(name, content)
    return "".join(f'<a href="{name}">{name}</a>' for name in files)


def bring(page, folder, match="AVIRIS_test", lock=None, **how):
    pages = how.pop("pages", [])
    entry = dataset(page=page, match=match, pages=pages)
    fetched = fetch(
        entry, "AVIRIS_test", folder / "data", lock or folder / "lock.json", patience=QUICK, **how
    )
    return fetched, entry


def brought(page, folder, **how):
    """Names of the scenes that a page gives, each of them readable."""
    fetched, entry = bring(page, folder, **how)
    assert all(read_scene(path).cube.any() for path in prepare(entry, "AVIRIS_test", fetched, folder / "out"))
    return sorted(find_scenes(entry, "AVIRIS_test", fetched))


def refused(page, folder, *words, **how):
    with pytest.raises(DataError) as caught:
        bring(page, folder, **how)
    message = str(caught.value)
    assert "\n" not in message
    assert str(folder / "data" / "AVIRIS_test") in message, "the way by hand"
    for word in words:
        assert word in message, message
    own = folder / "data" / "AVIRIS_test"
    assert not own.is_dir() or not [path for path in own.iterdir() if not path.name.startswith(".")]
    return message


BOTH = ["f080806t01p00r07", "f090710t01p00r11"]

# Shapes of pages. {set} is the archive of the set, {other} that of another, {one} and {two} are files of single scenes.
ARCHIVES = {
    "a plain list": '<ul><li><a href="{set}">AVIRIS_test</a></li><li><a href="{other}">Hyperion_test</a></li></ul>',
    "by the name of the file": '<p><a href="{set}">download</a> or <a href="{other}">download</a></p>',
    "a table with the name in another cell": (
        "<table><tr><th>Set</th><th></th></tr>"
        '<tr><td>AVIRIS test</td><td>12 GB</td><td><a href="/x/1.zip">zip</a></td></tr>'
        '<tr><td>Hyperion test</td><td>9 GB</td><td><a href="{other}">zip</a></td></tr></table>'
    ),
    "a heading above a link without the name": (
        '<h1>Data sets</h1><h2>AVIRIS_test</h2><p>Calibrated. <a href="/x/1.zip">Download</a></p>'
        '<h2>Hyperion_test</h2><p><a href="{other}">Download</a></p>'
    ),
    "a definition list": (
        '<dl><dt>AVIRIS_test</dt><dd><a href="/x/1.zip">here</a></dd>'
        '<dt>Hyperion_test</dt><dd><a href="{other}">here</a></dd></dl>'
    ),
    "headings of several levels": (
        '<h2>AVIRIS_test</h2><h3>Images</h3><a href="/x/1.zip">zip</a><h2>Hyperion_test</h2><a href="{other}">zip</a>'
    ),
    "a relative link below a base": '<base href="/x/"><a href="1.zip">AVIRIS test</a><a href="../{other}">Hyperion</a>',
    "an absolute link": '<a href="{address}/{set}">AVIRIS_test.zip</a> <a href="{address}/{other}">other</a>',
    "other links of all kinds": (
        '<a href="#top">AVIRIS_test</a><a href="mailto:a@b">AVIRIS_test</a><a href="javascript:x()">AVIRIS_test</a>'
        '<a href="http://[bad">AVIRIS_test</a><a name="x">AVIRIS_test</a><a href="{set}">AVIRIS_test</a>'
        '<a href="paper.pdf">the paper on AVIRIS_test</a>'
    ),
    "a query that names the file": '<a href="/get.php?f={set}">zip</a> <a href="/get.php?f={other}">zip</a>',
    "capitals and a dash": '<A HREF="/x/1.zip">Aviris-Test images</A> <A HREF="{other}">Hyperion-Test images</A>',
    "one file linked twice": '<a href="{set}">AVIRIS_test</a> <a href="{set}">AVIRIS_test (mirror)</a>',
    "markup that is not closed": (
        '<table><tr><td>AVIRIS_test<td><a href="{set}">zip<tr><td>Hyperion<td><a href="{other}">zip'
    ),
}


@pytest.mark.parametrize("shape", ARCHIVES)
def test_an_archive_is_found(shape, site, scenes, tmp_path):
    archive = zipped({f"AVIRIS_test/{name}": content for name, content in mine(scenes).items()})
    names = {"set": "files/AVIRIS_test.zip", "other": "files/Hyperion_test.zip"}
    site.offer(names["set"], archive)
    site.offer("x/1.zip", archive)
    site.offer("get.php", archive)
    site.offer(names["other"], b"")
    page = site.page("datasets.php", ARCHIVES[shape].format(address=site.address, **names))
    assert brought(page, tmp_path) == BOTH
    assert "/files/Hyperion_test.zip" not in [path for path, _ in site.requests]


SINGLE = {
    "one link a scene under a heading": (
        '<h2>AVIRIS_test</h2><ul>{items}</ul><h2>Hyperion_test</h2><a href="{other}">x</a>'
    ),
    "one link a scene in a row": "<table><tr><td>AVIRIS_test</td><td>{items}</td></tr></table>",
}


@pytest.mark.parametrize("shape", SINGLE)
@pytest.mark.parametrize("packing", ["raw", "bzip2", "zip", "tar.gz"])
def test_a_set_of_one_file_or_archive_per_scene_is_found(shape, packing, site, scenes, tmp_path):
    items, single = "", {}
    for name, content in mine(scenes).items():
        stem = name.partition(".")[0]
        offered, packed = {
            "raw": (name, content),
            "bzip2": (f"{name}.bzip2", bz2.compress(content)),
            "zip": (f"{stem}.zip", zipped({name: content})),
            "tar.gz": (f"{stem}.tar.gz", tarred({name: content})),
        }[packing]
        single[offered] = site.offer(f"data/{offered}", packed)
        items += f'<li><a href="data/{offered}">{stem}</a></li>'
    site.offer("data/EO1.zip", b"")
    page = site.page("index.html", SINGLE[shape].format(items=items, other="data/EO1.zip"))
    assert brought(page, tmp_path) == BOTH
    assert "/data/EO1.zip" not in [path for path, _ in site.requests]
    lock = json.loads((tmp_path / "lock.json").read_text())
    assert set(single.values()) <= set(lock)
    assert lock[f"{page}#AVIRIS_test"]["offered"] == [[address, name] for name, address in single.items()]


def test_a_set_is_found_in_a_listing_of_folders(site, scenes, tmp_path):
    for name, content in mine(scenes).items():
        site.offer(f"data/AVIRIS_test/{name}", content)
    items = "".join(f'<a href="{name}">{name}</a>\n' for name in mine(scenes))
    site.page("data/AVIRIS_test/", f'<h1>Index of /data/AVIRIS_test</h1><a href="../">Parent</a>{items}')
    page = site.page(
        "data/", '<h1>Index of /data</h1><a href="AVIRIS_test/">AVIRIS_test/</a> <a href="old/">old/</a>'
    )
    assert brought(page, tmp_path) == BOTH


def test_one_archive_of_all_sets_is_downloaded_once_and_each_set_takes_its_folder(site, scenes, tmp_path):
    files = {f"all/AVIRIS_test/{name}": content for name, content in mine(scenes).items()}
    files |= {f"all/Hyperion_test/{name}": c for name, c in scenes.items() if name not in mine(scenes)}
    site.offer("data.tar.gz", tarred(files))
    page = site.page("p", '<a href="data.tar.gz">All test images (tar.gz)</a>')
    assert brought(page, tmp_path, match=["AVIRIS_test", "test images"]) == BOTH
    other = dataset(page=page, match=["Hyperion_test", "test images"])
    fetched = fetch(other, "Hyperion_test", tmp_path / "data", tmp_path / "lock.json", patience=QUICK)
    assert list(find_scenes(other, "Hyperion_test", fetched)) == ["EO1H0440342002"]
    assert [path for path, wanted in site.requests if path == "/data.tar.gz"].count(
        "/data.tar.gz"
    ) <= 3  # two probes
    stored = {path.stat().st_ino for path in (tmp_path / "data").rglob("data.tar.gz")}
    assert len(stored) == 1


def test_an_archive_of_several_sets_without_a_folder_of_ours_is_refused(site, scenes, tmp_path):
    site.offer("data.zip", zipped(scenes))
    page = site.page("p", '<a href="data.zip">test images</a>')
    with pytest.raises(DataError, match="no folder named AVIRIS_test"):
        bring(page, tmp_path, match=["AVIRIS_test", "test images"])


def test_links_with_spaces_or_percent_encoding_are_followed(site, scenes, tmp_path):
    site.offer("my%20data/AVIRIS%20test%20(2023).zip", zipped(mine(scenes)))
    for number, link in enumerate(("my data/AVIRIS test (2023).zip", "my%20data/AVIRIS%20test%20(2023).zip")):
        page = site.page(f"p{number}", f'<a href="{link}">zip</a>')
        assert brought(page, tmp_path / str(number)) == BOTH


def test_a_link_to_a_script_gives_the_file_under_the_name_it_states(site, scenes, tmp_path):
    site.offer("download.php", zipped(mine(scenes)))
    site.disposition["/download.php"] = "AVIRIS images.zip"
    page = site.page(
        "p", '<a href="download.php?id=3">AVIRIS_test</a> <a href="download.php?id=4">Hyperion</a>'
    )
    assert brought(page, tmp_path) == BOTH


def test_a_page_that_moved_from_http_to_https_is_followed(site, scenes, tmp_path, monkeypatch):
    pem = certificate(tmp_path)
    if pem is None:
        pytest.skip("openssl is not on this machine")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", f"{pem}.crt")
    with Loopback(pem) as secure:
        secure.offer("new/AVIRIS_test.zip", zipped(mine(scenes)))
        secure.page("new/datasets.html", '<a href="AVIRIS_test.zip">AVIRIS_test</a>')
        page = site.redirect("datasets.php", f"{secure.address}/new/datasets.html")
        assert brought(page, tmp_path) == BOTH


def test_another_page_is_read_when_the_first_does_not_have_it(site, scenes, tmp_path):
    site.offer("AVIRIS_test.zip", zipped(mine(scenes)))
    first = site.page("datasets.php", '<a href="x.zip">something</a>')
    second = site.page("downloads.php", '<a href="AVIRIS_test.zip">AVIRIS_test</a>')
    assert brought(first, tmp_path / "a", pages=[second]) == BOTH
    assert brought(f"{site.address}/gone.php", tmp_path / "b", pages=[second]) == BOTH


# Faults.


def test_none_or_several_candidates_are_one_sentence_with_the_links(site, tmp_path):
    page = site.page("p", '<a href="a.zip">Something</a> <a href="b.tar.gz">Other</a> <a href="/">home</a>')
    refused(page, tmp_path, "no link for AVIRIS_test", "Something", "/b.tar.gz")
    page = site.page("p", '<a href="AVIRIS_test.zip">v1</a> <a href="v2/AVIRIS_test.zip">v2</a>')
    refused(page, tmp_path, "2 links for AVIRIS_test", "v1", "v2")
    page = site.page("p", '<h2>AVIRIS_test</h2><a href="a.zip">zip</a> <a href="a.tar.gz">tar</a>')
    refused(page, tmp_path, "a.zip", "a.tar.gz")
    page = site.page("p", '<h2>AVIRIS_test and Hyperion_test</h2><a href="a.zip">zip</a>')
    refused(page, tmp_path, "no link for AVIRIS_test")
    page = site.page("p", "nothing")
    refused(page, tmp_path, "no link")
    assert not (tmp_path / "lock.json").exists()


def test_a_pattern_selects_every_matching_file(site, scenes, tmp_path):
    page = site.page("p", one_by_one(site, scenes))
    assert brought(page, tmp_path, match="f0*.raw") == BOTH


def test_a_login_page_with_status_200_is_refused(site, tmp_path):
    form = '<form action="login.php"><input type="password" name="p"></form>'
    site.page("AVIRIS_test.zip", form)
    page = site.page("p", '<a href="AVIRIS_test.zip">AVIRIS_test</a>')
    refused(page, tmp_path, "web page", '"Data"')
    site.kinds["/AVIRIS_test.zip"] = "application/zip"
    refused(page, tmp_path, "web page")
    refused(site.page("q", form), tmp_path / "q", "asks for a password")


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_status_of_failure_is_named_for_page_and_file(status, site, scenes, tmp_path):
    site.offer("AVIRIS_test.zip", zipped(mine(scenes)))
    page = site.page("p", '<a href="AVIRIS_test.zip">AVIRIS_test</a>')
    site.misbehave("p", status, status)
    refused(page, tmp_path, str(status))
    site.plans.clear()
    site.misbehave("AVIRIS_test.zip", *[status] * 4)
    refused(page, tmp_path, str(status), "AVIRIS_test.zip")
    site.plans.clear()
    assert brought(page, tmp_path) == BOTH


def test_a_truncated_body_is_gone_on_from_by_the_next_run(site, tmp_path):
    content = zipped({"a.1_300_300_2_1_0.raw": np.random.default_rng(0).bytes(180_000)})
    site.offer("AVIRIS_test.zip", content)
    page = site.page("p", '<a href="AVIRIS_test.zip">AVIRIS_test</a>')
    site.misbehave("AVIRIS_test.zip", None, "truncate", "stall", "stall")
    refused(page, tmp_path, "AVIRIS_test.zip")
    site.requests.clear()
    site.plans.clear()
    assert brought(page, tmp_path) == ["a"]
    assert site.requests[-1][1] is not None, "only the rest was asked for"


def test_a_truncated_body_of_unknown_length_is_no_archive(site, scenes, tmp_path):
    content = tarred({name: np.random.default_rng(1).bytes(60_000) for name in mine(scenes)})
    site.lengths = False
    site.offer("AVIRIS_test.tar.gz", content[: len(content) // 2])
    page = site.page("p", '<a href="AVIRIS_test.tar.gz">AVIRIS_test</a>')
    refused(page, tmp_path, "AVIRIS_test.tar.gz", "damaged")
    site.offer("AVIRIS_test.tar.gz", tarred(mine(scenes)))
    assert brought(page, tmp_path) == BOTH


def test_some_of_several_files_are_kept_when_the_others_fail(site, scenes, tmp_path):
    page = site.page("p", f"<h2>AVIRIS_test</h2>{one_by_one(site, mine(scenes))}")
    first, last = mine(scenes)
    site.misbehave(last, *[404] * 4)
    with pytest.raises(DataError, match=re.escape(last)):
        bring(page, tmp_path)
    site.plans.clear()
    site.requests.clear()
    assert brought(page, tmp_path) == BOTH
    assert f"/{first}" not in [path for path, _ in site.requests]


def test_a_page_that_changed_gives_the_recorded_file_or_an_error(site, scenes, tmp_path):
    content = zipped(mine(scenes))
    site.offer("AVIRIS_test.zip", content)
    page = site.page("p", '<a href="AVIRIS_test.zip">AVIRIS_test</a>')
    assert brought(page, tmp_path / "a", lock=tmp_path / "lock.json") == BOTH
    # Elsewhere now, the same file: it is taken.
    del site.files["/AVIRIS_test.zip"]
    site.offer("2024/AVIRIS_test.zip", content)
    site.page("p", '<a href="2024/AVIRIS_test.zip">AVIRIS_test</a>')
    assert brought(page, tmp_path / "b", lock=tmp_path / "lock.json") == BOTH
    # Another file, there or elsewhere again: it is not.
    for year in (2024, 2025):
        site.offer(f"{year}/AVIRIS_test.zip", zipped({"AVIRIS_test/b.raw": b"other"}))
        site.page("p", f'<a href="{year}/AVIRIS_test.zip">AVIRIS_test</a>')
        refused(page, tmp_path / f"c{year}", "SHA-256", lock=tmp_path / "lock.json")
    # Gone from the page.
    site.page("p", '<a href="other.zip">Other</a>')
    refused(page, tmp_path / "d", "404", "the page changed since", "Other", lock=tmp_path / "lock.json")


def test_large_downloads_need_consent(site, scenes, tmp_path):
    page = site.page("p", f"<h2>AVIRIS_test</h2>{one_by_one(site, mine(scenes))}")
    refused(page, tmp_path, "2 files of 480 bytes", "(240 bytes)", "--config download=yes", most=100)
    assert brought(page, tmp_path, most=480) == BOTH


def test_an_archive_of_several_sets_brought_by_hand_gives_its_own_folder(site, scenes, tmp_path):
    files = {f"all/AVIRIS_test/{name}": content for name, content in mine(scenes).items()}
    files |= {f"all/Hyperion_test/{name}": c for name, c in scenes.items() if name not in mine(scenes)}
    folder = tmp_path / "data" / "AVIRIS_test"
    folder.mkdir(parents=True)
    (folder / "data.zip").write_bytes(zipped(files))
    assert brought(f"{site.address}/nothing", tmp_path) == BOTH


def test_a_wrong_link_is_dropped_when_the_page_is_corrected(site, scenes, tmp_path):
    page = site.page("p", '<a href="old.zip">AVIRIS_test</a>')
    refused(page, tmp_path, "404")
    site.offer("new.zip", zipped(mine(scenes)))
    site.page("p", '<a href="new.zip">AVIRIS_test</a>')
    assert brought(page, tmp_path) == BOTH


def test_files_brought_by_hand_come_first(site, scenes, tmp_path):
    folder = tmp_path / "data" / "AVIRIS_test"
    folder.mkdir(parents=True)
    (folder / "mine.zip").write_bytes(zipped(mine(scenes)))
    assert brought(f"{site.address}/nothing", tmp_path) == BOTH
    assert not site.requests


def test_a_second_run_sends_no_request(site, scenes, tmp_path):
    site.offer("AVIRIS_test.zip", zipped(mine(scenes)))
    page = site.page("p", '<a href="AVIRIS_test.zip">AVIRIS_test</a>')
    brought(page, tmp_path)
    site.requests.clear()
    assert brought(page, tmp_path) == BOTH
    assert not site.requests


@pytest.mark.parametrize(
    "html",
    ["", "<", "\x00" * 100, "<a href=" * 100_000, "<table>" * 3000 + '<a href="x">'],
    ids=["empty", "half a tag", "zeros", "links that do not end", "tables in tables"],
)
def test_hostile_pages_are_one_sentence(html, site, tmp_path):
    page = site.offer("p", html.encode(), "text/html")
    refused(page, tmp_path, "no link")


def test_a_page_that_redirects_in_circles_is_refused(site, tmp_path):
    page = site.redirect("a", f"{site.address}/b")
    site.redirect("b", page)
    refused(page, tmp_path, "redirects")


def test_a_page_without_end_and_a_file_instead_of_a_page_are_refused(site, tmp_path, monkeypatch):
    monkeypatch.setattr("bandpress.datasets.answers._LARGEST_PAGE", 1000)
    refused(site.page("p", "x" * 2000), tmp_path, "more than 1000 bytes")
    refused(site.offer("q", b"PK\x03\x04" + bytes(100)), tmp_path, "not a web page")


# Services whose pages are not for reading: their own readers, against answers of the shape that they read.


@pytest.fixture
def services(site, monkeypatch):
    """The server in place of every host of the services."""
    requests = pytest.importorskip("requests")
    send = requests.adapters.HTTPAdapter.send

    def here(self, request, **options):
        scheme, _, rest = request.url.partition("://")
        if not rest.startswith("127.0.0.1"):
            host, _, path = rest.partition("/")
            request.url = f"{site.address}/{host}/{path}"
        answer = send(self, request, **options)
        if scheme == "https":
            answer.url = answer.url.replace(f"{site.address}/", "https://")
        return answer

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", here)
    return site


@pytest.mark.parametrize(
    "page", ["https://zenodo.org/records/1222202", "https://doi.org/10.5281/zenodo.1222202"]
)
def test_a_record_of_zenodo_gives_its_matching_file(page, services, scenes, tmp_path):
    services.redirect("doi.org/10.5281/zenodo.1222202", "https://zenodo.org/records/1222202")
    services.page("zenodo.org/records/1222202", "script")
    link = "https://zenodo.org/api/records/1222202/files/AVIRIS_test.zip/content"
    file = {"key": "AVIRIS_test.zip", "checksum": "md5:0", "links": {"self": link}}
    other = {"key": "notes.txt", "checksum": "md5:0", "links": {"self": link}}
    answer = json.dumps({"id": 1222202, "files": [file, other]}).encode()
    services.offer("zenodo.org/api/records/1222202", answer, "application/json")
    services.offer("zenodo.org/api/records/1222202/files/AVIRIS_test.zip/content", zipped(mine(scenes)))
    assert brought(page, tmp_path) == BOTH


@pytest.mark.parametrize(
    ("page", "version"),
    [
        ("https://figshare.com/articles/dataset/x/77", ""),
        ("https://figshare.com/articles/dataset/x/77/2", "/versions/2"),
    ],
)
def test_a_record_of_figshare_gives_its_matching_file(page, version, services, scenes, tmp_path, recwarn):
    doi = "10.6084/m9.figshare.77" + (".v2" if version else "")
    services.redirect(f"doi.org/{doi}", "https://figshare.com/articles/dataset/x/77")
    services.page("figshare.com/articles/dataset/x/77", "script")
    services.offer("api.figshare.com/v2/articles", b'[{"id": 77}]', "application/json")
    file = {
        "name": "AVIRIS_test.zip",
        "download_url": "https://ndownloader.figshare.com/files/5",
        "computed_md5": "0",
    }
    services.offer(
        f"api.figshare.com/v2/articles/77{version}",
        json.dumps({"files": [file]}).encode(),
        "application/json",
    )
    services.offer("ndownloader.figshare.com/files/5", zipped(mine(scenes)))
    assert brought(page, tmp_path) == BOTH
    assert not [warning for warning in recwarn if "Figshare" in str(warning.message)]


def test_a_link_to_a_record_that_is_gone_is_named(services, tmp_path):
    page = services.page("p", '<a href="https://zenodo.org/records/7">AVIRIS_test</a>')
    refused(page, tmp_path, "10.5281/zenodo.7")


def test_a_folder_of_google_drive_gives_its_files(services, scenes, tmp_path):
    ids = [f"{'x' * 30}{number}" for number in range(3)]
    folder = "drive.google.com/embeddedfolderview"
    links = "".join(
        f'<a href="https://drive.google.com/file/d/{number}/view">{name}</a>'
        for name, number in zip(mine(scenes), ids[1:], strict=True)
    )
    services.page(folder, links)
    page = services.page("p", f'<a href="https://drive.google.com/drive/folders/{ids[0]}">AVIRIS_test</a>')
    message = refused(page, tmp_path, "Google Drive did not give it")
    assert "drive.google.com/uc" in message
    for (name, content), number in zip(mine(scenes).items(), ids[1:], strict=True):
        services.offer(f"drive.google.com/uc?id={number}", content)
        services.disposition[f"/drive.google.com/uc?id={number}"] = name
    assert brought(page, tmp_path) == BOTH


def test_files_of_the_same_page_are_not_mixed_up(site, scenes, tmp_path):
    for number, (name, content) in enumerate(mine(scenes).items()):
        site.offer(f"{number}/scene.zip", zipped({name: content}))
    page = site.page("p", '<h2>AVIRIS_test</h2><a href="0/scene.zip">one</a><a href="1/scene.zip">two</a>')
    refused(page, tmp_path, "some to files of one name")
