import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandpress.errors import SceneError
from bandpress.hyperprior.training.patches import Patches, band_ranges, normalise
from bandpress.scene import Scene
from bandpress.training.scenes import split_lines, usable


def scene(bands=5, lines=40, samples=50, dtype="<u2", seed=0, name="scene"):
    rng = np.random.default_rng(seed)
    low = -500 if np.dtype(dtype).kind == "i" else 0
    return Scene(rng.integers(low, 3000, (bands, lines, samples)).astype(dtype), name=name)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.integers(3, 6), st.integers(32, 60), st.integers(32, 60)), min_size=1, max_size=3),
    st.sampled_from(["<u2", ">u2", "<i2", ">i2"]),
    st.integers(0, 1000),
)
def test_patches_of_any_mixture_are_normalised(shapes, dtype, seed):
    scenes = [scene(*shape, dtype=dtype, seed=i) for i, shape in enumerate(shapes)]
    batch = Patches(scenes, k=3, patch=32, batch=4, seed=seed).at(7)
    assert batch.x.shape == (4, 32, 32, 3)
    assert batch.x.dtype == np.float32
    assert batch.x.min() >= 0
    assert batch.x.max() < 1
    assert batch.ranges.shape == (4, 3)


def test_a_patch_has_the_samples_and_the_range_of_the_whole_cluster():
    one = scene(bands=3, lines=16, samples=16)
    batch = Patches([one], k=3, patch=16, batch=1, seed=5).fixed(1)
    low = one.cube.min(axis=(1, 2))
    spread = one.cube.max(axis=(1, 2)) - low + 1
    np.testing.assert_array_equal(batch.ranges[0], spread)
    back = np.rint(batch.x[0].transpose(2, 0, 1) * spread[:, None, None]) + low[:, None, None]
    np.testing.assert_array_equal(back, one.cube)


def test_all_eight_symmetries_occur():
    one = scene(bands=1, lines=16, samples=16)
    found = {Patches([one], 1, 16, 1, seed=1).at(i).x.tobytes() for i in range(100)}
    assert len(found) == 8


def test_a_batch_depends_on_seed_and_number_alone():
    scenes = [scene(seed=1), scene(seed=2)]
    a, b = (Patches(scenes, 3, 32, 4, seed=9) for _ in range(2))
    a.at(1)
    a.fixed(3)
    np.testing.assert_array_equal(a.at(5).x, b.at(5).x)
    assert not np.array_equal(a.at(5).x, a.at(6).x)
    assert not np.array_equal(a.at(5).x, Patches(scenes, 3, 32, 4, seed=10).at(5).x)


def test_batches_of_the_thread_are_those_asked_for_one_by_one():
    patches = Patches([scene()], 3, 32, 2, seed=3)
    batches = patches.batches(start=4)
    for step in (4, 5, 6):
        np.testing.assert_array_equal(next(batches).x, patches.at(step).x)
    batches.close()


def test_memory_maps_are_read(tmp_path):
    one = scene()
    one.cube.tofile(tmp_path / "cube")
    mapped = Scene(np.memmap(tmp_path / "cube", one.dtype, "r", shape=one.cube.shape))
    np.testing.assert_array_equal(
        Patches([mapped], 3, 32, 2, seed=3).at(0).x, Patches([one], 3, 32, 2, seed=3).at(0).x
    )


def test_scenes_are_drawn_by_their_size():
    small, large = scene(lines=32, samples=32, seed=1), scene(lines=64, samples=128, seed=2)
    large.cube[:] //= 2
    batch = Patches([small, large], 5, 32, 400, seed=1).at(0)
    share = np.mean(batch.ranges[:, 0] < 2000)
    assert 0.82 < share < 0.95  # 8 / 9 of the samples are of the large one


def test_constant_clusters_are_left_out():
    one = scene(bands=4)
    one.cube[:3] = 7
    assert (Patches([one], 1, 16, 50, seed=0).at(0).ranges > 1).all()


def test_held_out_lines_are_disjoint():
    one = scene(lines=100)
    train, validation = split_lines(one)
    assert (train.lines, validation.lines) == (84, 16)
    assert not np.shares_memory(train.cube, validation.cube)
    with pytest.raises(SceneError, match="31 lines"):
        split_lines(scene(lines=31))


def test_the_widest_range_is_normalised_below_one():
    cube = np.array([[[-32768, 32767]]], np.int16)
    minimum, ranges = band_ranges(cube)
    assert (minimum[0], ranges[0]) == (-32768, 65536)
    assert 0 <= normalise(cube, minimum, ranges).min() <= normalise(cube, minimum, ranges).max() < 1


def nan_scene():
    cube = np.ones((3, 32, 32), np.float32)
    cube[1, 2, 3] = np.nan
    return Scene(cube, name="nan")


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (nan_scene(), "nan: holds samples that are not finite numbers; expected"),
        (
            Scene(np.ones((3, 32, 32), np.float32)),
            "samples are float32; expected one of uint8, uint16, int16",
        ),
        (Scene(np.zeros((3, 32, 32), np.uint16), name="black"), "black: every sample is 0; expected"),
        (scene(bands=2), "2 bands; expected at least 3"),
        (scene(lines=20), "20 lines of 50 samples; expected at least 32 of each"),
    ],
)
def test_scenes_that_cannot_be_trained_on_are_refused(bad, said):
    with pytest.raises(SceneError, match=said):
        Patches([scene(), bad], 3, 32, 1, seed=0)
    with pytest.raises(SceneError, match=said):
        usable(bad, 3, 32)


def test_patches_of_no_scene_are_refused():
    with pytest.raises(SceneError, match="no scene"):
        Patches([], 3, 32, 1, seed=0)


def test_sharpened_patches_hold_more_fine_detail_and_the_same_mean():
    one = scene(bands=3, lines=48, samples=48)
    plain, sharp = (Patches([one], 3, 32, 8, 1, sharpen=share).at(3).x for share in (0.0, 2.0))

    def detail(x):
        return np.square(np.diff(x, axis=1)).mean() + np.square(np.diff(x, axis=2)).mean()

    assert detail(sharp) > 1.2 * detail(plain)
    assert sharp.mean() == pytest.approx(plain.mean(), abs=0.01)
    held_out = Patches([one], 3, 32, 8, 1, sharpen=2.0).fixed(4).x
    np.testing.assert_array_equal(held_out, Patches([one], 3, 32, 8, 1).fixed(4).x)


def test_bands_of_spread_patches_come_from_the_whole_scene():
    cube = (
        np.arange(20)[:, None, None] * 100
        + np.random.default_rng(0).integers(0, 50 + np.arange(20))[:, None, None]
    )
    cube = cube + np.random.default_rng(1).integers(0, 1 + 3 * np.arange(20)[:, None, None], (20, 32, 32))
    one = Scene(cube.astype("<u2"), name="one")
    _, ranges = band_ranges(one.cube)
    assert len(set(ranges.tolist())) == 20
    patches = Patches([one], 3, 32, 64, 1, spread=0.5)
    apart = 0
    for found in patches.at(0).ranges:
        bands = [ranges.tolist().index(value) for value in found]
        assert bands == sorted(set(bands))
        apart += bands[2] - bands[0] > 2
    assert 16 < apart < 48
