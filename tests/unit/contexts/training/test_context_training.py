"""Training context models: what is drawn, that the seed decides everything, what is refused."""

import csv
import importlib.util
import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from bandpress import Scene, write_scene
from bandpress.cli import cli
from bandpress.contexts import store as context_store
from bandpress.contexts.training.pool import HELD_OUT, TRAIN, Pool
from bandpress.contexts.training.rows import batches, quantised_with, rows_at, rows_of
from bandpress.contexts.training.settings import Settings
from bandpress.errors import ModelError, SceneError
from baseline_scenes import smooth_scene

QUICK = Settings(steps=12, hidden=6, tables=8, rows=3000, validations=4)


def pool(**options):
    options = {"seed": 1, "most": 6000} | options
    return Pool([smooth_scene(bands=12, seed=1), smooth_scene(bands=5, lines=31, dtype=">i2")], **options)


def train(out, settings=QUICK, scenes=None, **options):
    pytest.importorskip("tensorflow", reason="needs the TensorFlow environment")
    from bandpress.contexts.training.train import train as run

    return run(out, scenes or [smooth_scene(seed=1), smooth_scene(seed=2)], settings, threads=2, **options)


@pytest.fixture(scope="module", autouse=True)
def little_to_validate_on():
    """Validate trainings, and fit their tables, on a fraction of the draws: seconds instead of minutes."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("bandpress.contexts.training.rows._SURVEY", 4)
        if importlib.util.find_spec("tensorflow"):
            patched.setattr("bandpress.contexts.training.train._VALIDATION", 3)
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """One finished training."""
    return train(tmp_path_factory.mktemp("trained") / "m")


def log(out):
    with open(f"{out}.training/log.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_a_draw_is_always_the_same_and_draws_differ():
    one, other = pool(), pool()
    for number in range(6):
        assert np.array_equal(one.draw(TRAIN, 5 - number), other.draw(TRAIN, 5 - number))
    assert not np.array_equal(one.draw(TRAIN, 0), one.draw(HELD_OUT, 0))
    assert not np.array_equal(one.draw(TRAIN, 0), pool(seed=2).draw(TRAIN, 0))
    assert not np.array_equal(one.draw(TRAIN, 0), one.draw(TRAIN, 0, attempt=1))


def test_draws_are_of_all_kinds_and_stay_small():
    shapes = [pool().draw(TRAIN, number).shape for number in range(150)]
    assert {shape[1] for shape in shapes} >= {1, 3, 5, 7, 12}
    assert len({shape[2:] for shape in shapes}) > 20
    assert min(min(shape[2:]) for shape in shapes) >= 20
    # One cluster of a window of 24 x 24 may be more than was asked for.
    assert all(np.prod(shape) <= max(6000, 24 * 24 * shape[1]) for shape in shapes)
    values = pool().draw(TRAIN, 3)
    assert values.dtype == np.float32
    assert values.min() < 0 < values.max()


def test_rows_say_what_is_coded():
    clusters = [quantised_with(None, values) for values in pool().draw(TRAIN, 2)]
    rows = rows_of(clusters)
    assert len(rows.classes) == sum(
        one.size
        for cluster in clusters
        for energy, one in zip(cluster.energies, cluster.magnitudes, strict=True)
        if energy
    )
    assert (rows.classes > 0).sum() == sum((cluster.magnitudes > 0).sum() for cluster in clusters)
    assert (rows.plain >= (rows.classes > 0)).all()


@pytest.mark.parametrize("threads", [1, 3])
def test_batches_made_ahead_are_those_made_one_by_one(threads):
    made = batches(pool(), 4, 1000, None, threads)
    for number in range(4, 9):
        rows, expected = next(made), rows_at(pool(), TRAIN, number, 1000, None)
        assert len(rows.classes) <= 1000
        assert all(np.array_equal(a, b) for a, b in zip(rows, expected, strict=True))
    made.close()


@pytest.mark.tensorflow
def test_rows_depend_on_the_quantising_model_and_not_on_threads(trained):
    made = batches(pool(), 0, 1000, trained, 2)
    one = next(made)
    made.close()
    assert all(
        np.array_equal(a, b) for a, b in zip(one, rows_at(pool(), TRAIN, 0, 1000, trained), strict=True)
    )
    other = rows_at(pool(), TRAIN, 0, 1000, None)
    assert any(a.shape != b.shape or (a != b).any() for a, b in zip(one, other, strict=True))


@pytest.mark.slow
@pytest.mark.tensorflow
def test_equal_trainings_give_equal_models(tmp_path, trained):
    assert train(tmp_path / "b").digest == trained.digest
    other = train(tmp_path / "c", Settings(**QUICK.to_json() | {"seed": 2}))
    assert other.digest != trained.digest


@pytest.mark.tensorflow
def test_it_learns_and_says_so(tmp_path):
    seen, said = [], []
    settings = Settings(steps=60, hidden=8, tables=16, rows=4000, learning_rate=1e-2, validations=6)
    model = train(
        tmp_path / "m", settings, validation=[smooth_scene(seed=3)], report=seen.append, say=said.append
    )
    rows = log(tmp_path / "m")
    assert [int(row["step"]) for row in rows] == sorted(int(row["step"]) for row in rows)
    assert int(rows[-1]["step"]) == len(seen) == 60
    assert len(said) == len(rows) >= 6
    assert float(rows[-1]["validation_loss"]) < 0.8 * float(rows[0]["validation_loss"])
    assert float(rows[-1]["learning_rate"]) < 0.1 * float(rows[1]["learning_rate"])
    assert model.card["steps"] == 60
    assert model.card["settings"]["hidden"] == 8
    assert [scene["scene"] for scene in model.card["validation_set"]] == ["smooth"]
    assert model.macs == model.weights[0].shape[0] * 8 + 8 * 8 + 8
    assert np.abs(model.offsets).max() > 0
    assert len(np.unique(model.signs)) > 20
    assert context_store.load(tmp_path / "m").digest == model.digest


@pytest.mark.tensorflow
def test_an_interruption_leaves_no_model(tmp_path, trained):
    def interrupt(progress):
        if progress.step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "m", report=interrupt)
    assert not (tmp_path / "m").exists()
    assert not list(tmp_path.glob(".*"))
    assert train(tmp_path / "m").digest == trained.digest  # which began anew


@pytest.mark.tensorflow
@pytest.mark.parametrize(("minutes", "expected"), [(1e-9, range(1, 2)), (0.5, range(3, 30))])
def test_minutes_end_it_but_not_before_a_step(tmp_path, monkeypatch, minutes, expected):
    from bandpress.contexts.training import train as module

    seconds = itertools.count()
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    settings = Settings(steps=None, minutes=minutes, hidden=4, tables=8, rows=1000, validations=2)
    assert train(tmp_path / "m", settings).card["steps"] in expected


@pytest.mark.tensorflow
def test_a_loss_that_is_not_a_number_is_an_error_and_leaves_no_model(tmp_path):
    with pytest.raises(ModelError, match=r"the loss became nan at step \d+; expected a number"):
        train(tmp_path / "m", Settings(**QUICK.to_json() | {"learning_rate": 1e30, "clip": 0.0}))
    assert not (tmp_path / "m").exists()


@pytest.mark.tensorflow
def test_a_folder_that_exists_is_not_replaced(tmp_path):
    (tmp_path / "m").mkdir()
    with pytest.raises(ModelError, match="exists already"):
        train(tmp_path / "m")


@pytest.mark.parametrize(
    ("scene", "message"),
    [
        (Scene(np.ones((3, 40, 40), "<u2"), name="flat"), "every sample is 1"),
        (Scene(np.ones((3, 40, 40), "<f4"), name="real"), "samples are float32"),
        (Scene(np.ones((3, 8, 40), "<u2"), name="low"), "8 lines"),
    ],
)
def test_scenes_that_cannot_be_learned_from_are_named(scene, message):
    with pytest.raises(SceneError, match=f"scene {scene.name}: .*{message}"):
        Pool([scene], 1)


def test_no_scene_is_refused():
    with pytest.raises(SceneError, match="no scene was given"):
        Pool([], 1)


def test_one_band_and_eight_bits_are_enough():
    scene = smooth_scene(bands=1, lines=16, samples=20)
    values = Pool([Scene((scene.cube // 200).astype("u1"), name="grey")], 1, 6000).draw(TRAIN, 0)
    assert values.shape[1] == 1
    assert np.isfinite(values).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": None}, "neither steps nor minutes"),
        ({"steps": 0}, "steps is 0"),
        ({"minutes": -1.0}, "minutes are -1.0"),
        ({"hidden": 0}, "hidden is 0"),
        ({"tables": 1}, "tables is 1; expected 2 to 256"),
        ({"tables": 300}, "tables is 300"),
        ({"seed": -1}, "seed is -1"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0"),
        ({"refreshed": (0.7, 0.5)}, "ascending order"),
        ({"refreshed": (0.5, 1.0)}, "between 0 and 1"),
    ],
)
def test_settings_out_of_range_are_refused(options, message):
    with pytest.raises(ModelError, match=message):
        Settings(**options)


@pytest.mark.slow
@pytest.mark.tensorflow
def test_it_is_trained_from_the_command_line(tmp_path):
    pytest.importorskip("tensorflow", reason="needs the TensorFlow environment")
    scene = write_scene(smooth_scene(lines=32, samples=32), tmp_path / "scene.raw")
    words = ["train-contexts", str(scene), "--validate", str(scene), "-o", str(tmp_path / "m")]
    refused = CliRunner().invoke(cli, words)
    assert "given both to train and to validate on" in str(refused.exception)
    words = ["train-contexts", str(scene), "--steps", "2", "--hidden", "4", "--threads", "1"]
    done = CliRunner().invoke(cli, [*words, "--sensor", "none", "-o", str(tmp_path / "m")])
    assert done.exit_code == 0, done.output + str(done.exception)
    assert "2 steps, model" in done.output
    assert context_store.load(tmp_path / "m").card["sensor"] == "none"
