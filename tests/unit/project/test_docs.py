"""Documentation is current and its links lead somewhere."""

import re
import subprocess
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from places import ROOT

PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "results").glob("*.md")]
    if path.is_file()
)
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^()\s]+(?:\([^()]*\))?)\)|<(https?://[^>\s]+)>")


def anchors(page: Path) -> set[str]:
    """Anchors of the headings of a page, as the usual renderers make them."""
    text = FENCE.sub("", page.read_text("utf-8"))
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6}\s+(.*?)\s*#*$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        number = next(i for i in range(len(found) + 1) if (f"{slug}-{i}" if i else slug) not in found)
        found.add(f"{slug}-{number}" if number else slug)
    return found


def fault(page: Path, target: str) -> str | None:
    """Say what is wrong with a link, if anything."""
    parts = urlsplit(target)
    if parts.scheme:
        good = parts.scheme in ("http", "https") and re.fullmatch(r"[\w.-]+\.[a-z]{2,}(:\d+)?", parts.netloc)
        return None if good else "not an address"
    file = (page.parent / parts.path).resolve() if parts.path else page
    if not file.exists():
        return "no such file"
    if not file.is_relative_to(ROOT):
        return "outside the project"
    if parts.fragment and (file.suffix != ".md" or parts.fragment not in anchors(file)):
        return "no such heading"
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    text = FENCE.sub("", page.read_text("utf-8"))
    targets = [first or second for first, second in LINK.findall(text)]
    faults = {target: found for target in targets if (found := fault(page, target))}
    assert not faults


def test_the_checker_of_links_finds_what_is_wrong(tmp_path):
    page = ROOT / "docs/codecs.md"
    assert fault(page, "nowhere.md") == "no such file"
    assert fault(page, "datasets.md#nowhere") == "no such heading"
    assert fault(page, "#two-protocols") is None
    assert fault(page, "../../shared") in ("outside the project", "no such file")
    assert fault(page, "https://nowhere") == "not an address"
    assert fault(page, "https://example.org/a#b") is None


def test_every_page_is_linked_from_the_readme():
    readme = (ROOT / "README.md").read_text("utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert f"(docs/{page.name}" in readme


@pytest.mark.parametrize("script", ["write_commands", "write_cards"])
def test_pages_that_are_written_are_current(monkeypatch, script):
    monkeypatch.syspath_prepend(ROOT / "docs")
    written = import_module(script)
    assert written.TARGET.read_text("utf-8") == written.text(), "run `make docs`"


def test_fences_are_closed():
    for page in PAGES:
        assert len(re.findall(r"^```", page.read_text("utf-8"), re.MULTILINE)) % 2 == 0, page


def test_every_row_of_what_is_refused_names_code_and_tests_that_exist():
    page = (ROOT / "docs/robustness.md").read_text("utf-8")
    table = page.partition("## The fuzzer")[0]
    _, *rows = re.findall(r"^\| .* \| .* \| (.*) \| (.*) \|$", table, re.MULTILINE)
    code = {path.name for path in (ROOT / "src").rglob("*.py")} | {"contexts", "ccsds123", "formats"}
    tests = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    assert len(rows) > 20
    for places, names in rows:
        for cell, known in ((places, code), (names, tests)):
            found = {Path(name).name for name in re.findall(r"`([^`]+)`", cell)}
            assert found, (places, names)
            assert found <= known, (places, names)


def test_make_targets_in_the_documentation_exist():
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        asked = set(re.findall(r"`make ([a-z-]+)", page.read_text("utf-8")))
        asked |= set(re.findall(r"^make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE))
        assert asked <= known, page


def test_make_help_lists_what_people_type():
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ("demo", "compare", "report", "test", "docs"):
        assert re.search(rf"^{target} ", done.stdout, re.MULTILINE)
