import numpy as np
import pytest

from bandpress.evaluation.structural import ms_ssim, ssim

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize("shape", [(176, 176), (181, 203)])
@pytest.mark.parametrize("peak", [65535.0, 4000.0])
def test_ssim_and_ms_ssim_agree_with_tensorflow(shape, peak):
    tf = pytest.importorskip("tensorflow")
    random = np.random.default_rng(0)
    x = np.cumsum(random.integers(0, 40, shape), axis=1).astype(np.float64)
    y = x + random.integers(-300, 301, shape)
    # float32 there, float64 here: their variances lose digits in a difference of squares
    theirs = [v.astype(np.float32)[..., None] for v in (x, y)]
    assert ssim(x, y, [peak])[0] == pytest.approx(float(tf.image.ssim(*theirs, peak)), abs=2e-4)
    assert ms_ssim(x, y, [peak])[0] == pytest.approx(float(tf.image.ssim_multiscale(*theirs, peak)), abs=2e-4)
    assert ms_ssim(x, y, [peak])[0] < 0.9999
