"""Scenes larger than memory decode into a temporary file."""

import errno
import os
import tempfile

import numpy as np
import pytest

from bandpress import Scene, coding, compress, decompress, read, write
from bandpress.errors import BitstreamError

CUBE = np.random.default_rng(0).integers(0, 900, (5, 30, 40)).astype(">i2")


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A file whose samples are too many for memory, and a folder for temporary files."""
    monkeypatch.setattr(coding, "_LARGE", 1000)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return compress(Scene(CUBE), tmp_path / "a.bpk", codec="jpeg2000", lossless=True)


def test_a_large_scene_is_decoded_into_a_file_that_vanishes(file, tmp_path):
    scene = decompress(file)
    assert isinstance(scene.cube, np.memmap)
    assert scene.cube.dtype == CUBE.dtype
    assert np.array_equal(scene.cube, CUBE)
    assert np.array_equal(read(write(scene, tmp_path / "b.hdr")).cube, CUBE)
    assert list((tmp_path / "temporary").iterdir()) == []


def test_without_room_for_the_file_a_large_scene_is_decoded_in_memory(file, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    scene = decompress(file)
    assert not isinstance(scene.cube, np.memmap)
    assert np.array_equal(scene.cube, CUBE)


def test_a_scene_that_fits_nowhere_is_refused_by_name(file, monkeypatch):
    def none(*_):
        raise MemoryError

    monkeypatch.setattr(coding, "_zeros", none)
    with pytest.raises(BitstreamError, match=r"a\.bpk: 5 × 30 × 40 samples of >i2 do not fit in memory"):
        decompress(file)
