"""A study file may come from anybody: what is in it never runs, never leaves its folder, never fills the memory."""

import json
import re
import time
from pathlib import Path

import pytest

from bandpress.errors import StudyError
from bandpress.study.file import load_study
from places import ROOT

DEMO = (ROOT / "studies/demo.yaml").read_text()
HOSTILE = [
    "a b",
    "a'b",
    'a"b',
    "$(touch hacked)",
    "`touch hacked`",
    "a;touch hacked",
    "a|b",
    "a&b",
    "-rf",
    "--help",
    "../up",
    "/etc",
    "..",
    ".hidden",
    "a\nb",
    "a\n",
    "a\0b",
    "{input}",
    "a*",
    "~root",
    "é",
    "",
    "a" * 200,
]


SMALL = """
study: small
title: One scene
datasets:
  test: {{sensor: A, role: test, licence: x, citation: x, source: {{path: somewhere}}, scenes: {{one: {{file: {}}}}}}}
codecs:
  jpeg2000: {{codec: jpeg2000, rates: [1.0]}}
figures: {{reference: jpeg2000, rate: 1.0}}
"""


def quoted(text):
    return json.dumps(text)


PLACES = {
    "name of the study": ("study: demo", "study: {}"),
    "name of a data set": ("  IndianPines_train:\n", "  {}:\n"),
    "name of a scene": ("      indian_pines_south:\n", "      {}:\n"),
    "name of a codec": ("  learned-k3:\n    codec", "  {}:\n    codec"),
    "name of a model family": ("  demo-k3:\n", "  {}:\n"),
    "sensor of a data set": ("    sensor: AVIRIS\n    role: test", "    sensor: {}\n    role: test"),
    "sensor of a model family": (
        "    sensor: AVIRIS\n    kind:",
        "    sensor: {}\n    kind:",
    ),
}


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
@pytest.mark.parametrize("place", PLACES)
def test_a_hostile_name_is_refused_wherever_it_stands(tmp_path, place, name):
    old, new = PLACES[place]
    assert old in DEMO
    path = tmp_path / "study.yaml"
    path.write_text(DEMO.replace(old, new.format(quoted(name)), 1))
    with pytest.raises(StudyError, match=re.escape(str(path))):
        load_study(path)


@pytest.mark.parametrize("file", ["../../etc/passwd", "/etc/passwd", "a\\b", "", "a\nb"], ids=ascii)
def test_a_scene_cannot_be_a_file_outside_its_source(tmp_path, file):
    path = tmp_path / "study.yaml"
    for found, refused in ((quoted("a/b.raw"), False), (quoted(file), True)):
        path.write_text(SMALL.format(found))
        if refused:
            with pytest.raises(StudyError):
                load_study(path)
        else:
            load_study(path)


def nested(levels, fan):
    lines = ["a0: &a0 x"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * fan)}]" for i in range(1, levels)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        nested(40, 9),
        "study: &me [*me]\n",
        "study: &me\n  again: *me\n",
        "study: " + "[" * 3000 + "]" * 3000 + "\n",
        "study: " + "x" * 21_000_000 + "\n",
    ],
    ids=["billion laughs", "holds itself", "maps to itself", "deep", "large"],
)
def test_a_bomb_is_refused_at_once(tmp_path, text):
    path = tmp_path / "study.yaml"
    path.write_text(text)
    start = time.process_time()
    with pytest.raises(StudyError):
        load_study(path)
    assert time.process_time() - start < 10


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system ['touch hacked']",
        "!!python/name:os.system",
        "!!binary aGFja2Vk",
        "!include /etc/passwd",
        "!!python/object/new:type {args: [x, !!python/tuple [], {}]}",
    ],
)
@pytest.mark.parametrize("place", ["title: ", "    label: "])
def test_a_tag_is_refused_and_not_obeyed(tmp_path, monkeypatch, tag, place):
    monkeypatch.chdir(tmp_path)
    Path("study.yaml").write_text(re.sub(f"(?m)^{place}.*$", lambda m: place + tag, DEMO, count=1))
    with pytest.raises(StudyError):
        load_study("study.yaml")
    assert not Path("hacked").exists()


def test_every_text_of_a_study_that_reaches_a_shell_is_quoted():
    free = {"options", "about", "entry", "lock", "archive", "members", "points", "sensor"}
    for rules in (ROOT / "rules").glob("*.smk"):
        for name, quote in re.findall(r"\{params\.(\w+)(:q)?\}", rules.read_text()):
            assert quote or name not in free, f"{rules.name}: {name}"


ODD = {
    "a truth value that is none": SMALL.replace("rate: 1.0", "rate: !!bool maybe"),
    "a number that is none": SMALL.replace("rate: 1.0", 'rate: !!int ""'),
    "a plus sign": SMALL.replace("rate: 1.0", "rate: +_"),
    "a mapping merged with itself": SMALL + "x: &x {{<<: *x, a: 1}}\n",
    "a list of mappings merged with itself": SMALL.replace("codecs:\n", "codecs: &c\n  <<: [*c, *c]\n"),
    "a merged number": SMALL.replace("codecs:\n", "codecs:\n  <<: 5\n"),
    "a wrong value in a merged mapping": SMALL.replace(
        "codecs:\n", "codecs:\n  <<: &m {{j2: {{codec: jpeg2000, rates: [-1.0]}}}}\n"
    ),
    "a long octal number": SMALL.replace("rate: 1.0", f"rate: 0o{'7' * 6000}"),
    "a long hexadecimal number": SMALL.replace("rate: 1.0", f"rate: 0x{'f' * 6000}"),
    "half a character": SMALL.replace("One scene", r'"\ud800"'),
    "an escape sequence": SMALL.replace("One scene", r'"\e[2J"'),
    "a key that is an escape sequence": SMALL + '"\\e[2J": 3\n',
    "a path with a zero": SMALL.replace("somewhere", r'"\0"'),
    "deep lists": SMALL + "x: " + "[" * 5000 + "]" * 5000 + "\n",
}


@pytest.mark.parametrize("name", ODD)
def test_odd_yaml_is_refused_in_words(tmp_path, name):
    path = tmp_path / "study.yaml"
    path.write_text(ODD[name].format("a.raw"))
    with pytest.raises(StudyError, match=re.escape(str(path))) as caught:
        load_study(path)
    assert str(caught.value).isprintable()
