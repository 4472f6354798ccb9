"""Commands in the README and docs other than bandpress: snakemake plans them, make knows them."""

import re
import shlex
import subprocess

import pytest

import examples
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


def typed(command: str) -> list[str]:
    return [line for line in LINES if shlex.split(line)[0] == command]


def test_every_line_is_of_a_kind_that_is_tried():
    assert set(LINES) - AROUND - set(typed("snakemake")) - set(typed("make")) == set()


@pytest.mark.parametrize("line", [line for line in typed("snakemake") if "--report" not in line])
def test_snakemake_plans_what_the_pages_say(line, checkout):
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
