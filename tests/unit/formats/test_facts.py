"""Descriptions of scenes: what was written is read, and nothing else is."""

import json
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandpress import Scene, read_scene, write_scene
from bandpress.errors import SceneError
from bandpress.facts import facts, parse, with_facts
from bandpress.formats.units import in_nm
from bandpress.metadata import of_part

CUBE = np.ones((2, 3, 4), "<u2")
DEEP: list = []
for _ in range(60):
    DEEP = [DEEP]
WRONG = [
    '{"wavelengths": ["400", "500"]}',
    '{"wavelengths": [NaN, 1]}',
    '{"wavelengths": [1e999, 1]}',
    '{"wavelengths": {"0": 400, "1": 500}}',
    '{"wavelengths": [true, 1]}',
    '{"fwhm": [1%s, 1]}' % ("0" * 400),
    '{"bad_bands": ["no", 0]}',
    '{"bad_bands": [0, 1]}',
    '{"sensor": 3}',
    '{"sensor": "\\ud800"}',
    '{"nodata": "none"}',
    '{"nodata": Infinity}',
    '{"nodata": [1]}',
    '{"metadata": {"x": 1%s}}' % ("0" * 400),
    '{"metadata": {"x": "\\udfff"}}',
    '{"metadata": {"\\ud800": 1}}',
    '{"metadata": [1]}',
    json.dumps({"metadata": {"x": DEEP}}),
    "[" * 100_000,
    '{"metadata": {"x": ' + "[" * 5000 + "1" + "]" * 5000 + "}}",
    "1" * 5000,
    "null",
    "\xff",
]


@pytest.mark.parametrize("text", WRONG, ids=range(len(WRONG)))
def test_a_sidecar_of_wrong_types_is_one_sentence_with_its_name(tmp_path, text):
    path = write_scene(Scene(CUBE, name="s"), tmp_path / "s.raw")
    path.with_name(path.name + ".json").write_bytes(text.encode("latin-1"))
    with pytest.raises(SceneError, match=r"s\.2_4_3_2_1_0\.raw\.json: ") as caught:
        read_scene(path)
    assert len(str(caught.value)) < 2000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@settings(deadline=None, max_examples=100)
@given(
    found=st.dictionaries(
        st.sampled_from(["wavelengths", "fwhm", "bad_bands", "sensor", "nodata", "metadata", "x"]), JSON
    )
)
def test_any_json_is_a_description_or_one_sentence(found):
    try:
        scene = with_facts(Scene(CUBE), parse(json.dumps(found), "f"), "f")
    except SceneError:
        return
    again = with_facts(Scene(CUBE), parse(json.dumps(facts(scene), allow_nan=False), "f"), "f")
    assert facts(again) == facts(scene)


def test_metadata_that_json_does_not_have_are_refused_when_written(tmp_path):
    for value in (float("nan"), {1: 2}, object(), "\ud800"):
        with pytest.raises(SceneError, match="scene s: metadata"):
            write_scene(Scene(CUBE, name="s", metadata={"x": value}), tmp_path / "s.raw")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("unit", "value", "nm"),
    [
        *(
            (unit, 0.41, 410)
            for unit in ("\u00b5m", "\u03bcm", "um", "Micrometers", "microns", "micrometre", "", None)
        ),
        *((unit, 410, 410) for unit in ("nm", "Nanometers", "nanometre", "Unknown", "")),
        *(("m", 4.1e-7, 410), ("metres", 4.1e-7, 410), ("Angstroms", 4100, 410), ("mm", 4.1e-4, 410)),
        ("cm", 4.1e-5, 410),
    ],
)
def test_units_of_length_become_nm(tmp_path, unit, value, nm):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert in_nm(tmp_path, unit, [value]) == {"wavelengths": (nm,)}


@pytest.mark.parametrize("unit", ["cm-1", "Wavenumber", "GHz", "Index of something", "MHz"])
def test_units_of_no_length_are_left_with_one_sentence(tmp_path, unit):
    with pytest.warns(UserWarning, match="expected a unit of length") as caught:
        assert in_nm(tmp_path, unit, [9000, 8000], [10, 10]) == {}
    assert len(caught) == 1


@pytest.mark.parametrize("unit", ["Index", "Unknown", "", None])
def test_numbers_of_bands_are_not_wavelengths(tmp_path, unit):
    for first in (0, 1):
        with pytest.warns(UserWarning, match="only number the bands"):
            assert in_nm(tmp_path, unit, range(first, first + 224), [10] * 224) == {}
    assert in_nm(tmp_path, "um", [1, 2]) == {"wavelengths": (1000, 2000)}


def test_widths_have_the_unit_of_their_centres(tmp_path):
    assert in_nm(tmp_path, None, [400, 2500], [9.5, 10]) == {"wavelengths": (400, 2500), "fwhm": (9.5, 10)}
    assert in_nm(tmp_path, None, [0.4, 2.5], [0.01, 0.02]) == {"wavelengths": (400, 2500), "fwhm": (10, 20)}
    assert in_nm(tmp_path, None, None, [0.01, 0.02]) == {"fwhm": (10, 20)}


def test_metadata_of_a_part_are_those_of_its_bands_and_its_place():
    whole = {
        "band names": ["a", "b", "c"],
        "scale_factor": [1.0, 2.0, 3.0],
        "add_offset": 0.5,
        "default bands": ["3", "2", "1"],
        "map info": ["UTM", "1", "1", "100", "900", "5", "5", "33", "North"],
        "transform": [100.0, 5.0, 0.0, 900.0, 0.0, -5.0],
        "crs": "x",
        "gcps": {"crs": None, "points": [[2.0, 3.0, 10, 20, 0]]},
        "geo points": ["1", "1", "0", "0"],
        "note": "n",
    }
    part = of_part(whole, (3, 6, 7), slice(1, 3), slice(2, 6), slice(3, None))
    assert part == {
        "band names": ["b", "c"],
        "scale_factor": [2.0, 3.0],
        "add_offset": 0.5,
        "map info": ["UTM", "-2", "-1", "100", "900", "5", "5", "33", "North"],
        "transform": [115.0, 5.0, 0.0, 890.0, 0.0, -5.0],
        "crs": "x",
        "gcps": {"crs": None, "points": [[0.0, 0.0, 10, 20, 0]]},
        "note": "n",
    }
    assert of_part(whole, (3, 6, 7), slice(None), slice(0, 6), slice(0, 3)) == whole
    for steps in ((2, 1), (1, 2)):
        thinned = of_part(whole, (3, 6, 7), slice(None), *(slice(None, None, step) for step in steps))
        assert not {"map info", "transform", "gcps", "crs"} & set(thinned)
    rotated = {"transform": [100.0, 5.0, 1.0, 900.0, 2.0, -5.0]}
    part = of_part(rotated, (3, 6, 7), slice(None), slice(2, 6), slice(3, None))
    assert part == {"transform": [117.0, 5.0, 1.0, 896.0, 2.0, -5.0]}
