import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from bandpress.evaluation.bjontegaard import METHODS, Curve, CurveError, bd_psnr, bd_rate, overlap

RATES = np.array([0.1, 0.25, 0.5, 1.0, 2.0])
PSNRS = np.array([40.0, 46.0, 50.5, 54.0, 56.5])
ANCHOR = Curve(RATES, PSNRS, "anchor")


@pytest.mark.parametrize("method", METHODS)
def test_a_tenth_less_rate_everywhere_is_minus_ten_per_cent(method):
    assert bd_rate(ANCHOR, Curve(RATES * 0.9, PSNRS), method) == pytest.approx(-10, abs=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_one_db_more_everywhere_is_one_db(method):
    assert bd_psnr(ANCHOR, Curve(RATES, PSNRS + 1), method) == pytest.approx(1, abs=1e-9)


def test_curves_of_different_length_and_range_agree_with_scipy():
    rates, psnrs = [0.2, 0.4, 1.5], [43.0, 50.0, 57.0]
    a = PchipInterpolator(PSNRS, np.log(RATES))
    b = PchipInterpolator(psnrs, np.log(rates))
    grid = np.linspace(43, 56.5, 200_001)
    expected = (np.exp((b(grid) - a(grid)).mean()) - 1) * 100
    assert bd_rate(ANCHOR, Curve(rates, psnrs)) == pytest.approx(expected, rel=1e-4)
    c, d = PchipInterpolator(np.log(RATES), PSNRS), PchipInterpolator(np.log(rates), psnrs)
    grid = np.linspace(np.log(0.2), np.log(1.5), 200_001)
    assert bd_psnr(ANCHOR, Curve(rates, psnrs)) == pytest.approx((d(grid) - c(grid)).mean(), rel=1e-4)


def test_a_part_of_a_curve_ends_where_it_is_cut():
    part = ANCHOR.between(0.2, 1.0)
    assert part.rates == pytest.approx([0.2, 0.25, 0.5, 1.0])
    whole = PchipInterpolator(np.log10(RATES), PSNRS)
    assert part.psnrs == pytest.approx(whole(np.log10([0.2, 0.25, 0.5, 1.0])))
    assert ANCHOR.between(0.01, 9) == Curve(RATES.tolist(), PSNRS.tolist(), "anchor")
    test = Curve(RATES, PSNRS + np.array([-9, 1, 1, 1, 9]), "test")
    assert bd_psnr(ANCHOR.between(0.25, 1), test.between(0.25, 1)) == pytest.approx(1, abs=1e-9)
    with pytest.raises(CurveError, match="anchor: 0 points"):
        bd_psnr(ANCHOR.between(3, 4), test)


def test_the_order_of_points_does_not_matter():
    back = Curve(RATES[::-1] * 2, PSNRS[::-1] + 1)
    assert bd_rate(ANCHOR, back) == bd_rate(ANCHOR, Curve(RATES * 2, PSNRS + 1))


def test_curves_that_do_not_overlap_are_refused_with_their_ranges():
    far = Curve(RATES, PSNRS + 30, "far")
    with pytest.raises(
        CurveError, match=r"anchor \(40.00 to 56.50 dB\) and far \(70.00 to 86.50 dB\) do not overlap"
    ):
        bd_rate(ANCHOR, far)
    assert bd_psnr(ANCHOR, far) == pytest.approx(30)


def test_curves_that_hardly_overlap_are_refused_with_the_overlap():
    test = Curve([1, 2, 3], [55.0, 60.0, 65.0], "test")
    with pytest.raises(CurveError, match="overlap by 15% of the shorter one; expected at least 25%"):
        bd_rate(ANCHOR, test)
    assert np.isfinite(bd_rate(ANCHOR, test, min_overlap=0.1))


def test_overlap_is_relative_to_the_shorter_range():
    assert overlap([0, 10], [2, 4]) == 1
    assert overlap([0, 10], [8, 12]) == 0.5
    assert overlap([0, 1], [3, 4]) == -2


@pytest.mark.parametrize(
    ("curve", "message"),
    [
        (Curve([1], [50.0], "c"), "c: 1 point; expected at least 2"),
        (Curve([1, 2], [50.0, np.inf], "c"), "c: a rate or a PSNR is not finite"),
        (Curve([1, 2, 3], [50, 49, 51], "c"), "50.00 dB at 1 bps is followed by 49.00 dB at 2 bps"),
    ],
)
def test_invalid_curves_are_refused(curve, message):
    for function in (bd_rate, bd_psnr):
        with pytest.raises(CurveError, match=message):
            function(ANCHOR, curve)
