"""Search for the quantiser step that meets a target, by coding the scene."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, TypeVar

import numpy as np
import scipy  # its submodules load on first use, since that takes a while

from bandpress.codecs.budgets import MOST_EXCESS
from bandpress.container.bitstream import Header, overhead
from bandpress.errors import CodecError
from bandpress.psnr import psnr
from bandpress.scene import Scene
from bandpress.stages import at_stage

T = TypeVar("T")

#: Distance to the target at which a search ends: a ratio of rates, or dB.
CLOSE = {"rate": 0.005, "psnr": 0.02}
#: Largest distance to the target at which a search may end early.
_FAR = {"rate": math.log(1 + MOST_EXCESS), "psnr": 0.1}
#: Most trials of a search.
_TRIALS = 14
#: Trials whose steps differ by less than this (in the logarithm) give the slope.
_NEAR = 0.7
_LEAST, _MOST = math.log(0.25), math.log(65536.0)
#: First step of a search, in DN.
FIRST_STEP = 100.0
#: In scenes of more samples than this, a search starts on one part in so many.
LARGE, SAMPLED = 1 << 23, 8
#: Lines of a strip.
_STRIP = 32
#: Finest and coarsest step of a file.
LEAST_STEP, MOST_STEP = 1e-6, 1e6
#: Largest target of any kind.
_MOST_TARGET = 1e6
#: Slopes to start with: logarithm of the rate, and dB, over the logarithm of the step.
_SLOPE = {"rate": -0.8, "psnr": -20 / math.log(10)}


def one_target(codec: str, **targets: float | None) -> None:
    """Check that exactly one of the targets is given, and that it is positive.

    Raises
    ------
    CodecError
        If none or several are given, or the target is not positive.
    """
    given = {key: value for key, value in targets.items() if value is not None}
    if len(given) != 1:
        raise CodecError(
            f"codec {codec}: {' and '.join(given) or 'no target'} given; expected one of {', '.join(targets)}"
        )
    for key, value in given.items():
        positive(codec, key, value)
    if targets.get("step") is not None and not LEAST_STEP <= given["step"] <= MOST_STEP:
        raise CodecError(f"codec {codec}: step {given['step']:g}; expected {LEAST_STEP:g} to {MOST_STEP:g}")


def positive(codec: str, key: str, value: float) -> None:
    """Reject an option that is not a positive number of ordinary size."""
    if not 0 < value <= _MOST_TARGET:
        raise CodecError(
            f"codec {codec}: {key} {value}; expected a positive number, at most {_MOST_TARGET:g}"
        )


def rounded_step(step: float) -> float:
    """Return a step rounded as in the header."""
    return float(f"{step:.5g}")


def step_of(header: Header) -> float:
    """Return the quantiser step of a file.

    Raises
    ------
    CodecError
        If its header does not hold a valid one.
    """
    step = header.parameters.get("step")
    if not isinstance(step, int | float) or not LEAST_STEP <= step <= MOST_STEP:
        raise CodecError(
            f"scene {header.scene}: step {step!a:.60} in the header; expected {LEAST_STEP:g} to {MOST_STEP:g}"
        )
    return float(step)


def finite_psnr(mse: float) -> float:
    """Return the PSNR in dB, always finite, as a search needs: an MSE of zero counts as 1e-12."""
    return psnr(max(mse, 1e-12))


def meet_by_slope(
    trial: Callable[[float], T],
    value: Callable[[T], float],
    kind: str,
    target: float,
    start: float,
    slope: float | None = None,
    close: float | None = None,
    most: int = _TRIALS,
) -> tuple[T, float]:
    """Return the trial that comes closest to a target, and the slope there.

    If the rate of any trial is within its allowed excess over the target, so is that of the result.

    Parameters
    ----------
    trial
        Returns the result of coding with a step.
    value
        Rate in bits per sample, or PSNR in dB, of a trial; both fall with the step.
    kind
        "rate" or "psnr".
    target
        Wanted value.
    start
        Step to try first.
    slope
        Slope of the logarithm of the rate, or of dB, over the logarithm of the step, if known.
    close
        Distance to the target at which the search ends: a ratio of rates, or dB. Default: that in `CLOSE`.
    most
        Most trials; more are made while every trial is far from the target.

    Returns
    -------
    tuple
        The best trial, as `trial` returned it, and the slope of the trials around it.
    """
    close = CLOSE[kind] if close is None else close
    tried: list[tuple[float, float, T]] = []
    wanted = math.log(target) if kind == "rate" else target

    def distance(one: tuple[float, float, T]) -> tuple[bool, float]:
        return kind == "rate" and one[1] - wanted > math.log(1 + MOST_EXCESS), abs(one[1] - wanted)

    at = math.log(start)
    for number in range(1, _TRIALS + 1):
        at_stage(f"search {number}, step {math.exp(at):.4g}")
        found = trial(math.exp(at))
        tried.append((at, math.log(value(found)) if kind == "rate" else value(found), found))
        exceeds, left = distance(best := min(tried, key=distance))
        if left <= close or (number >= most and not exceeds and left <= _FAR[kind]):
            break
        at = _next(tried, wanted, slope or _SLOPE[kind], 0.0 if slope else 0.3)
        if any(abs(at - x) < 1e-4 for x, _, _ in tried):
            break
    near = [one for one in tried if abs(one[0] - best[0]) < _NEAR]
    if np.ptp([x for x, _, _ in near]) > _NEAR / 10:
        measured = float(np.polyfit([x for x, _, _ in near], [v for _, v, _ in near], 1)[0])
        slope = measured if measured < 0 else slope
    return best[2], slope or _SLOPE[kind]


class Trial(NamedTuple):
    """A scene, or a part of one, as coded with a step.

    Parameters
    ----------
    step
        Quantiser step in DN.
    chunks
        Chunks of its clusters.
    mse
        Mean squared error of its valid samples; 0 if not asked for.
    samples
        Number of its samples.
    """

    step: float
    chunks: list[bytes]
    mse: float
    samples: int


def search(
    trial: Callable[[float], Trial],
    of_part: Callable[[float], Trial] | None,
    header: Header,
    rate: float | None,
    psnr: float | None,
) -> Trial:
    """Return a scene coded with the step that meets a target; search on a representative part first.

    Parameters
    ----------
    trial, of_part
        Code the scene, and a representative part of it, with a step.
    header
        Header of the file.
    rate, psnr
        Target; give one of the two.
    """
    fixed = overhead(header) / (header.bands * header.lines * header.samples)

    def value(found: Trial) -> float:
        if psnr is not None:
            return finite_psnr(found.mse)
        return 8 * (sum(map(len, found.chunks)) / found.samples + fixed)

    kind, target = ("rate", rate) if rate is not None else ("psnr", psnr)
    assert target is not None
    if of_part is None:
        return meet_by_slope(trial, value, kind, target, FIRST_STEP)[0]
    found, slope = meet_by_slope(of_part, value, kind, target, FIRST_STEP, close=4 * CLOSE[kind])
    return meet_by_slope(trial, value, kind, target, found.step, slope, most=2)[0]


def strips(scene: Scene) -> Scene:
    """Return a scene of one line in `SAMPLED`, in strips spread over the scene."""
    count = max(1, scene.lines // (_STRIP * SAMPLED))
    starts = (np.arange(count) + 0.5) * scene.lines / count - _STRIP / 2
    lines = np.concatenate([np.arange(_STRIP) + max(0, int(start)) for start in starts])
    return replace(scene, cube=scene.cube[:, lines[lines < scene.lines]], nodata_mask=None)


def _next(tried: list[tuple[float, float, T]], wanted: float, slope: float, caution: float) -> float:
    """Return the next step to try: between trials on both sides of the target, else beyond the last."""
    fine = [(x, v) for x, v, _ in tried if v >= wanted]
    coarse = [(x, v) for x, v, _ in tried if v < wanted]
    if fine and coarse:
        (x0, v0), (x1, v1) = max(fine), min(coarse)
        part = (_interpolated(tried, wanted) - x0) / (x1 - x0)
        if not 0 < part < 1:
            part = (v0 - wanted) / max(v0 - v1, 1e-9)
        return x0 + (x1 - x0) * min(max(part, 0.05), 0.95)
    # All on one side: from the outermost on, farther each time, since small files do not fall smoothly with the step.
    x, v = max(fine) if fine else min(coarse)
    stride = (wanted - v) / slope * (1 + caution * len(tried))
    least = 0.02 * len(tried) if caution else 0.0
    stride = max(stride, least) if fine else min(stride, -least)
    return min(max(x + min(max(stride, -1.5), 3), _LEAST), _MOST)


def _interpolated(tried: list[tuple[float, float, T]], wanted: float) -> float:
    """Return where a monotone curve through all trials has the wanted value; NaN if they are not monotone."""
    values, steps = zip(*sorted((v, x) for x, v, _ in tried), strict=True)
    if min(np.diff(values)) <= 0 or max(np.diff(steps)) >= 0:
        return math.nan
    return float(scipy.interpolate.PchipInterpolator(values, steps)(wanted))


def one_bound(codec: str, max_error: int | None, lossless: bool) -> int:
    """Check that a bound or lossless coding is given, and return the bound: 0 for lossless.

    Raises
    ------
    CodecError
        If neither is given, both contradict each other, or the bound is not an integer from 0 to 65,535.
    """
    if (max_error is None and not lossless) or (max_error and lossless):
        raise CodecError(
            f"codec {codec}: max_error {max_error} and lossless {lossless} were given; expected one of the two"
        )
    if max_error is not None and (type(max_error) is not int or not 0 <= max_error < 1 << 16):
        raise CodecError(f"codec {codec}: max_error {max_error}; expected an integer from 0 to 65535")
    return max_error or 0
