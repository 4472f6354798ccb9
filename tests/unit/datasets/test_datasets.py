import bz2
import hashlib
import json
import lzma
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from bandpress import Scene, read_scene, write_scene
from bandpress.datasets import Dataset, data_folder, fetch, find_scenes, prepare, refuse_overlaps
from bandpress.datasets.entry import SceneEntry, limits
from bandpress.datasets.synthesis import Plan, write
from bandpress.errors import DataError, MissingDependencyError
from bandpress.study.file import load_study
from loopback import Loopback, paper_site, zipped
from places import ROOT, SHARED

PAGE = "https://gici.uab.cat/GiciWebPage/datasets.php"
SCENES = SHARED / "scenes"


def dataset(scenes=None, **source):
    return Dataset.model_validate(
        {
            "sensor": "AVIRIS",
            "role": "test",
            "licence": "CC BY 3.0",
            "citation": "Somebody, 1992",
            "source": source,
            **({} if scenes is None else {"scenes": scenes}),
        }
    )


def raw(folder, name="s", dtype="<u2", shape=(6, 5, 4), **known):
    cube = np.random.default_rng(len(name)).integers(-300 if "i" in dtype else 0, 3000, shape).astype(dtype)
    return write_scene(Scene(cube, name=name, **known), folder / f"{name}.raw")


# What a study may say.


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"role": "testing"}, "'train', 'validation' or 'test'"),
        ({"colour": 1}, "Extra inputs"),
        ({"source": {}}, "expected one of them"),
        ({"source": {"url": "http://x/a", "path": "b"}}, "url and path"),
        ({"source": {"url": "file:///etc/passwd"}}, "expected http"),
        ({"source": {"package": "tensorly"}}, "belong together"),
        ({"source": {"package": "os.path", "file": "a"}}, "pattern"),
        ({"source": {"package": "numpy", "file": "../a"}}, "not the path of a file within the source"),
        ({"source": {"path": "a", "mirrors": ["http://x/a"]}}, "without a url"),
        ({"source": {"path": "a", "sha256": "12"}}, "pattern"),
        ({"scenes": {}}, "at least 1"),
        ({"scenes": {"-rf": {}}}, "pattern"),
        ({"scenes": {"a/../b": {}}}, "pattern"),
        ({"scenes": {"a": {"file": "/etc/passwd"}}}, "not the path of a file within the source"),
        ({"scenes": {"a": {"lines": "5-3"}}}, "counted from 1"),
        ({"scenes": {"a": {"lines": "0-3"}}}, "counted from 1"),
        ({"scenes": {"a": {"lines": True}}}, "string"),
    ],
)
def test_mistakes_in_an_entry_are_refused(change, words):
    entry = {"sensor": "A", "role": "test", "licence": "l", "citation": "c", "source": {"path": "a"}} | change
    with pytest.raises(ValidationError, match=words):
        Dataset.model_validate(entry)


def test_ranges_count_from_1_and_include_both_ends():
    assert limits("96-144") == (96, 144)
    assert limits(SceneEntry.model_validate({"lines": 7}).lines) == (7, 7)
    scene = Scene(
        np.arange(60).reshape(3, 4, 5), wavelengths=(1, 2, 3), metadata={"map info": ["x"], "note": "n"}
    )
    part = SceneEntry(bands="2-3", lines="1-2", samples="5").crop(scene)
    assert part.cube.tolist() == [[[24], [29]], [[44], [49]]]
    assert part.wavelengths == (2, 3)
    assert part.metadata == {"note": "n"}
    with pytest.raises(DataError, match="expected lines within 1-4"):
        SceneEntry(lines="3-5").crop(scene)


def test_training_on_pixels_of_the_test_is_refused():
    train = dataset({"a": {"file": "s.raw", "lines": "1-70"}}, path="x").model_copy(update={"role": "train"})
    apart = dataset({"b": {"file": "s.raw", "lines": "71-100"}}, path="x")
    refuse_overlaps({"train": train, "test": apart})
    for scenes in ({"b": {"file": "s.raw", "lines": "70-100"}}, {"b": {"file": "s.raw", "bands": "9"}}, None):
        with pytest.raises(DataError, match="share pixels of the same file"):
            refuse_overlaps({"train": train, "test": dataset(scenes, path="x")})
    refuse_overlaps({"train": train, "test": dataset({"b": {"file": "t.raw"}}, path="x")})
    refuse_overlaps({"train": train, "test": dataset(None, path="y")})
    refuse_overlaps({"one": dataset(page=PAGE), "two": dataset(page=PAGE)})


# Where it comes from.


def test_a_file_in_a_package_is_found_and_checked(tmp_path):
    found = fetch(dataset(package="bandpress", file="scene.py"), "d", tmp_path)
    assert found.read_text().startswith('"""The scene')
    with pytest.raises(DataError, match=r"no file nothing\.npy"):
        fetch(dataset(package="bandpress", file="nothing.npy"), "d", tmp_path)
    with pytest.raises(DataError, match="SHA-256"):
        fetch(dataset(package="bandpress", file="scene.py", sha256="0" * 64), "d", tmp_path)


def test_a_package_that_is_not_installed_is_one_sentence(tmp_path):
    with pytest.raises(DataError, match="pip install no_such_package"):
        fetch(dataset(package="no_such_package", file="a.npy"), "d", tmp_path)


def test_a_path_is_looked_for_in_the_data_folder_and_then_here(tmp_path, monkeypatch):
    here, shared = tmp_path / "here", tmp_path / "shared"
    raw(here / "set")
    monkeypatch.chdir(here)
    monkeypatch.delenv("BANDPRESS_DATA", raising=False)
    assert data_folder() == Path("data")
    assert fetch(dataset(path="set"), "d") == Path("set")
    monkeypatch.setenv("BANDPRESS_DATA", str(shared))
    raw(shared / "set")
    assert fetch(dataset(path="set"), "d") == shared / "set"
    with pytest.raises(DataError, match="BANDPRESS_DATA names the data folder") as caught:
        fetch(dataset(path="other", page=PAGE), "d")
    for words in (str(shared / "other"), str(here / "other"), PAGE):
        assert words in str(caught.value)


def test_a_source_that_only_has_a_page_says_what_is_missing_and_where_to_put_it(tmp_path):
    source = dataset(page=PAGE)
    for make in (lambda: None, (tmp_path / "AVIRIS_test").mkdir):
        make()
        with pytest.raises(DataError, match="cannot be fetched automatically") as caught:
            fetch(source, "AVIRIS_test", tmp_path)
        message = str(caught.value)
        assert PAGE in message
        assert str(tmp_path / "AVIRIS_test") in message
        assert "\n" not in message


@pytest.mark.parametrize("how", ["files", "folder", "archive"])
def test_files_brought_by_hand_are_taken_and_must_stay_the_same(tmp_path, how):
    pytest.importorskip("filelock")
    folder, lock, source = tmp_path / "data" / "AVIRIS_test", tmp_path / "study.lock", dataset(page=PAGE)
    path = raw(tmp_path / "in")
    folder.mkdir(parents=True)
    if how == "archive":
        (folder / "AVIRIS_test.zip").write_bytes(zipped({f"AVIRIS_test/{path.name}": path.read_bytes()}))
    else:
        target = folder / ("deeper" if how == "folder" else "")
        target.mkdir(exist_ok=True)
        shutil.copy(path, target)
    for _ in range(2):
        (scene,) = prepare(
            source, "d", fetch(source, "AVIRIS_test", tmp_path / "data", lock), tmp_path / "out"
        )
        assert scene.read_bytes() == path.read_bytes()
    assert all(address.startswith(PAGE + "#") for address in json.loads(lock.read_text()))
    for changed in folder.rglob("*.zip" if how == "archive" else "*.raw"):
        changed.write_bytes(
            zipped({path.name: path.read_bytes()[::-1]}) if how == "archive" else path.read_bytes()[::-1]
        )
    with pytest.raises(DataError, match="recorded in"):
        fetch(source, "AVIRIS_test", tmp_path / "data", lock)


def test_data_sets_laid_out_like_the_authors_are_downloaded_and_unpacked(tmp_path):
    pytest.importorskip("pooch")
    scenes = {
        name: raw(tmp_path / "in", name, ">i2" if name == "c" else "<u2").name for name in ("a", "b", "c")
    }
    content = {file: (tmp_path / "in" / file).read_bytes() for file in scenes.values()}
    model = tmp_path / "model" / "variables"
    model.mkdir(parents=True)
    (model / "variables.index").write_bytes(b"x")
    with Loopback() as site:
        addresses = paper_site(site, {"AVIRIS_test": content}, {"AVIRIS_1band_1": model.parent})
        source = dataset(url=addresses["AVIRIS_test"], unpack=True)
        found = fetch(source, "AVIRIS_test", tmp_path / "data", tmp_path / "lock.json")
        models = fetch(dataset(url=addresses["models"], unpack=True), "models", tmp_path / "data")
    assert (models / "models" / "AVIRIS_1band_1" / "variables" / "variables.index").is_file()
    written = prepare(source, "AVIRIS_test", found, tmp_path / "out")
    assert [path.name for path in written] == list(scenes.values())
    assert {path.name: path.read_bytes() for path in written} == content
    assert all(read_scene(path).sensor == "AVIRIS" for path in written)


def test_a_download_without_its_packages_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "bandpress.datasets.download", raising=False)
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(MissingDependencyError, match=r"pooch.* pip install 'bandpress\[data\]'"):
        fetch(dataset(url="http://127.0.0.1:9/a.zip"), "d", tmp_path)


@pytest.mark.parametrize("study", ["config.yaml", "studies/demo.yaml", "studies/open.yaml"])
def test_every_data_set_has_a_card(study):
    root = ROOT
    cards = (root / "docs" / "datasets.md").read_text("utf-8")
    assert f"`{study}`" in cards
    for entry in load_study(root / study).datasets.values():
        for said in (entry.source.page, entry.source.package, entry.source.file):
            assert said is None or said in cards


def test_a_pattern_stands_for_one_file(tmp_path):
    folder = tmp_path / "in" / "f08rdn_c"
    for name in ("f08rdn_c_sc01_ort_img", "f08rdn_c_obs"):
        write_scene(Scene(np.ones((2, 3, 4), "<i2"), name=name), folder / f"{name}.hdr")
    wanted = dataset({"s": {"file": "*f08*_ort_img.hdr"}}, path="in")
    found = find_scenes(wanted, "d", tmp_path / "in")
    assert found["s"].file == "f08rdn_c/f08rdn_c_sc01_ort_img.hdr"
    assert [path.name for path in prepare(wanted, "d", tmp_path / "in", tmp_path / "out")] == [
        "s.2_4_3_3_1_0.raw"
    ]
    with pytest.raises(
        DataError, match=r"files named \*\.hdr: .*obs.hdr, .*img.hdr; expected one, for scene s"
    ):
        find_scenes(dataset({"s": {"file": "*.hdr"}}, path="in"), "d", tmp_path / "in")
    with pytest.raises(DataError, match=r"files named x\*: none"):
        find_scenes(dataset({"s": {"file": "x*"}}, path="in"), "d", tmp_path / "in")


def test_several_addresses_are_one_data_set_whose_size_is_asked_about_as_a_whole(tmp_path):
    with Loopback() as site:
        files = [raw(tmp_path / "in", name) for name in ("a1", "b1")]
        urls = [site.offer(f"{i}/{file.name}", file.read_bytes()) for i, file in enumerate(files)]
        with pytest.raises(DataError, match=r"2 files of 480 bytes .*download=yes"):
            fetch(dataset(url=urls), "d", tmp_path / "data", most=300)
        with pytest.raises(DataError, match=r"240 bytes or more; expected at most 200 bytes"):
            fetch(dataset(url=urls[0]), "d", tmp_path / "data", most=200)
        assert not list((tmp_path / "data").rglob("*.raw"))
        fetched = fetch(dataset(url=urls), "d", tmp_path / "data", most=480)
        assert sorted(path.name for path in fetched.glob("*.raw")) == [file.name for file in files]


# What is made of it.


def test_scenes_are_cropped_and_keep_type_byte_order_and_bands(tmp_path):
    path = raw(tmp_path / "in", dtype=">i2", wavelengths=tuple(range(400, 406)), bad_bands=(False, True) * 3)
    source = dataset(
        {"top": {"file": path.name, "lines": "1-2", "bands": "2-4"}, "all": {"file": path.name}}, path="in"
    )
    top, whole = prepare(source, "d", fetch(source, "d", tmp_path), tmp_path / "out")
    assert (top.name, whole.name) == ("top.3_4_2_3_0_0.raw", "all.6_4_5_3_0_0.raw")
    scene, part = read_scene(path), read_scene(top)
    assert (part.cube == scene.cube[1:4, :2]).all()
    assert part.dtype == np.dtype(">i2")
    assert part.wavelengths == (401, 402, 403)
    assert part.bad_bands == (True, False, True)
    assert whole.read_bytes() == path.read_bytes()


def test_a_numpy_file_has_lines_samples_bands_unless_the_entry_says_otherwise(tmp_path):
    cube = np.arange(60, dtype="<u2").reshape(3, 4, 5)
    (tmp_path / "in").mkdir()
    np.save(tmp_path / "in" / "c.npy", np.asfortranarray(cube))
    source = dataset({"bip": {"file": "c.npy"}, "bsq": {"file": "c.npy", "interleave": "bsq"}}, path="in")
    one, two = (read_scene(p) for p in prepare(source, "d", tmp_path / "in", tmp_path / "out"))
    assert (one.cube == cube.transpose(2, 0, 1)).all()
    assert (two.cube == cube).all()


def test_packed_scenes_are_unpacked_and_checked(tmp_path):
    path = raw(tmp_path / "in")
    content = path.read_bytes()
    Path(f"{path}.xz").write_bytes(lzma.compress(content))
    path.unlink()
    digest = hashlib.sha256(content).hexdigest()
    for scenes in (None, {"s": {"file": path.name, "sha256": digest}}, {"s": {"file": path.name + ".xz"}}):
        (written,) = prepare(dataset(scenes, path="in"), "d", tmp_path / "in", tmp_path / "out")
        assert written.read_bytes() == content
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [path.name, path.name + ".json"]
    with pytest.raises(DataError, match="SHA-256"):
        prepare(
            dataset({"t": {"file": path.name, "sha256": "0" * 64}}, path="in"),
            "d",
            tmp_path / "in",
            tmp_path / "out",
        )
    wrong = bz2.compress(content)
    for ending, damaged in ((".xz", lzma.compress(content)[:-20]), (".bz2", wrong[:20] + b"x" + wrong[21:])):
        Path(f"{path}{ending}").write_bytes(damaged)
        wanted = {"t": {"file": path.name + ending}}
        with pytest.raises(DataError, match=re.escape(f"{path}{ending}: damaged")):
            prepare(dataset(wanted, path="in"), "d", tmp_path / "in", tmp_path / "out")
    assert not [p for p in (tmp_path / "out").iterdir() if p.name.startswith((".", "t."))]


def test_every_scene_in_a_folder_once_and_in_order(tmp_path):
    folder = tmp_path / "in"
    for name in ("b", "a", "sub/c"):
        raw((folder / name).parent, Path(name).name)
    write_scene(Scene(np.ones((1, 2, 3), "<u2"), name="e"), folder / "e.hdr")
    write_scene(Scene(np.ones((1, 2, 3), "<u2"), name="f"), folder / "f.img")
    (folder / "f.hdr").rename(folder / "f.img.hdr")
    for noise in ("README.txt", ".hidden.raw", "__MACOSX/._a.6_4_5_2_1_0.raw", "a.pdf"):
        (folder / noise).parent.mkdir(exist_ok=True)
        (folder / noise).write_bytes(b"")
    written = prepare(dataset(path="in"), "d", folder, tmp_path / "out")
    assert [path.name.partition(".")[0] for path in written] == ["a", "b", "e", "f", "c"]
    raw(folder / "sub", "a")
    with pytest.raises(DataError, match="second scene named a"):
        prepare(dataset(path="in"), "d", folder, tmp_path / "out")


@pytest.mark.parametrize("name", ["-rf", "$(touch x)", "a b", "a;b", "'q'"])
def test_a_file_name_that_cannot_be_that_of_a_scene_is_refused_unless_renamed(tmp_path, name):
    path = raw(tmp_path / "in", name)
    with pytest.raises(DataError, match="or a name for it under scenes"):
        prepare(dataset(path="in"), "d", tmp_path / "in", tmp_path / "out")
    (written,) = prepare(
        dataset({"plain": {"file": path.name}}, path="in"), "d", tmp_path / "in", tmp_path / "out"
    )
    assert written.read_bytes() == path.read_bytes()


NASTY = [
    "a b",
    "it's",
    '"q"',
    "$(touch hacked)",
    "`touch hacked`",
    "a; touch hacked",
    "-rf",
    "*",
    "{input}",
    "é\nf",
]


@pytest.mark.parametrize("name", NASTY, ids=ascii)
def test_a_data_folder_may_have_any_name(tmp_path, monkeypatch, name):
    path = raw(tmp_path / "in")
    shared = tmp_path / name
    (shared / "set").mkdir(parents=True)
    shutil.copy(path, shared / "set")
    monkeypatch.chdir(tmp_path)
    for folder in (str(shared), name):
        monkeypatch.setenv("BANDPRESS_DATA", folder)
        source = dataset({"s": {"file": path.name}}, path="set")
        (written,) = prepare(source, "d", fetch(source, "d"), tmp_path / "out")
        assert written.read_bytes() == path.read_bytes()
    assert not list(tmp_path.rglob("hacked"))


def test_links_in_a_data_folder_are_followed(tmp_path):
    path = raw(tmp_path / "elsewhere")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/set").symlink_to(path.parent, target_is_directory=True)
    (tmp_path / "data/one").mkdir()
    (tmp_path / "data/one" / path.name).symlink_to(path)
    for name in ("set", "one"):
        for scenes in (None, {"s": {"file": path.name}}):
            source = dataset(scenes, path=name)
            (written,) = prepare(source, "d", fetch(source, "d", tmp_path / "data"), tmp_path / "out")
            assert written.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    "target", ["nowhere", "s.6_4_5_2_1_0.raw", "/proc/self/mem/x"], ids=["dangling", "loop", "odd"]
)
def test_a_link_that_leads_nowhere_is_one_sentence(tmp_path, target):
    name = "s.6_4_5_2_1_0.raw"
    (tmp_path / "data/set").mkdir(parents=True)
    (tmp_path / "data/set" / name).symlink_to(target)
    for scenes in (None, {"s": {"file": name}}):
        source = dataset(scenes, path="set")
        with pytest.raises(DataError, match=r"no scene in it|no such file") as caught:
            prepare(source, "d", fetch(source, "d", tmp_path / "data"), tmp_path / "out")
        assert "\n" not in str(caught.value)
    (tmp_path / "data/loop").symlink_to("loop")
    with pytest.raises(DataError, match="missing or empty"):
        fetch(dataset(path="loop"), "d", tmp_path / "data")


def test_missing_scenes_and_types_that_cannot_be_coded_are_one_sentence(tmp_path):
    path = raw(tmp_path / "in", dtype="<f4")
    with pytest.raises(DataError, match="samples are float32; expected one of uint8, uint16, int16"):
        prepare(dataset(path="in"), "d", tmp_path / "in", tmp_path / "out")
    with pytest.raises(DataError, match="no such file"):
        prepare(dataset({"a": {"file": "b.raw"}}, path="in"), "d", tmp_path / "in", tmp_path / "out")
    with pytest.raises(DataError, match="expected the name of a file in it"):
        prepare(dataset({"a": {}}, path="in"), "d", tmp_path / "in", tmp_path / "out")
    path.unlink()
    with pytest.raises(DataError, match="no scene in it"):
        prepare(dataset(path="in"), "d", tmp_path / "in", tmp_path / "out")


def test_a_made_up_scene_needs_synthetic_in_its_name(tmp_path):
    path = write(Plan(2, 3, 4), tmp_path / "in" / "s.raw")
    with pytest.raises(DataError, match="a synthetic scene"):
        prepare(dataset({"jasper": {"file": path.name}}, path="in"), "d", tmp_path / "in", tmp_path / "out")
    prepare(dataset({"synthetic-1": {"file": path.name}}, path="in"), "d", tmp_path / "in", tmp_path / "out")


@pytest.mark.skipif(not (SCENES / "AVIRIS").is_dir(), reason=f"{SCENES} is not on this machine")
def test_the_scenes_of_the_open_study_are_those_of_its_hashes(tmp_path):
    entries = load_study(ROOT / "studies" / "open.yaml").datasets
    roles = {"train": 10, "validation": 2, "test": 3}
    assert {role: sum(len(d.scenes) for d in entries.values() if d.role == role) for role in roles} == roles
    for name, entry in entries.items():
        for path in prepare(entry, name, fetch(entry, name, SCENES), tmp_path / name):
            assert read_scene(path).dtype.name in ("uint16", "int16")
    (airport,) = (tmp_path / "AVIRIS_test").glob("airport-2.*.raw")
    assert airport.name == "airport-2.205_80_100_2_1_0.raw"
