"""Commands in the README and docs other than bandpress: snakemake plans them, make knows them."""

import re
import shlex
import subprocess

import pytest

import examples
from bandpress.cli import main
from places import ROOT

pytestmark = pytest.mark.workflow

LINES = dict.fromkeys(
    " ".join(shlex.split(line, comments=True))
    for lines in examples.of_pages().values()
    for line in lines
    if not line.startswith("bandpress ")
)
#: What a person types around them.
AROUND = {"pip install .[pictures]", ". .venv/bin/activate", "tmux"}


EXTENDING = (ROOT / "docs/extending.md").read_text("utf-8")


def study_of_extending(checkout) -> None:
    """Write the study that docs/extending.md describes, and its scene."""
    data, _, codec = re.findall(r"^```yaml\n(.*?)^```", EXTENDING, re.MULTILINE | re.DOTALL)[:3]
    (figures,) = re.findall(r"`(figures: \{reference.*?\})`", EXTENDING)
    study = f"study: mine\ntitle: mine\n{data}{codec}{figures}\n"
    (checkout.folder / "studies/mine.yaml").write_text(study)
    (synthesize,) = re.findall(r"`bandpress (synthesize [^`]*)`", EXTENDING)
    (checkout.folder / "flights").mkdir()
    main(synthesize.replace("flights/", f"{checkout.folder}/flights/").split())


def typed(command: str) -> list[str]:
    return [line for line in LINES if shlex.split(line)[0] == command]


def scripted() -> list[str]:
    return [line for line in LINES if " scripts/" in line]


def test_every_line_is_of_a_kind_that_is_tried():
    assert set(LINES) - AROUND - set(typed("snakemake")) - set(typed("make")) - set(scripted()) == set()


@pytest.mark.parametrize("line", scripted())
def test_scripts_exist_with_their_options(line):
    words = shlex.split(line)
    (script,) = (word for word in words if word.startswith("scripts/"))
    source = (ROOT / script).read_text() + (ROOT / "src/bandpress/study/figures/script.py").read_text()
    for option in (word for word in words if word.startswith("-")):
        assert f'"{option}"' in source


@pytest.mark.slow
@pytest.mark.parametrize("line", [line for line in typed("snakemake") if "--report" not in line])
def test_snakemake_plans_what_the_pages_say(line, checkout):
    if "studies/mine.yaml" in line:
        study_of_extending(checkout)
    planned = subprocess.run(
        ["envs/run", "workflow", *shlex.split(line), *([] if re.search(r" -n\b", line) else ["-n"])],
        cwd=checkout.folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert re.search(r"\d+ jobs?", planned.stdout + planned.stderr)


@pytest.mark.parametrize("line", typed("make"))
def test_make_knows_what_the_pages_say(line):
    known = subprocess.run([*shlex.split(line), "-n"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert known.returncode == 0, known.stderr


def test_the_figure_of_extending_is_planned_as_printed(checkout):
    study_of_extending(checkout)
    (line,) = re.findall(r"^FIGURES\[.*$", EXTENDING, re.MULTILINE)
    script = re.findall(r"^```python\n(.*?)^```", EXTENDING, re.MULTILINE | re.DOTALL)[3]
    (checkout.folder / "scripts/fig_angle.py").write_text(script)
    (checkout.folder / "scripts/captions/fig_angle.rst").write_text("Spectral angle. At each rate.\n")
    rules = checkout.folder / "rules/figures.smk"
    text = rules.read_text()
    loop = text.index("\nfor name")
    rules.write_text(f"{text[:loop]}\n{line}\n{text[loop:]}")
    planned = subprocess.run(
        ["envs/run", "workflow", "snakemake", "-n", "fig_angle", "--configfile", "studies/mine.yaml"],
        cwd=checkout.folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert "fig angle" in planned.stdout + planned.stderr
