"""Nothing that exists is replaced without leave, the input never; where results go."""

import os
from pathlib import Path

import numpy as np
import pytest

from bandpress import Scene, read_scene, write_scene
from command_line import run

CUBE = np.arange(120, dtype="<u2").reshape(4, 5, 6)
LOSSLESS = ("--codec", "jpeg2000", "--lossless")


def tree(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def source(tmp_path, capsys):
    """A scene with everything beside it, its .bpk file, and an empty folder."""
    scene = Scene(CUBE, name="s", wavelengths=(1.0, 2.0, 3.0, 4.0), metadata={"Mixed": 1})
    path = write_scene(scene, tmp_path / "in" / "s.hdr", interleave="bil")
    assert run(capsys, "compress", path, *LOSSLESS)[0] == 0
    (tmp_path / "out").mkdir()
    return path


@pytest.mark.parametrize("there", ["t.hdr", "t.img", "t.hdr.json"])
@pytest.mark.parametrize("command", ["convert", "decompress", "synthesize"])
def test_no_file_of_an_envi_pair_is_replaced_without_overwrite(capsys, tmp_path, source, command, there):
    target = tmp_path / "out" / "t.hdr"
    target.with_name(there).write_bytes(b"of others")
    small = ("--bands", 2, "--lines", 3, "--samples", 4)
    words = {
        "convert": ("convert", source, target),
        "decompress": ("decompress", source.with_suffix(".bpk"), "-o", target),
        "synthesize": ("synthesize", target, *small),
    }[command]
    code, _, err = run(capsys, *words)
    assert code == 1
    assert f"{there}: exists already; give --overwrite" in err
    assert tree(tmp_path / "out") == {there: b"of others"}
    assert run(capsys, *words, "--overwrite")[0] == 0
    read_scene(target)


@pytest.mark.parametrize(
    ("given", "target"),
    [
        *(("s.img.hdr", "s.hdr"), ("s.img.hdr", "s.img"), ("s.img", "s.hdr")),
        *(("s.img.hdr", "link.img"), ("s.img.hdr", "s.img.hdr")),
    ],
)
def test_the_input_is_never_replaced(capsys, tmp_path, given, target):
    folder = tmp_path / "in"
    write_scene(Scene(CUBE, name="s"), folder / "s.hdr", interleave="bil")
    if given == "s.img.hdr" or target == "s.img.hdr":
        (folder / "s.hdr").rename(folder / "s.img.hdr")
    (folder / "link.img").symlink_to("s.img")
    before = tree(folder)
    code, _, err = run(
        capsys, "convert", folder / given, folder / target, "--interleave", "bsq", "--overwrite"
    )
    assert code == 1
    paired = given == "s.img.hdr" and target != "link.img"
    assert ("could not be read back" if paired else "is the input file") in err
    assert tree(folder) == before


def test_no_command_writes_over_a_file_that_it_reads(capsys, tmp_path, source):
    scene = source.parent / "s.png"
    before = tree(source.parent)
    for words in (
        ("evaluate", source, *LOSSLESS, "-o", source.with_suffix(".img"), "--overwrite"),
        ("quicklook", source, scene.with_suffix(".hdr.json")),
        ("decompress", source.with_suffix(".bpk"), "-o", source.with_suffix(".bpk")),
    ):
        assert run(capsys, *words)[0] == 1
    assert tree(source.parent) == before


def test_outputs_of_quicklook_and_evaluate_are_replaced_only_with_overwrite(capsys, tmp_path, source):
    for words in (
        ("quicklook", source, tmp_path / "out" / "q.png"),
        (
            "evaluate",
            source,
            *LOSSLESS,
            "-o",
            tmp_path / "out" / "e.csv",
            "--keep",
            tmp_path / "kept",
            "--no-ms-ssim",
        ),
    ):
        assert run(capsys, *words)[0] == 0
        code, _, err = run(capsys, *words)
        assert (code, "exists already" in err) == (1, True)
        assert run(capsys, *words, "--overwrite")[0] == 0


@pytest.mark.parametrize("name", ["OUT.BPK", "out.bpk", "new/deep/out.bpk"])
def test_a_name_that_ends_in_bpk_is_a_file_in_any_case(capsys, tmp_path, source, name):
    assert run(capsys, "compress", source, *LOSSLESS, "-o", tmp_path / name)[0] == 0
    assert (tmp_path / name).is_file()
    assert run(capsys, "info", tmp_path / name)[0] == 0


@pytest.mark.parametrize("name", ["out.j2k", "-", "out.img"])
def test_other_names_are_refused_and_make_no_folder(capsys, tmp_path, monkeypatch, source, name):
    monkeypatch.chdir(tmp_path / "out")
    code, _, err = run(capsys, "compress", source, *LOSSLESS, "-o", name)
    assert (code, "expected a file that ends in .bpk, or a folder" in err) == (1, True)
    assert run(capsys, "decompress", source.with_suffix(".bpk"), "-o", "-")[0] == 1
    assert run(capsys, "decompress", source.with_suffix(".bpk"), "-o", "x.j2k")[0] == 1
    assert list((tmp_path / "out").iterdir()) == []


def test_a_name_without_a_suffix_is_a_folder(capsys, tmp_path, source):
    assert run(capsys, "compress", source, *LOSSLESS, "-o", tmp_path / "made")[0] == 0
    assert (tmp_path / "made" / "s.bpk").is_file()


def test_two_scenes_for_one_file_are_refused_before_any_is_written(capsys, tmp_path, source):
    (tmp_path / "other").mkdir()
    write_scene(Scene(CUBE, name="s"), tmp_path / "other" / "s.npy")
    scenes = (source, tmp_path / "other" / "s.npy")
    assert "would hold both" in run(capsys, "compress", *scenes, *LOSSLESS, "-o", tmp_path / "out")[2]
    assert "one file for 2 scenes" in run(capsys, "compress", *scenes, *LOSSLESS, "-o", tmp_path / "x.bpk")[2]
    assert list((tmp_path / "out").iterdir()) == []


def test_two_files_that_would_become_one_scene_are_refused_before_any_is_written(capsys, tmp_path, source):
    one, other = source.with_suffix(".bpk"), tmp_path / "other" / "s.bpk"
    other.parent.mkdir()
    other.write_bytes(one.read_bytes())
    code, _, err = run(capsys, "decompress", one, other, "-o", tmp_path / "out")
    assert code == 1
    assert "would hold the scenes of two files" in err
    assert tree(tmp_path / "out") == {}


@pytest.mark.parametrize(
    ("name", "interleave", "back"),
    [
        *(
            ("s.hdr", None, "s.hdr"),
            ("s.bil", "bil", "s.bil"),
            ("s.img", "bip", "s.hdr"),
            ("s.tif", None, "s.tif"),
        ),
        *(
            ("s.npy", "bsq", "s.npy"),
            ("s.npz", None, "s.npz"),
            ("s.mat", None, "s.mat"),
            ("s.nc", "bil", "s.nc"),
        ),
        *(("s.raw", None, "s.4_6_5_2_1_0.raw"), ("s-u16le-4x5x6.raw", None, "s-u16le-4x5x6.raw")),
    ],
)
def test_decompress_gives_back_the_format_that_came_in(capsys, tmp_path, name, interleave, back):
    scene = Scene(CUBE, name="s", wavelengths=(400.0, 500.0, 600.0, 700.0), nodata=3.0)
    path = write_scene(scene, tmp_path / "in" / name, interleave=interleave)
    order = interleave if name == "s.npy" else None
    words = () if order is None else ("--input-interleave", order)
    assert run(capsys, "compress", path, *LOSSLESS, *words, "-o", tmp_path / "s.bpk")[0] == 0
    assert run(capsys, "decompress", tmp_path / "s.bpk", "-o", tmp_path / "out")[0] == 0
    restored = read_scene(tmp_path / "out" / back, interleave=order)
    original = read_scene(path, interleave=order)
    assert (restored.cube == CUBE).all()
    assert restored.cube.strides == original.cube.strides
    assert (restored.wavelengths, restored.nodata) == (scene.wavelengths, 3)
    assert restored.origin == original.origin
    written = [sorted(p.name for p in f.iterdir()) for f in (tmp_path / "in", tmp_path / "out")]
    assert name == "s.img" or written[0] == written[1]


def test_decompress_to_a_file_of_the_same_format_keeps_the_order_of_axes(capsys, tmp_path, source):
    assert run(capsys, "decompress", source.with_suffix(".bpk"), "-o", tmp_path / "t.img")[0] == 0
    assert (tmp_path / "t.img").read_bytes() == source.with_suffix(".img").read_bytes()
    code, _, err = run(capsys, "decompress", *2 * [source.with_suffix(".bpk")], "-o", tmp_path / "q.hdr")
    assert (code, "one file for several scenes" in err) == (1, True)


@pytest.mark.parametrize("target", ["t.5_11_7_2_1_0.raw", "t-u16le-5x7x11.raw", "t.5_11_7_2_0_0.raw"])
def test_samples_are_written_in_the_byte_order_of_the_name(capsys, tmp_path, target):
    cube = np.random.default_rng(3).integers(0, 65536, (5, 7, 11)).astype(">u2")
    path = write_scene(Scene(cube, name="s"), tmp_path / "s.hdr")
    assert run(capsys, "convert", path, tmp_path / target)[0] == 0
    order = ">" if "_0_0.raw" in target else "<"
    assert (tmp_path / target).read_bytes() == cube.astype(order + "u2").tobytes()
    other = "big" if order == "<" else "little"
    if "_" in target:
        words = ("convert", path, tmp_path / target, "--overwrite", "--byte-order", other)
        assert "the name gives another byte order" in run(capsys, *words)[2]


def test_metadata_that_are_left_out_are_named_in_one_note(capsys, tmp_path):
    path = write_scene(Scene(CUBE, name="s"), tmp_path / "s.hdr")
    path.write_text(path.read_text() + "data ignore value = nan\n")
    code, _, err = run(capsys, "convert", path, tmp_path / "t.raw")
    assert code == 0
    assert [line for line in err.splitlines() if line] == [
        f"bandpress: note: {path}: the no-data value nan is left out; expected one that uint16 samples can have"
    ]


@pytest.mark.parametrize(
    "names", [("x.bil", "x.bil.hdr"), ("X.IMG", "X.HDR"), ("x_img", "x_img.hdr"), ("x.img", "x.hdr")]
)
def test_a_folder_and_a_pattern_of_pairs_are_one_scene_each(capsys, tmp_path, names):
    data, header = (tmp_path / "in" / name for name in names)
    write_scene(Scene(CUBE), tmp_path / "w" / "w.hdr", interleave="bil")
    data.parent.mkdir()
    (tmp_path / "w" / "w.img").rename(data)
    (tmp_path / "w" / "w.hdr").rename(header)
    for what in ([tmp_path / "in"], [tmp_path / "in" / "*"], [data, header]):
        assert run(capsys, "compress", *what, *LOSSLESS, "-o", tmp_path / "out", "--overwrite")[0] == 0
        assert len(list((tmp_path / "out").iterdir())) == 1


def test_clusters_replace_nothing_without_overwrite(capsys, tmp_path, source):
    extract = ("clusters", "extract", source, tmp_path / "c", "-k", 3)
    merge = ("clusters", "merge", tmp_path / "c", tmp_path / "m")
    for words in (extract, merge):
        assert run(capsys, *words)[0] == 0
        code, _, err = run(capsys, *words)
        assert (code, "exists already" in err) == (1, True)
        assert run(capsys, *words, "--overwrite")[0] == 0


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("in/s.img/t.bpk", "s.img is a file; expected a folder"),
        ("closed/below/t.bpk", "closed is read-only; expected another folder"),
    ],
)
def test_an_output_whose_folder_cannot_be_written_is_refused_before_work_starts(
    capsys, tmp_path, source, monkeypatch, output, said
):
    (tmp_path / "closed").mkdir()
    access = os.access
    # Root may write everywhere.
    monkeypatch.setattr(os, "access", lambda p, *a: Path(p).name != "closed" and access(p, *a))
    monkeypatch.setattr("bandpress.cli.evaluate.read_scene", None)
    before = tree(tmp_path)
    for words in (("compress", source, *LOSSLESS), ("evaluate", source, *LOSSLESS)):
        code, _, err = run(capsys, *words, "-o", tmp_path / output)
        assert code == 1
        assert said in err
    assert tree(tmp_path) == before


def test_a_device_is_refused_as_output(capsys, source):
    for words in (("evaluate", source, *LOSSLESS), ("decompress", source.with_suffix(".bpk"))):
        code, _, err = run(capsys, *words, "-o", "/dev/null", "--overwrite")
        assert code == 1
        assert "/dev/null" in err
        assert "expected" in err
