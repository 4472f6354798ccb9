import hashlib

import numpy as np
import pytest

from bandpress import read_scene
from bandpress.datasets.synthesis import TYPES, Plan, synthesize, write


def test_a_seed_gives_the_same_bytes_everywhere():
    """With any version of numpy, on any machine: a change of this digest is a change of every benchmark."""
    cube = synthesize(Plan(bands=16, lines=50, samples=37, seed=7)).cube
    assert hashlib.sha256(cube.tobytes()).hexdigest() == (
        "954e3032cfac9dffa084cb4934322b90d16b2557cd312cc403329c22c25a8656"
    )


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("byte_order", ["little", "big"])
def test_a_scene_of_any_type_and_geometry_is_written(tmp_path, kind, byte_order):
    plan = Plan(3, 33, 5, kind, byte_order, 1)
    path = write(plan, tmp_path / "synthetic.raw")
    scene = read_scene(path)
    assert scene.dtype == plan.dtype
    assert scene.cube.shape == (3, 33, 5)
    assert scene.sensor == "synthetic"
    assert scene.cube.tobytes() == synthesize(plan).cube.tobytes()
    assert [p.name for p in sorted(tmp_path.iterdir())] == [path.name, path.name + ".json"]


def test_other_seeds_give_other_scenes():
    one, two = (synthesize(Plan(4, 20, 20, seed=seed)).cube for seed in (1, 2))
    assert np.corrcoef(one.ravel(), two.ravel())[0, 1] < 0.99


def test_scenes_are_plausible():
    """Neighbours are alike, bands more so; a few materials explain the scene; noise is there in every band."""
    cube = synthesize(Plan(64, 96, 80, seed=5)).cube.astype(float)
    assert np.corrcoef(cube[20, :, :-1].ravel(), cube[20, :, 1:].ravel())[0, 1] > 0.85
    assert np.corrcoef(cube[20].ravel(), cube[21].ravel())[0, 1] > 0.98
    flat = cube.reshape(64, -1)
    power = np.linalg.eigvalsh(np.cov(flat))[::-1]
    assert power[:4].sum() > 0.98 * power.sum()
    assert power[-1] > 10
    assert len(np.unique(cube[40])) > 50
    assert (synthesize(Plan(64, 40, 40, "int16", seed=5)).cube < 0).any()


def test_synthesis_does_not_depend_on_the_size_of_blocks(tmp_path, monkeypatch):
    plan = Plan(bands=9, lines=70, samples=41, seed=3)
    one = write(plan, tmp_path / "one.raw").read_bytes()
    monkeypatch.setattr("bandpress.datasets.synthesis._MOST_VALUES", 1)
    assert write(plan, tmp_path / "two.raw").read_bytes() == one
