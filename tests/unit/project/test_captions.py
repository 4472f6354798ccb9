"""Every figure and table has one caption, plain text, that all who show it can take as it is."""

import re

import pytest

from places import ROOT

SCRIPTS = ROOT / "scripts"
CAPTIONS = sorted((SCRIPTS / "captions").glob("*.rst"))


def test_every_figure_and_table_has_a_caption_and_every_caption_its_script():
    scripts = {path.stem for pattern in ("fig_*.py", "table_*.py") for path in SCRIPTS.glob(pattern)}
    assert {path.stem for path in CAPTIONS} == scripts | {"study"}


@pytest.mark.parametrize("path", CAPTIONS, ids=lambda path: path.stem)
def test_captions_are_plain_sentences(path):
    """No markup: the same text goes into reStructuredText, HTML, Markdown and LaTeX."""
    text = path.read_text("utf-8")
    assert text.endswith(".\n")
    assert not re.search(r"[`*_|{}<>\\]|::|\n\n|^\s", text)


def test_captions_are_written_once():
    code = "".join(path.read_text("utf-8") for path in SCRIPTS.glob("*.py"))
    code += "".join(path.read_text("utf-8") for path in (SCRIPTS.parent / "rules").glob("*.smk"))
    for path in CAPTIONS:
        first = path.read_text("utf-8").split(". ")[0].replace("\n", " ")
        assert len(first.split()) < 4 or first not in code
