"""The page of a study: whole, self-contained, right, and legible in a browser at desktop and phone widths."""

import html
import json
import os
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

pytest.importorskip("seaborn", reason="the packages of bandpress[figures] are not installed")

import pandas as pd

import make_index
from bandpress.study.report.stages import duration, read_stages
from small_study import CODECS, KINDS, make, study

FIGURES = {"rd_all": "fig_rd", "gain": "fig_gain", "throughput": "fig_throughput"}
TABLES = ("headline", "bd", "rates", "speed")
CARD = {
    "study": "small",
    "title": "Two <small> scenes & four codecs",
    "file": "studies/small.yaml",
    "datasets": {
        "test": {
            "sensor": "AVIRIS",
            "role": "test",
            "licence": "CC0",
            "citation": "Nobody",
            "source": {"page": "https://example.org/scenes"},
        },
        "train": {
            "sensor": "AVIRIS",
            "role": "train",
            "licence": "CC0",
            "citation": "Nobody",
            "source": {"path": "train"},
            "scenes": {"far": {"lines": "1-20"}},
        },
    },
}
PROVENANCE = {
    "code": {"revision": "0123456789abcdef", "changed": True},
    "environments": {"analysis": {"python": "3.11.2", "numpy": "2.0"}, "tensorflow": {"numpy": "1.26"}},
    "streams": {"files": 14, "sha256": "ab" * 32},
    "machine": {"processor": "A processor", "cores": 2, "memory_mb": 8000, "system": "Linux"},
    "written": "2026-01-02T03:04:05+00:00",
}


def build(folder: Path, codecs=CODECS) -> Path:
    """Make a small study with its page, as the workflow does; return the page."""
    rd = study(folder, codecs=codecs)
    for name, script in FIGURES.items():
        make(script, KINDS, [str(rd)], folder / "figures" / name)
    for name in TABLES:
        make(f"table_{name}", (".csv", ".md", ".tex"), [str(rd)], folder / "tables" / name)
    scenes = [str(path) for path in sorted((folder / "scenes/test").iterdir())]
    cards = json.dumps({"test": CARD["datasets"]["test"]})
    make("table_datasets", (".csv", ".md", ".tex"), [*scenes, "--cards", cards], folder / "tables/datasets")
    (folder / "provenance.json").write_text(json.dumps(PROVENANCE))
    jobs = folder / "benchmarks/code_scene/test/south"
    jobs.mkdir(parents=True)
    (jobs / "r1.tsv").write_text("s\th:m:s\tmax_rss\n12.5\t0:00:12\t100.5\n")
    (jobs / "r2.tsv").write_text("s\th:m:s\tmax_rss\n70\t0:01:10\t-\n")
    arguments = [str(folder), "--card", json.dumps(CARD), "--output", str(folder / "index.html")]
    arguments += ["--figures", *(f"{name}={script.removeprefix('fig_')}" for name, script in FIGURES.items())]
    arguments += ["--tables", *TABLES, "datasets"]
    arguments += ["--pictures", json.dumps({"test": [scenes[0], [3, 2, 1]]})]
    make_index.main(arguments)
    return folder / "index.html"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return build(tmp_path_factory.mktemp("page"))


class Links(HTMLParser):
    """Collects what a page loads by itself, what it links to, and its anchors."""

    def __init__(self):
        super().__init__()
        self.loads, self.links, self.ids = [], [], set()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "a":
            self.links.append(attrs["href"])
        else:
            self.loads += [attrs[key] for key in ("src", "href", "srcset", "data") if key in attrs]
        if "id" in attrs:
            assert attrs["id"] not in self.ids
            self.ids.add(attrs["id"])
        assert tag != "script"


def links_of(page: Path) -> Links:
    found = Links()
    found.feed(page.read_text("utf-8"))
    return found


def test_the_page_loads_nothing_from_outside(page):
    found = links_of(page)
    assert found.loads
    assert all(address.startswith("data:") for address in found.loads)
    assert not re.search(r"url\(|@import", page.read_text("utf-8"))


def test_every_link_of_the_page_leads_somewhere(page):
    found = links_of(page)
    later = {"streams", "logs", "benchmarks", "figures", "tables"}
    for link in found.links:
        if link.startswith("#"):
            assert link[1:] in found.ids
        elif not link.startswith("https://") and link not in later:
            assert (page.parent / link).is_file(), link


def test_the_page_says_what_the_files_say(page):
    text = page.read_text("utf-8")
    assert "Two &lt;small&gt; scenes &amp; four codecs" in text
    for sentence in pd.read_csv(page.parent / "tables/headline.csv")["sentence"]:
        assert sentence in html.unescape(text)
    assert "+1.0 dB" in text
    assert "Rate and distortion</b>" in text
    assert "<td>2</td><td>1 min 22 s</td><td>1 min 10 s</td><td>100 MB</td>" in text
    assert "2.0, 1.26" in text
    assert "south: 6 bands × 20 lines × 24 samples, uint16" in text
    assert "far: lines 1-20" in text
    assert "There are no reference results for this study." in text


@pytest.mark.slow
def test_a_figure_that_cannot_exist_is_a_sentence(tmp_path):
    text = build(tmp_path, CODECS[3:]).read_text("utf-8")
    assert "<p>No codec in these results has a reference to compare with.</p>" in text
    assert "The study has no learned codec." in text


def test_stages_take_the_last_run_of_each_job(tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures/rd.tsv").write_text("s\tmax_rss\n1\t5\n3\t7\n")
    (tmp_path / "figures/broken.tsv").write_text("")
    (tmp_path / "collect_rd.tsv").write_text("s\tmax_rss\n2\t-\n")
    stages = {stage.name: stage for stage in read_stages(tmp_path)}
    assert stages["Figures"].seconds == 3
    assert stages["Figures"].peak_mb == 7
    assert stages["Results collected, tables"].peak_mb is None
    assert [duration(s) for s in (0.4, 59.6, 3725)] == ["0 s", "1 min 0 s", "1 h 2 min"]


@pytest.fixture(scope="module")
def browser():
    """A headless browser: that of the environment variable BANDPRESS_BROWSER, or Chromium where it is installed."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    named = (os.environ.get("BANDPRESS_BROWSER"), "chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, (shutil.which(name) for name in named if name)), None)
    if found is None:
        pytest.skip("no browser was found: neither BANDPRESS_BROWSER nor chromium nor google-chrome")
    with playwright.sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390], ids=["desktop", "phone"])
def test_the_page_is_legible_in_a_browser(page, browser, width):
    check_in_browser(page, browser, width)


def check_in_browser(page: Path, browser, width: int, picture: Path | None = None) -> None:
    """Open a page from its file: nothing is loaded, nothing fails, nothing runs over the side, no text is tiny."""
    tab = browser.new_page(viewport={"width": width, "height": 900})
    requests, errors = [], []
    tab.on("request", lambda request: requests.append(request.url))
    tab.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(page.resolve().as_uri())
    if picture is not None:
        tab.screenshot(path=picture, full_page=True)
    assert [url[:60] for url in requests if not url.startswith(("data:", "file:"))] == []
    assert len([url for url in requests if url.startswith("file:")]) == 1
    assert errors == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    broken = "[...document.images].filter(i => !i.complete || i.naturalWidth < 20).map(i => i.alt)"
    assert tab.evaluate(broken) == []
    narrow = "[...document.querySelectorAll('figure img')].filter(i => i.getBoundingClientRect().width < 280).length"
    assert tab.evaluate(narrow) == 0
    over = """[...document.querySelectorAll('header *, main *, footer *')].filter(e => !e.closest('.scroll')
        && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + ' ' + e.textContent.slice(0, 40))"""
    assert tab.evaluate(over) == []
    small = """[...document.querySelectorAll('p, td, th, dd, dt, figcaption, span')].filter(e => e.textContent.trim()
        && parseFloat(getComputedStyle(e).fontSize) < 12).map(e => e.textContent.slice(0, 40))"""
    assert tab.evaluate(small) == []
    tab.close()
