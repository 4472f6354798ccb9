"""Bjøntegaard differences between two rate-distortion curves.

G. Bjøntegaard, "Calculation of average PSNR differences between RD-curves", VCEG-M33 (2001), with the piecewise
interpolation of Herglotz et al. (2022, arXiv:2202.12565), computed by their package `bjontegaard`. A difference is an
average over the common range of both curves; if that range is empty or short, it is meaningless, and an error gives the
overlap.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from bandpress.errors import BandpressError
from bandpress.optional import require

METHODS = ("pchip", "akima", "cubic")
_FEWEST_POINTS = {"pchip": 2, "akima": 2, "cubic": 4}


class CurveError(BandpressError):
    """Two curves cannot be compared: too few points, not increasing, or no common range."""


@dataclass(frozen=True)
class Curve:
    """A rate-distortion curve.

    Parameters
    ----------
    rates
        Bits per sample, positive.
    psnrs
        PSNR in dB, finite, one per rate.
    name
        Name in errors.
    """

    rates: Sequence[float]
    psnrs: Sequence[float]
    name: str = "curve"

    def sorted(self, method: str) -> tuple[np.ndarray, np.ndarray]:
        """Return rates and PSNRs in order of rate, checked.

        Raises
        ------
        CurveError
            If there are too few points, a value is not usable, or the PSNR does not rise with the rate.
        """
        order = np.argsort(self.rates)
        rates = np.asarray(self.rates, dtype=np.float64)[order]
        psnrs = np.asarray(self.psnrs, dtype=np.float64)[order]
        fewest = _FEWEST_POINTS[method]
        if len(rates) < fewest:
            raise CurveError(
                f"{self.name}: {len(rates)} point{'s' * (len(rates) != 1)}; expected at least {fewest} for a curve"
            )
        if not (np.isfinite(psnrs).all() and np.isfinite(rates).all() and (rates > 0).all()):
            raise CurveError(
                f"{self.name}: a rate or a PSNR is not finite; expected lossy points of positive rate"
            )
        if not ((np.diff(rates) > 0).all() and (np.diff(psnrs) > 0).all()):
            i = int(np.argmax((np.diff(rates) <= 0) | (np.diff(psnrs) <= 0)))
            raise CurveError(
                f"{self.name}: {psnrs[i]:.2f} dB at {rates[i]:.4g} bps is followed by {psnrs[i + 1]:.2f} dB at "
                f"{rates[i + 1]:.4g} bps; expected a PSNR that rises with the rate"
            )
        return rates, psnrs

    def between(self, low: float, high: float) -> "Curve":
        """Return the part of the curve between two rates, whose ends are interpolated if the curve goes beyond them.

        Raises
        ------
        CurveError
            As for `sorted`.
        """
        rates, psnrs = self.sorted("pchip")
        ends = [rate for rate in (low, high) if rates[0] < rate < rates[-1]]
        found = scipy.interpolate.PchipInterpolator(np.log10(rates), psnrs)(np.log10(ends))
        inside = (rates >= low) & (rates <= high)
        kept = sorted({*zip(rates[inside], psnrs[inside], strict=True), *zip(ends, found, strict=True)})
        return Curve([float(rate) for rate, _ in kept], [float(psnr) for _, psnr in kept], self.name)


def overlap(a: Sequence[float] | np.ndarray, b: Sequence[float] | np.ndarray) -> float:
    """Return the length of the common range of two sets of values over the length of the shorter range.

    It is 1 if one range lies within the other, 0 if they only touch, and negative (the gap over the shorter range) if
    not.

    Parameters
    ----------
    a, b
        Values, at least two different ones in each.
    """
    common = min(max(a), max(b)) - max(min(a), min(b))
    return float(common / min(max(a) - min(a), max(b) - min(b)))


def bd_rate(anchor: Curve, test: Curve, method: str = "pchip", min_overlap: float = 0.25) -> float:
    """Return the average rate difference at equal PSNR, in per cent (BD-rate).

    It follows from the mean log10 of the rate ratio over the common range of PSNR (Bjøntegaard, VCEG-M33, 2001).

    Parameters
    ----------
    anchor, test
        Reference and codec under test: rates in bits per sample, PSNR in dB.
    method
        Interpolation of log10 rate over PSNR: ``"pchip"`` or ``"akima"`` (Herglotz et al. 2022), or ``"cubic"``, the
        polynomial of VCEG-M33, for four points or more.
    min_overlap
        Least `overlap` of the ranges of PSNR, 0 to 1.

    Returns
    -------
    float
        Negative if `test` needs less rate.

    Raises
    ------
    CurveError
        If a curve is not usable, or the curves overlap by less than `min_overlap`.
    MissingDependencyError
        If the package `bjontegaard` is not installed.
    """
    return _delta("bd_rate", anchor, test, method, min_overlap)


def bd_psnr(anchor: Curve, test: Curve, method: str = "pchip", min_overlap: float = 0.25) -> float:
    """Return the average PSNR difference at equal rate, in dB (BD-PSNR).

    It is the mean difference over the common range of log10 rate (Bjøntegaard, VCEG-M33, 2001).

    Parameters
    ----------
    anchor, test
        Reference and codec under test: rates in bits per sample, PSNR in dB.
    method
        Interpolation of PSNR over log10 rate, see `bd_rate`.
    min_overlap
        Least `overlap` of the ranges of log10 rate, 0 to 1.

    Returns
    -------
    float
        Positive if `test` is better.

    Raises
    ------
    CurveError, MissingDependencyError
        As for `bd_rate`.
    """
    return _delta("bd_psnr", anchor, test, method, min_overlap)


def _delta(kind: str, anchor: Curve, test: Curve, method: str, min_overlap: float) -> float:
    (anchor_rates, anchor_psnrs), (test_rates, test_psnrs) = anchor.sorted(method), test.sorted(method)
    if kind == "bd_rate":
        _check_overlap(anchor, test, anchor_psnrs, test_psnrs, min_overlap, "PSNR", "dB")
    else:
        _check_overlap(anchor, test, np.log10(anchor_rates), np.log10(test_rates), min_overlap, "rate", "bps")
    curves = (anchor_rates, anchor_psnrs, test_rates, test_psnrs)
    options = {"require_matching_points": False, "min_overlap": 0}
    package = require("bjontegaard", "Bjøntegaard differences", "metrics")
    return float(getattr(package, kind)(*curves, method, **options))


def _check_overlap(
    anchor: Curve, test: Curve, a: np.ndarray, b: np.ndarray, least: float, what: str, unit: str
) -> None:
    share = overlap(a, b)
    if share > 0 and share >= least:
        return

    def show(values: np.ndarray) -> str:
        low, high = (
            (10.0 ** values.min(), 10.0 ** values.max()) if unit == "bps" else (values.min(), values.max())
        )
        return f"{low:.3g} to {high:.3g} {unit}" if unit == "bps" else f"{low:.2f} to {high:.2f} {unit}"

    found = f"overlap by {share:.0%} of the shorter one" if share > 0 else "do not overlap"
    raise CurveError(
        f"the {what} ranges of {anchor.name} ({show(a)}) and {test.name} ({show(b)}) {found}; "
        f"expected at least {least:.0%}"
    )
