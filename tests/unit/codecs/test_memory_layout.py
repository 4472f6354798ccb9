"""Equal samples make equal files, whatever the layout of the array that holds them: every codec of the registry."""

import numpy as np
import pytest

from bandpress import Scene, make_codec
from bandpress import prepared as layouts
from bandpress.coding import compress, decompress
from bandpress.container.bitstream import Reader
from bandpress.errors import MissingDependencyError
from bandpress.transforms.rklt import Rklt
from baseline_scenes import smooth_scene
from every_codec import cases


def sliced(cube):
    wide = np.zeros([2 * side + 1 for side in cube.shape], cube.dtype)
    wide[1::2, 1::2, 1::2] = cube
    return wide[1::2, 1::2, 1::2]


def read_only(cube):
    copy = np.asfortranarray(cube)
    copy.flags.writeable = False
    return copy


def stored(cube, order):
    """The cube, its axes stored in the given order."""
    return np.ascontiguousarray(cube.transpose(order)).transpose(np.argsort(order))


LAYOUTS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "BIL": lambda cube: stored(cube, (1, 0, 2)),
    "BIP": lambda cube: stored(cube, (1, 2, 0)),
    "negative strides": lambda cube: np.ascontiguousarray(cube[::-1, ::-1, ::-1])[::-1, ::-1, ::-1],
    "sliced": sliced,
    "byte-swapped": lambda cube: cube.astype(cube.dtype.newbyteorder()),
    "byte-swapped BIL": lambda cube: stored(cube, (1, 0, 2)).astype(cube.dtype.newbyteorder()),
    "read-only": read_only,
    "memory-mapped": None,
    "memory-mapped BIP": None,
}


def laid_out(cube, layout, folder):
    if not layout.startswith("memory-mapped"):
        return LAYOUTS[layout](cube)
    order = (1, 2, 0) if "BIP" in layout else (0, 1, 2)
    path = folder / "cube"
    path.write_bytes(np.ascontiguousarray(cube.transpose(order)).tobytes())
    shape = tuple(cube.shape[axis] for axis in order)
    return np.memmap(path, cube.dtype, "r", shape=shape).transpose(np.argsort(order))


def small(dtype):
    cube = smooth_scene(bands=5, lines=17, samples=22).cube
    return (cube // 16 if np.dtype(dtype).itemsize == 1 else cube).astype(dtype)


@pytest.mark.parametrize("dtype", ["u1", "<u2", "<i2"])
@pytest.mark.parametrize(("name", "options"), cases())
def test_equal_samples_make_equal_files(tmp_path, monkeypatch, name, options, dtype):
    cube = small(dtype)
    codec = make_codec(name, **options)
    files, parts = set(), set()
    for whole in (layouts._WHOLE, 0):  # laid out as a whole, and part by part
        monkeypatch.setattr(layouts, "_WHOLE", whole)
        for layout in LAYOUTS:
            path = tmp_path / "scene.bpk"
            given = laid_out(cube, layout, tmp_path)
            assert np.array_equal(given, cube)
            try:
                compress(Scene(given), path, codec)
            except MissingDependencyError as error:
                pytest.skip(str(error))
            with Reader(path) as reader:
                parts.add(tuple(chunk for _, chunk in reader.chunks(reader.clusters)))
            if given.dtype.isnative:
                files.add(path.read_bytes())
    assert len(files) == 1
    assert len(parts) == 1
    decoded = decompress(path, model=options.get("model")).scene.cube
    if "lossless" in options:
        assert np.array_equal(decoded, cube)
    else:
        assert np.square(decoded.astype(float) - cube).mean() < 0.2 * cube.var()


def test_a_contiguous_cube_is_not_copied_and_a_large_one_only_in_parts(monkeypatch):
    cube = np.zeros((3, 4, 5), "<u2")
    assert layouts.native(cube) is cube
    monkeypatch.setattr(layouts, "_WHOLE", 10)
    large = layouts.native(np.asfortranarray(cube))
    assert isinstance(large, layouts.PreparedCube)
    part = large[1:3]
    assert part.flags.c_contiguous
    assert part.nbytes == 2 * 4 * 5 * 2


def test_the_transform_refuses_to_write_into_a_copy():
    cube = np.zeros((3, 4, 5), np.int32)
    with pytest.raises(ValueError, match="expected a contiguous one"):
        Rklt(np.eye(3)).forward(cube, out=np.asfortranarray(cube))
