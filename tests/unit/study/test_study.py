"""A study is checked whole before any job starts: file, line, key, what was found, what was expected."""

from pathlib import Path

import pytest

from bandpress.errors import StudyError
from bandpress.study.file import load_study
from places import ROOT

DEMO = ROOT / "studies/demo.yaml"
STUDIES = sorted([ROOT / "config.yaml", *(ROOT / "studies").glob("*.yaml")])


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.name)
def test_the_studies_of_the_project_are_valid(path):
    study = load_study(path)
    assert study.test_sets
    assert all(study.codecs_of(name) for name in study.test_sets)


def refused(tmp_path, old, new):
    """Return the complaint about the demo study with one thing changed, and the number of the line it is on."""
    text = DEMO.read_text()
    assert old in text
    line = text[: text.index(old)].count("\n") + 1
    path = tmp_path / "study.yaml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(StudyError) as caught:
        load_study(path)
    return str(caught.value), f"{path}:{line}: "


@pytest.mark.parametrize(
    ("old", "new", "found", "expected"),
    [
        (
            "    qualities: [1, 1.5, 2, 2.25]",
            "    qualitys: [1, 2, 3]",
            "codecs.learned-k3.qualitys",
            "lossless, max_errors, model, options",
        ),
        ("    steps: ", "    stepps: ", "models.demo-k3.stepps", "start, steps, train_on"),
        ("title: ", "titel: ", "titel", "study, title"),
        ("    codec: jpeg2000\n", "    codec: jpeg3000\n", "'jpeg3000'", "'jpeg2000'"),
        ("    rates: [0.1, ", "    rates: [-0.1, ", "-0.1", "greater than 0"),
        ("    model: demo-k3", "    model: demo-k5", "'demo-k5'", "expected one of demo-k3"),
        (
            "  reference: rklt-k3",
            "  reference: rklt-k9",
            "'rklt-k9'",
            "rklt-k3, rklt-k3-equal, rklt-all, jpeg2000, jpeg2000-equal",
        ),
        ("    qualities: [1, 1.5, 2, 2.25]", "    qualities: [1, 4]", "quality 4", "a number of 1 to 3"),
        ("    train_on: [IndianPines_train]", "    train_on: [Indiana]", "'Indiana'", "IndianPines_train"),
        ("    role: test", "    role: testing", "'testing'", "'test'"),
        ("study: demo", "study: ../demo", "../demo", "pattern"),
        ("    steps: ", "    steps: -", "steps", "greater than 0"),
    ],
)
def test_a_fault_is_named_with_file_line_key_and_allowed_values(tmp_path, old, new, found, expected):
    complaint, place = refused(tmp_path, old, new)
    assert place in complaint
    assert found in complaint
    assert expected in complaint


def test_a_missing_key_is_named(tmp_path):
    complaint, _ = refused(tmp_path, "    sensor: AVIRIS\n    role: test\n", "    role: test\n")
    assert "datasets.IndianPines_test.sensor: missing" in complaint


def test_every_fault_is_named_at_once(tmp_path):
    text = DEMO.read_text().replace("    steps: ", "    stepps: ").replace("title: ", "titel: ")
    path = tmp_path / "study.yaml"
    path.write_text(text)
    with pytest.raises(StudyError) as caught:
        load_study(path)
    assert "stepps" in str(caught.value)
    assert "titel" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("study: [", "not valid YAML"),
        ("- a\n- b\n", "expected the keys of a study"),
        ("study: !!python/object/apply:os.system ['touch hacked']\n", "tag"),
        ("study: demo\nstudy: twice\n", "not valid YAML"),
        ("", "expected the keys of a study"),
    ],
)
def test_a_file_that_is_not_a_study_is_refused_in_one_line(tmp_path, monkeypatch, text, found):
    monkeypatch.chdir(tmp_path)
    Path("study.yaml").write_text(text)
    with pytest.raises(StudyError, match=found) as caught:
        load_study("study.yaml")
    assert "study.yaml" in str(caught.value)
    assert not Path("hacked").exists()


def test_points_are_named_by_what_was_asked_for():
    study = load_study(DEMO)
    assert list(study.codecs["learned-k3"].points) == ["q1", "q1.5", "q2", "q2.25"]
    assert study.codecs["rklt-all"].points["r0.1"] == {
        "bands_per_cluster": "all",
        "allocation": "shared",
        "rate": 0.1,
    }
