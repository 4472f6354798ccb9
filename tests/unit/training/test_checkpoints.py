import resource

import numpy as np
import pytest

from bandpress.errors import ModelError
from bandpress.training.checkpoints import Checkpoints


def test_a_state_survives(tmp_path):
    kept = Checkpoints(tmp_path / "t", {"seed": 1, "lambda": (1e-4,)}, resume=False)
    kept.save("last", {"variable/0": np.arange(3.0)})
    again = Checkpoints(tmp_path / "t", {"seed": 1, "lambda": [1e-4]}, resume=True)
    np.testing.assert_array_equal(again.load("last")["variable/0"], [0, 1, 2])
    assert again.load("best") is None


def test_a_full_disk_leaves_the_state_before(tmp_path):
    kept = Checkpoints(tmp_path / "t", {}, resume=False)
    kept.save("last", {"a": np.zeros(3)})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(
            ModelError, match=r"last.npz: File too large while writing 8\d+ bytes; expected disk space"
        ):
            kept.save("last", {"a": np.ones(10_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    np.testing.assert_array_equal(kept.load("last")["a"], 0)
    assert sorted(p.name for p in (tmp_path / "t").iterdir()) == ["last.npz", "settings.json"]


def test_another_training_is_not_resumed(tmp_path):
    Checkpoints(tmp_path / "t", {"seed": 1}, resume=False).save("last", {})
    with pytest.raises(ModelError, match="started with seed = 1; found 2 now"):
        Checkpoints(tmp_path / "t", {"seed": 2}, resume=True)
    assert (tmp_path / "t" / "last.npz").exists()


def test_a_training_from_before_precisions_had_names_is_resumed_in_float32(tmp_path):
    before = {"settings": {"seed": 1, "bfloat16": False}}
    for name, precision in (("t", "float32"), ("u", "mixed")):
        Checkpoints(tmp_path / name, before, resume=False).save("last", {})
        now = {"settings": {"seed": 1, "precision": precision}}
        if precision == "float32":
            assert Checkpoints(tmp_path / name, now, resume=True).load("last") == {}
        else:
            with pytest.raises(ModelError, match="started with settings"):
                Checkpoints(tmp_path / name, now, resume=True)


def test_an_unfinished_training_is_not_lost_by_mistake(tmp_path):
    Checkpoints(tmp_path / "t", {}, resume=False).save("last", {})
    with pytest.raises(ModelError, match="did not finish; expected --resume or --restart"):
        Checkpoints(tmp_path / "t", {}, resume=False)
    assert Checkpoints(tmp_path / "t", {}, resume=True).load("last") == {}
    assert Checkpoints(tmp_path / "t", {}, resume=False, restart=True).load("last") is None


def test_a_finished_training_keeps_its_best_weights(tmp_path):
    kept = Checkpoints(tmp_path / "t", {"seed": 1}, resume=False)
    for name in ("best", "last"):
        kept.save(name, {"a": np.arange(3.0)})
    kept.finish(70)
    assert not (tmp_path / "t" / "last.npz").exists()
    again = Checkpoints(tmp_path / "t", {"seed": 1}, resume=True)
    assert again.finished == 70
    np.testing.assert_array_equal(again.load("best")["a"], [0, 1, 2])
    for asked in ({"seed": 2}, {"seed": 1}):
        anew = Checkpoints(tmp_path / "t", asked, resume=asked["seed"] == 2)
        assert (anew.finished, anew.load("best")) == (None, None)


def test_a_damaged_state_is_refused(tmp_path):
    kept = Checkpoints(tmp_path / "t", {}, resume=False)
    kept.save("last", {"a": np.zeros(300)})
    path = tmp_path / "t" / "last.npz"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ModelError, match=r"last.npz: cannot be read"):
        kept.load("last")


def test_the_log_forgets_what_will_be_written_again(tmp_path):
    kept = Checkpoints(tmp_path / "t", {}, resume=False)
    for step in (0, 10, 20):
        kept.note({"step": step, "seconds": 1.5})
    kept.forget_after(10)
    kept.note({"step": 15, "seconds": 2})
    lines = kept.log.read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["step", "0", "10", "15"]
