import csv
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from bandpress.cli.train import command
from bandpress.errors import ModelError, SceneError
from bandpress.hyperprior.architecture import Architecture
from bandpress.hyperprior.training.schedule import Settings
from bandpress.scene import Scene
from baseline_scenes import uneven_scene

pytestmark = pytest.mark.tensorflow

NARROW = Architecture(3, 8, 16, 8)
QUICK = Settings((1e-3,), steps=12, patch=32, batch=2, validations=4)


def train(out, settings=QUICK, architecture=NARROW, scenes=None, **options):
    from bandpress.hyperprior.training.train import train as run

    scenes = scenes or [uneven_scene(seed=1), uneven_scene(seed=2, dtype=">i2")]
    return run(out, scenes, architecture, settings, threads=2, **options)


class Interrupted(Exception):
    pass


def interrupt_at(step):
    def report(progress):
        if progress.step == step:
            raise Interrupted

    return report


def log(out):
    with open(f"{out}.training/log.csv", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """One finished training: its folder, the model, what it reported and what it said."""
    folder, seen, said = tmp_path_factory.mktemp("trained"), [], []
    return folder, train(folder / "m", report=seen.append, say=said.append), seen, said


def test_coding_alone_lowers_the_rate_and_moves_no_transform(tmp_path):
    from bandpress.hyperprior.model import Hyperprior
    from bandpress.hyperprior.training.trainer import Trainer

    settings = Settings((1e-4, 1e-2), steps=40, patch=32, batch=2, coding_first=0.5, learning_rate=1e-3)
    architecture = Architecture(3, (4, 6, 8), 16, 8, qualities=2, borders="mirror")
    weights = architecture.random_weights(1)
    trainer = Trainer(architecture, settings, weights, 1000.0)
    from bandpress.hyperprior.training.patches import Patches

    batch = Patches([uneven_scene(seed=1)], 3, 32, 2, 1).fixed(2)
    losses = [float(trainer.step(i, batch, 1e-3, 0.5, coding_only=True).loss) for i in range(30)]
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])
    after = trainer.network.weights()
    assert isinstance(trainer.network, Hyperprior)
    for name in weights:
        moved = not np.allclose(after[name], weights[name], rtol=1e-4, atol=1e-6)
        assert not (moved and name.startswith(("analysis", "synthesis", "gains/y"))), name


@pytest.mark.slow
def test_a_training_may_begin_with_the_coding_alone(tmp_path):
    settings = Settings((1e-3,), steps=12, patch=32, batch=2, validations=4, coding_first=0.5)
    seen = []
    made = train(tmp_path / "m", settings, report=seen.append)
    assert made.card["steps"] == 12
    assert np.isnan([p.psnr for p in seen[:6]]).all()
    assert np.isfinite([p.psnr for p in seen[6:]]).all()
    rows = log(tmp_path / "m")
    assert rows[1]["train_psnr"] == ""
    assert float(rows[-1]["train_psnr"]) > 0


def test_a_training_makes_a_model_and_a_log(trained):
    from bandpress.hyperprior import store

    tmp_path, made, seen, said = trained
    assert store.load(tmp_path / "m").digest == made.digest
    assert [p.step for p in seen] == list(range(1, 13))
    assert all(p.bps > 0 and p.psnr > 20 and p.seconds_left >= 0 for p in seen)
    assert "channels can reach" in said[0]
    assert [int(row["step"]) for row in log(tmp_path / "m")] == [0, 3, 6, 9, 12]
    assert sorted(p.name for p in (tmp_path / "m.training").iterdir()) == [
        "best.npz",
        "finished.json",
        "log.csv",
        "settings.json",
    ]
    card = made.card
    assert card["lambda"] == 1e-3
    assert card["steps"] == 12
    assert [s["scene"] for s in card["training_set"]] == ["uneven-1", "uneven-2"]
    assert [s["shape"][1] for s in card["validation_set"]] == [16, 16]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_digest_and_another_does_not(tmp_path, trained):
    other = Settings(**(QUICK.to_json() | {"seed": 2}))
    assert train(tmp_path / "a").digest == trained[1].digest
    assert train(tmp_path / "b", other).digest != trained[1].digest


@pytest.mark.slow
def test_mixed_precision_learns_as_much_and_can_be_resumed(tmp_path, trained):
    mixed = Settings(**(QUICK.to_json() | {"precision": "mixed"}))
    whole = train(tmp_path / "a", mixed)
    assert whole.digest != trained[1].digest
    with pytest.raises(Interrupted):
        train(tmp_path / "c", mixed, report=interrupt_at(8))
    assert train(tmp_path / "c", mixed, resume=True).digest == whole.digest
    assert whole.card["settings"]["precision"] == "mixed"
    for key in ("bps", "mse"):
        found, expected = (made.card["validation"][0][key] for made in (whole, trained[1]))
        assert found == pytest.approx(expected, rel=0.005)


@pytest.mark.slow
def test_the_warm_start_is_better_than_the_random_one(tmp_path):
    one = Settings(**(QUICK.to_json() | {"steps": 1, "validations": 1}))
    warm = train(tmp_path / "w", one).card["validation"][0]
    random = train(tmp_path / "r", Settings(**(one.to_json() | {"start": "random"}))).card["validation"][0]
    assert warm["psnr"] > random["psnr"] + 6


def test_an_interrupted_training_goes_on_to_the_same_model(tmp_path, trained):
    with pytest.raises(Interrupted):
        train(tmp_path / "cut", report=interrupt_at(8))
    assert not (tmp_path / "cut").exists()
    assert int(log(tmp_path / "cut")[-1]["step"]) == 6
    seen = []
    assert train(tmp_path / "cut", resume=True, report=seen.append).digest == trained[1].digest
    assert [p.step for p in seen] == list(range(7, 13))
    assert [row["step"] for row in log(tmp_path / "cut")] == [row["step"] for row in log(trained[0] / "m")]


@pytest.mark.slow
def test_a_model_that_cannot_be_written_is_finished_later(tmp_path, trained, monkeypatch):
    from bandpress import model_folders

    def full(*arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(model_folders, "save_file", full)
        with pytest.raises(ModelError, match="No space left on device"):
            train(tmp_path / "m")
    assert not (tmp_path / "m").exists()
    seen = []
    assert train(tmp_path / "m", resume=True, report=seen.append).digest == trained[1].digest
    assert seen == []


@pytest.mark.slow
def test_a_finished_training_whose_model_was_lost_is_not_done_again(tmp_path, trained):
    """Snakemake removes what jobs made that it was killed before it saw; hours of training were lost with it."""
    folder, first = trained[:2]
    shutil.copytree(folder / "m.training", tmp_path / "m.training")
    seen = []
    assert train(tmp_path / "m", resume=True, report=seen.append).digest == first.digest
    assert seen == []
    shutil.rmtree(tmp_path / "m")
    assert train(tmp_path / "m", report=seen.append).digest == first.digest
    assert len(seen) == 12  # not told to resume


@pytest.mark.slow
def test_a_family_learns_all_its_lambdas_at_once(tmp_path):
    lambdas = (1e-4, 1e-3, 1e-2)
    family = Settings(**(QUICK.to_json() | {"lambdas": lambdas, "steps": 30}))
    made = train(tmp_path / "f", family, Architecture(3, 8, 16, 8, qualities=3))
    points = made.card["validation"]
    assert [p["lambda"] for p in points] == list(lambdas)
    assert points[0]["bps"] < points[1]["bps"] < points[2]["bps"]
    assert points[0]["mse"] > points[1]["mse"] > points[2]["mse"]


@pytest.mark.slow
def test_fine_tuning_goes_on_from_another_model(tmp_path, trained):
    folder, first = trained[:2]
    other = Settings(**(QUICK.to_json() | {"lambdas": (4e-3,), "steps": 1, "learning_rate": 1e-9}))
    second = train(tmp_path / "b", other, scenes=[uneven_scene(seed=5)], init_from=folder / "m")
    assert second.card["init_from"] == first.digest
    # Four times the lambda: half the quantiser step.
    before, after = (model.weights["analysis/3/kernel"] for model in (first, second))
    np.testing.assert_allclose(after, 2 * before, rtol=1e-3, atol=1e-6)
    with pytest.raises(ModelError, match="a model of"):
        train(tmp_path / "c", architecture=Architecture(3, (4, 8, 8), 16, 8), init_from=folder / "m")


@pytest.mark.slow
def test_tensorboard_gets_scalars_and_images(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    one = Settings(**(QUICK.to_json() | {"steps": 1, "validations": 1}))
    train(tmp_path / "m", one, tensorboard=tmp_path / "events")
    events = EventAccumulator(str(tmp_path / "events")).Reload().Tags()
    assert {"validation/psnr", "validation/bps", "train/loss", "learning/rate"} <= set(events["tensors"])
    assert any("decoded" in tag for tag in events["tensors"])


def test_an_existing_model_is_not_replaced(trained):
    card = trained[0] / "m" / "model.json"
    before = card.read_bytes()
    with pytest.raises(ModelError, match="exists already"):
        train(trained[0] / "m")
    assert card.read_bytes() == before


@pytest.mark.slow
def test_a_training_that_diverges_says_so_and_keeps_what_it_had(tmp_path):
    wild = Settings(
        **(QUICK.to_json() | {"learning_rate": 1e30, "clip": 0.0, "steps": 200, "validations": 200})
    )
    with pytest.raises(ModelError, match=r"the loss became (nan|inf) at step"):
        train(tmp_path / "m", wild)
    with np.load(tmp_path / "m.training" / "best.npz") as best:
        assert all(np.isfinite(best[name]).all() for name in best)


def test_a_bad_scene_ends_a_training_before_it_begins(tmp_path):
    with pytest.raises(SceneError, match="every sample is 0"):
        train(tmp_path / "m", scenes=[uneven_scene(seed=1), Scene(np.zeros((5, 64, 64), np.uint16))])
    assert list(tmp_path.iterdir()) == []


def run_command(*arguments):
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        (("none.3_48_64_2_1_0.raw",), SceneError, "no such file"),
        ((".", "--patch", 50), ModelError, "expected a multiple of 16"),
        ((), SystemExit, "Missing argument"),
        ((".", "--lambda", -1), SystemExit, "not in the range"),
    ],
)
def test_the_command_refuses_in_one_sentence(tmp_path, arguments, kind, said):
    done = run_command(*arguments, "-o", tmp_path / "m")
    assert isinstance(done.exception, kind)
    assert said in (done.output if kind is SystemExit else str(done.exception))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_scenes_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    done = run_command(tmp_path / "empty", "-o", tmp_path / "m")
    assert isinstance(done.exception, SceneError)
    assert "empty: holds no scene" in str(done.exception)
