"""The number of threads changes neither files nor samples: every codec of the registry."""

import numpy as np
import pytest

from bandpress import make_codec
from bandpress.coding import compress, decompress
from bandpress.container.bitstream import Reader
from bandpress.machine import VARIABLE
from baseline_scenes import smooth_scene
from every_codec import cases


@pytest.mark.parametrize(("name", "options"), cases())
def test_threads_change_neither_files_nor_samples(name, options, tmp_path, monkeypatch):
    scene = smooth_scene(bands=13, lines=33, samples=35, seed=8)
    chunks, cubes = [], []
    for threads in (1, 2, 5):
        monkeypatch.setenv(VARIABLE, str(threads))
        path = tmp_path / f"{threads}.bpk"
        compress(scene, path, make_codec(name, **options))
        with Reader(path) as reader:
            chunks.append([chunk for _, chunk in reader.chunks(reader.clusters)])
        cubes.append(decompress(path, model=options.get("model")).scene.cube)
    assert chunks[0] == chunks[1] == chunks[2]
    assert np.array_equal(cubes[0], cubes[1])
    assert np.array_equal(cubes[0], cubes[2])
