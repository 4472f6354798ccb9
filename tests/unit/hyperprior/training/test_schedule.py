import pytest

from bandpress.errors import ModelError
from bandpress.hyperprior.training.schedule import Settings, learning_rate
from bandpress.training.budget import Budget


def test_the_learning_rate_rises_and_falls():
    settings = Settings((1e-4,), learning_rate=1e-3, warm_up=0.1, final=0.01)
    rates = [learning_rate(settings, i / 100) for i in range(101)]
    assert rates.index(max(rates)) == 10
    assert max(rates) == pytest.approx(1e-3)
    assert rates[-1] == pytest.approx(1e-5)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert learning_rate(settings, 1.5) == pytest.approx(1e-5)


def test_steps_or_the_clock_end_a_training_whichever_comes_first():
    now = [0.0]
    budget = Budget(Settings((1e-4,), steps=100, minutes=1), lambda: now[0])
    assert budget.done(50) == 0.5
    now[0] = 45
    assert budget.done(50) == 0.75
    assert budget.left(50, per_step=0.1) == pytest.approx(5)
    assert budget.left(50, per_step=10) == pytest.approx(15)
    resumed = Budget(Settings((1e-4,), steps=None, minutes=1), lambda: now[0], spent=30)
    assert resumed.done(10**6) == 0.5


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"lambdas": ()}, "lambdas"),
        ({"lambdas": (1e-4, 1e-5)}, "lowest first"),
        ({"lambdas": (float("nan"),)}, "lambdas"),
        ({"patch": 50}, "patch is 50; expected a multiple of 16"),
        ({"steps": 0}, "steps is 0"),
        ({"steps": None}, "neither steps nor minutes"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"precision": "bfloat16"}, "precision is 'bfloat16'; expected one of float32, mixed"),
    ],
)
def test_settings_out_of_range_are_refused(fields, said):
    with pytest.raises(ModelError, match=said):
        Settings(**({"lambdas": (1e-4,)} | fields))
