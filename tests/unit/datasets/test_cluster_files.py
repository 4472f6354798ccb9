import filecmp
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandpress import Scene, read_scene, write_scene
from bandpress.datasets.cluster_files import extract, merge
from bandpress.errors import SceneError
from places import CONFORMANCE

AUTHORS = CONFORMANCE / "seed_streams"
JASPER = AUTHORS / "jasper.20_100_90_2_1_0.raw"
needs_conformance = pytest.mark.skipif(not JASPER.is_file(), reason=f"{JASPER} is not on this machine")


def scene(tmp_path, dtype="<u2", bands=7, name="a.b", **known):
    cube = np.random.default_rng(0).integers(1, 100, (bands, 4, 3)).astype(dtype)
    return write_scene(Scene(cube, name=name, **known), tmp_path / "in" / f"{name}.raw")


@needs_conformance
def test_extract_then_merge_gives_the_source_back(tmp_path):
    extract(JASPER, tmp_path / "c", 3)
    assert len(list((tmp_path / "c").iterdir())) == 7
    (back,) = merge(tmp_path / "c", tmp_path / "out")
    assert back.name == JASPER.name
    assert filecmp.cmp(back, JASPER, shallow=False)


@needs_conformance
@pytest.mark.parametrize("k", [1, 3])
def test_padded_clusters_are_those_of_the_authors(tmp_path, k):
    extract(JASPER, tmp_path, k, pad="zero")
    theirs = sorted(p for p in (AUTHORS / f"k{k}").glob("*.raw") if not p.name.endswith(".tfci.raw"))
    assert len(theirs) == 3
    for path in theirs:
        assert filecmp.cmp(path, tmp_path / path.name, shallow=False), path.name


@given(
    st.integers(1, 40),
    st.integers(1, 9) | st.just("all"),
    st.sampled_from(["<u2", ">u2", "<i2", ">i2", "|u1"]),
    st.sampled_from(["none", "zero"]),
)
@settings(deadline=None, max_examples=30)
def test_clusters_of_any_scene_merge_to_the_same_scene(tmp_path_factory, bands, k, dtype, pad):
    folder = tmp_path_factory.mktemp("clusters")
    known = {"wavelengths": tuple(range(400, 400 + bands)), "sensor": "AVIRIS"} if bands % 2 else {}
    path = scene(folder, dtype, bands, **known)
    extract(path, folder / "c", k, pad=pad)
    (back,) = merge(folder / "c", folder / "out")
    assert back.name == path.name
    assert back.read_bytes() == path.read_bytes()
    assert read_scene(back).wavelengths == read_scene(path).wavelengths
    assert read_scene(back).sensor == read_scene(path).sensor


def test_extracting_twice_changes_nothing(tmp_path):
    path = scene(tmp_path, ">i2", wavelengths=tuple(range(7)))
    extract(path, tmp_path / "c", 2)
    before = {p.name: p.read_bytes() for p in (tmp_path / "c").iterdir()}
    extract(path.parent, tmp_path / "c", 2)
    assert {p.name: p.read_bytes() for p in (tmp_path / "c").iterdir()} == before


def test_a_padded_cluster_of_another_tool_is_cut_by_the_number_of_bands(tmp_path):
    path = scene(tmp_path)
    for cluster in extract(path, tmp_path / "c", 3, pad="zero"):
        Path(f"{cluster}.json").unlink(missing_ok=True)
    (padded,) = merge(tmp_path / "c", tmp_path / "out")
    assert read_scene(padded).bands == 9
    (back,) = merge(tmp_path / "c", tmp_path / "out", bands=7)
    assert back.read_bytes() == path.read_bytes()


def test_clusters_that_leave_out_bands_or_have_them_twice_are_refused(tmp_path):
    path = scene(tmp_path)
    clusters = extract(path, tmp_path / "c", 3)
    clusters[1].unlink()
    with pytest.raises(SceneError, match="bands from 4 on are missing; expected a cluster from band 4"):
        merge(tmp_path / "c", tmp_path / "out")
    extract(path, tmp_path / "c", 3)
    extract(path, tmp_path / "c", 2)
    with pytest.raises(SceneError, match="twice"):
        merge(tmp_path / "c", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_to_extract_or_merge_is_one_sentence(tmp_path):
    with pytest.raises(SceneError, match="holds no scene"):
        extract(tmp_path, tmp_path / "c", 3)
    with pytest.raises(SceneError, match="no cluster files"):
        merge(tmp_path, tmp_path / "out")
    path = scene(tmp_path)
    with pytest.raises(SceneError, match="expected bands within 1-7"):
        extract(path, tmp_path / "c", 3, 5, 8)
    with pytest.raises(SceneError, match="expected another one"):
        extract(path.parent, path.parent, 3)


def test_one_scene_can_be_merged_into_a_file(tmp_path):
    path = scene(tmp_path)
    extract(path, tmp_path / "c", 3)
    (back,) = merge(tmp_path / "c", tmp_path / "back.raw")
    assert back == tmp_path / "back.7_3_4_2_1_0.raw"
    assert back.read_bytes() == path.read_bytes()
    with pytest.raises(SceneError, match="another geometry"):
        merge(tmp_path / "c", tmp_path / "other.8_3_4_2_1_0.raw")
    extract(scene(tmp_path, name="b"), tmp_path / "c", 3)
    with pytest.raises(SceneError, match="clusters of 2 scenes"):
        merge(tmp_path / "c", tmp_path / "back.raw")
