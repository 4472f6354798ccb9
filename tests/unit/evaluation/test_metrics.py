"""Every metric against an implementation that somebody else wrote, and the traps between them."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from scipy.spatial.distance import cosine

from bandpress import Scene
from bandpress.clusters import Cluster, split
from bandpress.errors import SceneError
from bandpress.evaluation.metrics import measure, write_bands
from bandpress.evaluation.structural import ms_ssim
from bandpress.psnr import psnr
from peak import PEAK

skimage_metrics = pytest.importorskip("skimage.metrics", reason="scikit-image is not installed")


def pair(dtype="<u2", shape=(7, 24, 31), noise=40, seed=0):
    random = np.random.default_rng(seed)
    smooth = np.cumsum(random.integers(0, 60, shape), axis=-1) + 500
    other = smooth + random.integers(-noise, noise + 1, shape)
    return Scene(smooth.astype(dtype), name="a"), Scene(other.astype(dtype), name="b")


@pytest.fixture(params=["<u2", ">u2", "<i2", ">i2"])
def scenes(request):
    return pair(request.param)


def test_errors_agree_with_scikit_image(scenes):
    a, b = scenes
    x, y = a.cube.astype(float), b.cube.astype(float)
    found = measure(a, b)
    assert found["mse"] == pytest.approx(skimage_metrics.mean_squared_error(x, y), rel=1e-12)
    assert found["psnr"] == pytest.approx(skimage_metrics.peak_signal_noise_ratio(x, y, data_range=65535))
    own = x.max() - x.min()
    assert found["psnr_range"] == pytest.approx(skimage_metrics.peak_signal_noise_ratio(x, y, data_range=own))
    nrmse = skimage_metrics.normalized_root_mse(x, y, normalization="euclidean")
    assert found["snr"] == pytest.approx(-20 * math.log10(nrmse))
    assert found["snr_variance"] == pytest.approx(10 * math.log10(x.var() / found["mse"]))
    assert found["mae"] == pytest.approx(np.abs(x - y).mean(), rel=1e-12)
    assert found["pae"] == np.abs(x - y).max()
    bands = [skimage_metrics.mean_squared_error(p, q) for p, q in zip(x, y, strict=True)]
    assert found["mse_per_band"] == pytest.approx(bands, rel=1e-12)


def test_ssim_agrees_with_scikit_image(scenes):
    a, b = scenes
    span = float(a.cube.max()) - float(a.cube.min())
    found = measure(a, b)
    for key, peak in (("ssim", 65535), ("ssim_range", span)):
        expected = [
            skimage_metrics.structural_similarity(
                p.astype(float),
                q.astype(float),
                data_range=peak,
                gaussian_weights=True,
                sigma=1.5,
                use_sample_covariance=False,
            )
            for p, q in zip(a.cube, b.cube, strict=True)
        ]
        assert found[key] == pytest.approx(np.mean(expected), abs=1e-9)


def test_spectral_angles_agree_with_spectral_and_scipy(scenes):
    a, b = scenes
    spectral = pytest.importorskip("spectral", reason="spectral is not installed")
    x, y = (np.moveaxis(s.cube.astype(float), 0, -1).reshape(-1, s.bands) for s in (a, b))
    unit = y / np.linalg.norm(y, axis=1, keepdims=True)
    theirs = np.array(
        [spectral.spectral_angles(p[None, None], q[None])[0, 0, 0] for p, q in zip(x, unit, strict=True)]
    )
    found = measure(a, b)
    assert found["sam_mean"] == pytest.approx(np.degrees(theirs.mean()), rel=1e-6)
    assert found["sam_p95"] == pytest.approx(np.degrees(np.percentile(theirs, 95)), rel=1e-6)
    by_scipy = np.arccos([1 - cosine(p, q) for p, q in zip(x, y, strict=True)])
    assert found["sam_mean"] == pytest.approx(np.degrees(by_scipy.mean()), rel=1e-6)


def test_small_and_zero_angles_are_exact():
    x = np.zeros((2, 1, 5), np.uint16)
    y = x.copy()
    x[:, 0, 0], y[:, 0, 0] = (60000, 0), (60000, 1)  # a needle: arctan(1 / 60,000)
    x[:, 0, 1], y[:, 0, 1] = (3, 4), (6, 8)  # parallel
    x[:, 0, 2], y[:, 0, 2] = (7, 0), (0, 7)  # a right angle
    x[:, 0, 3], y[:, 0, 3] = (0, 0), (1, 0)  # undefined: counted as a right angle
    expected = [math.degrees(math.atan(1 / 60000)), 0, 90, 90, 0]
    assert measure(Scene(x), Scene(y))["sam_mean"] == pytest.approx(np.mean(expected), rel=1e-12)
    needle = measure(Scene(x[:, :, :1]), Scene(y[:, :, :1]))["sam_mean"]
    assert needle == pytest.approx(expected[0], rel=1e-9)


def test_ms_ssim_is_the_product_of_scikit_images_scales():
    """With one scale after the other from scikit-image's full maps, whose last scale is plain SSIM."""
    a, b = pair(shape=(1, 176, 192), noise=300)
    x, y = a.cube[0].astype(float), b.cube[0].astype(float)
    weights = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
    expected, size = 1.0, 5
    for i, weight in enumerate(weights):
        if i:
            x, y = (v.reshape(v.shape[0] // 2, 2, v.shape[1] // 2, 2).mean((1, 3)) for v in (x, y))
        arguments = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
        if i == len(weights) - 1:
            value = skimage_metrics.structural_similarity(x, y, data_range=4000, **arguments)
        else:
            # luminance off: scikit-image's map over its own luminance term
            _, full = skimage_metrics.structural_similarity(x, y, data_range=4000, full=True, **arguments)
            from skimage.filters import gaussian

            mx, my = (gaussian(v, 1.5, truncate=3.5, mode="reflect") for v in (x, y))
            c1 = (0.01 * 4000) ** 2
            full = full / ((2 * mx * my + c1) / (mx**2 + my**2 + c1))
            value = full[size:-size, size:-size].mean()
        expected *= value**weight
    x, y = a.cube[0].astype(float), b.cube[0].astype(float)
    assert ms_ssim(x, y, [4000]) == [pytest.approx(expected, rel=1e-9)]


def test_poolings_differ_where_bands_differ_in_error():
    """Nine bands nearly exact, one far off: the mean of PSNRs hides it, the pooled MSE does not."""
    x = np.full((10, 20, 20), 1000, np.uint16)
    y = x + 1
    y[9] = 1100
    found = measure(Scene(x), Scene(y), split(10, 1))
    assert found["psnr"] == pytest.approx(psnr((9 * 1 + 100**2) / 10))
    assert found["psnr_cluster_mean"] == pytest.approx((9 * psnr(1) + psnr(100**2)) / 10)
    assert found["psnr_cluster_mean"] - found["psnr"] > 5
    assert found["psnr_cluster_mean"] - found["psnr"] == pytest.approx(26, abs=0.1)


def test_the_poolings_agree_for_one_cluster_of_all_bands():
    a, b = pair()
    found = measure(a, b, [Cluster(0, a.bands)])
    assert found["psnr_cluster_mean"] == pytest.approx(found["psnr"])
    assert found["psnr_range_cluster_mean"] == pytest.approx(found["psnr_range"])


def test_a_short_last_cluster_weighs_by_its_bands_in_the_pooled_mse_only():
    a, b = pair()
    found = measure(a, b, split(7, 3))
    bands = np.array(found["mse_per_band"])
    assert found["mse"] == pytest.approx(bands.mean())
    expected = np.mean([psnr(bands[:3].mean()), psnr(bands[3:6].mean()), psnr(bands[6])])
    assert found["psnr_cluster_mean"] == pytest.approx(expected)


def test_an_exact_reconstruction_has_no_error_and_infinite_psnr():
    a, _ = pair()
    found = measure(a, a)
    assert (found["mse"], found["mae"], found["pae"], found["sam_mean"]) == (0, 0, 0, 0)
    assert found["psnr"] == found["snr"] == found["psnr_cluster_mean"] == math.inf
    assert found["ssim"] == pytest.approx(1, abs=1e-12)


def test_unsigned_samples_do_not_wrap_around():
    zero, one = (Scene(np.full((1, 12, 12), v, np.uint16)) for v in (0, 1))
    assert measure(zero, one)["mae"] == measure(one, zero)["mae"] == 1
    low, high = (Scene(np.full((1, 12, 12), v, np.int16)) for v in (-32768, 32767))
    assert measure(low, high)["pae"] == 65535


def test_threads_do_not_change_a_bit():
    a, b = pair(shape=(13, 20, 20))
    assert measure(a, b, threads=1) == measure(a, b, threads=5)


def test_a_scene_too_small_for_a_window_has_no_ssim():
    found = measure(*pair(shape=(3, 10, 40)), multiscale=True)
    assert found["ssim"] is None
    assert found["ms_ssim"] is None
    assert np.isfinite(found["psnr"])


def test_a_reconstruction_of_another_shape_is_refused():
    a, _ = pair()
    with pytest.raises(
        SceneError, match=r"scene a: the reconstruction has shape \(6, 24, 31\); expected \(7, 24, 31\)"
    ):
        measure(a, a.crop(slice(6)))


def test_a_constant_scene_is_measured():
    x = Scene(np.full((2, 12, 12), 5, np.uint16))
    y = Scene(np.full((2, 12, 12), 6, np.uint16))
    found = measure(x, y)
    assert found["psnr"] == pytest.approx(20 * math.log10(65535))
    assert found["psnr_range"] == -math.inf
    assert found["ssim_range"] == pytest.approx((2 * 5 * 6 + 1e-4) / (5**2 + 6**2 + 1e-4))  # of a peak of 1


def test_bands_are_counted_from_one(tmp_path):
    write_bands(tmp_path / "p.bands.csv", [4.0, 0.0], (400.5, 410))
    assert (tmp_path / "p.bands.csv").read_text().splitlines() == [
        "band,wavelength_nm,mse,psnr",
        f"1,400.5,4.0,{psnr(4)!r}",
        "2,410,0.0,inf",
    ]


@pytest.mark.slow
def test_an_aviris_scene_is_measured_in_30_s_of_processor_and_1_5_gb(tmp_path):
    program = f"""
import time, numpy as np
from bandpress import Scene
from bandpress.evaluation.metrics import measure
random = np.random.default_rng(0)
cubes = [np.memmap(r"{tmp_path}/" + n, "<u2", "w+", shape=(224, 512, 680)) for n in "ab"]
for i in range(224):
    cubes[0][i] = random.integers(0, 6000, (512, 680))
    cubes[1][i] = cubes[0][i] + random.integers(0, 20, (512, 680), dtype=np.uint16)
start = time.process_time()
measure(*map(Scene, cubes))
seconds = time.process_time() - start
{PEAK}
print(seconds, peak / 1e9)
"""
    source = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=source
    )
    seconds, gigabytes = map(float, run.stdout.split())
    assert seconds <= 30  # whatever else the machine does
    assert gigabytes <= 1.5
