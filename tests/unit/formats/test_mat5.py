"""MATLAB 5 files: read as scipy reads them, and never the end of the process."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.io import loadmat, savemat

from bandpress import Scene, read_scene, write_scene
from bandpress.errors import SceneError
from bandpress.formats import mat5

TYPES = ["b1", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"]


@settings(deadline=None, max_examples=25)
@given(
    array=st.sampled_from(TYPES).flatmap(
        lambda kind: hnp.arrays(kind, hnp.array_shapes(min_dims=2, max_dims=4, min_side=1, max_side=4))
    ),
    name=st.sampled_from(["x", "four", "a_name_of_31_characters_exactly"]),
    compressed=st.booleans(),
)
def test_arrays_are_those_that_scipy_reads(tmp_path_factory, array, name, compressed):
    path = tmp_path_factory.mktemp("m") / "m.mat"
    savemat(
        path,
        {"text": "täxt", name: array, "s": {"inner": array, "t": {"deep": array}}},
        do_compression=compressed,
    )
    theirs = loadmat(path)[name]
    ours = {variable.name: variable for variable in mat5.variables(path)}
    for key in (name, "s/inner", "s/t/deep"):
        found = ours[key].array()
        assert found.shape == theirs.shape
        assert np.array_equal(found, theirs, equal_nan=found.dtype.kind == "f")
    assert ours[name].array().dtype == (bool if array.dtype == bool else theirs.dtype)
    assert ours["text"].text() == "täxt"


def test_big_endian_files_and_numbers_stored_in_smaller_types_are_read(tmp_path):
    def element(kind, data):
        return np.array([kind, len(data)], ">u4").tobytes() + data + bytes(-len(data) % 8)

    body = element(6, np.array([6, 0], ">u4").tobytes())  # of class double
    body += element(5, np.array([2, 3, 1], ">i4").tobytes()) + element(1, b"cube")
    body += element(4, np.arange(6, dtype=">u2").tobytes())  # stored as uint16
    header = b"MATLAB 5.0".ljust(124) + b"\x01\x00MI"
    (tmp_path / "m.mat").write_bytes(header + element(14, body))
    scene = read_scene(tmp_path / "m.mat")
    assert scene.dtype == np.dtype(">f8")
    assert scene.cube[0].tolist() == [[0, 2, 4], [1, 3, 5]]
    assert (loadmat(tmp_path / "m.mat")["cube"][..., 0] == scene.cube[0]).all()


@pytest.mark.parametrize("compressed", [pytest.param(False, marks=pytest.mark.slow), True])
def test_damaged_files_are_one_sentence(tmp_path, compressed):
    path = tmp_path / "m.mat"
    cube = np.arange(60, dtype="u2").reshape(3, 4, 5)
    savemat(
        path,
        {"cube": cube, "s": {"a": cube, "b": "x"}, "c": np.array(["x", "yz"], object)},
        do_compression=compressed,
    )
    whole = path.read_bytes()
    rng = np.random.default_rng(1)
    outcomes = set()
    for _ in range(1500):
        content = bytearray(whole)
        for at in rng.integers(100, len(content), rng.integers(1, 5)):
            content[at] = rng.choice([0, 1, 127, 128, 255, rng.integers(256)])
        path.write_bytes(content[: len(content) if rng.random() < 0.7 else rng.integers(len(content))])
        try:
            outcomes.add(read_scene(f"{path}:cube").cube.shape)
        except SceneError as error:
            outcomes.add("refused")
            if "\n" in str(error):
                raise
    assert {(5, 3, 4), "refused"} <= outcomes


def test_a_variable_of_the_user_with_our_name_is_left_alone(tmp_path):
    cube = np.arange(60, dtype="u2").reshape(3, 4, 5)
    for mine in ("mine", 3.0, "[1]", '{"sensor": 3'):
        savemat(tmp_path / "m.mat", {"data": cube, "bandpress": mine})
        np.savez(tmp_path / "m.npz", data=cube, bandpress=np.array(mine))
        for name in ("m.mat", "m.npz"):
            assert (read_scene(tmp_path / name).cube == cube.transpose(2, 0, 1)).all()


def test_an_uncompressed_array_is_mapped(tmp_path):
    cube = read_scene(write_scene(Scene(np.ones((3, 4, 5), "<u2")), tmp_path / "m.mat")).cube
    while isinstance(cube, np.ndarray) and not isinstance(cube, np.memmap):
        cube = cube.base
    assert isinstance(cube, np.memmap)
