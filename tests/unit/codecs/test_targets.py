"""The search for a step: few trials, whatever the shape of the curve of rate over step."""

import math

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from bandpress import Scene
from bandpress.codecs.budgets import MOST_EXCESS
from bandpress.codecs.ratecontrol import PointTrial, _among_models
from bandpress.codecs.targets import CLOSE, FIRST_STEP, Trial, meet_by_slope, search, strips
from bandpress.container.bitstream import Header, overhead

#: Steps in DN and rates of a synthesised scene: below twice its noise, the rate grows seven times within a third.
STEPS = 1000, 100, 60, 40, 30, 28, 27, 26, 25, 24, 22, 20, 15, 10, 5.7, 1
RATES = (
    0.01,
    0.051,
    0.075,
    0.105,
    0.124,
    0.154,
    0.211,
    0.271,
    0.325,
    0.385,
    0.527,
    0.798,
    1.72,
    2.37,
    3.25,
    6.5,
)
KNEE = PchipInterpolator(np.log(STEPS)[::-1], np.log(RATES)[::-1])


def rate(step):
    return math.exp(float(KNEE(math.log(step))))


@pytest.mark.parametrize("target", [0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0])
def test_a_rate_on_a_curve_with_a_knee_is_met_in_few_trials(target):
    steps = []
    found, slope = meet_by_slope(lambda step: steps.append(step) or step, rate, "rate", target, FIRST_STEP)
    assert abs(math.log(rate(found) / target)) <= CLOSE["rate"]
    assert len(steps) <= 10
    assert slope < 0


@pytest.mark.parametrize("bias", [0.93, 1.0, 1.07])
@pytest.mark.parametrize("target", [0.1, 0.3, 1.0])
def test_a_large_scene_is_coded_until_its_rate_is_close(target, bias):
    """A part of it stands for the scene, though all its rates are some percent too high or too low."""
    header = Header(
        scene="s",
        codec="wavelet-learned",
        bands=10,
        lines=1000,
        samples=1000,
        dtype="<u2",
        bands_per_cluster="all",
    )
    samples, whole = 10**7, []

    def trial(step, share=1.0):
        length = rate(step) * share * samples / 8 - overhead(header)
        return Trial(step, [bytes(round(length))], 0.0, samples)

    found = search(
        lambda step: whole.append(step) or trial(step), lambda step: trial(step, bias), header, target, None
    )
    got = 8 * (len(found.chunks[0]) + overhead(header)) / samples
    assert len(whole) <= (2 if bias == 1 else 3)
    assert 1 / (1 + MOST_EXCESS) <= got / target <= 1 + MOST_EXCESS


def test_strips_are_spread_over_the_scene():
    """An eighth of the lines, as much from each eighth of the scene; of a small scene, all."""
    lines = np.arange(2048, dtype="<u2")
    found = strips(Scene(lines.repeat(3).reshape(1, 2048, 3))).cube[0, :, 0]
    assert (np.bincount(found // 256, minlength=8) == 32).all()
    assert strips(Scene(lines[:20].reshape(1, 20, 1))).cube.size == 20


@pytest.mark.parametrize("bias", [0.4, 1.0, 2.5])
@pytest.mark.parametrize(("kind", "target", "expected"), [("rate", 0.5, 2), ("psnr", 0.5, 3)])
def test_the_file_decides_among_models_where_the_sample_errs(kind, target, expected, bias):
    """The highest rate that does not exceed the target, the lowest quality that reaches it."""
    values = dict(zip("abcde", (0.1, 0.2, 0.4, 0.8, 1.6), strict=True))

    def trial(share):
        return lambda point: PointTrial(point, [], share * values[point.model])

    found = _among_models("abcde", kind, target, trial(bias), trial(1.0))
    assert found.point.model == "abcde"[expected]
