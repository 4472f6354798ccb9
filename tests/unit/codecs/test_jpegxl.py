import numpy as np
import pytest

from baseline_scenes import smooth_scene

pytest.importorskip("imagecodecs", reason="JPEG XL needs imagecodecs")

from bandpress import Scene
from bandpress.codecs import make_codec
from bandpress.coding import compress, decompress, rate
from bandpress.errors import CodecError


@pytest.mark.parametrize("dtype", ["<u2", ">u2", "<i2", "|u1"])
def test_lossless(tmp_path, dtype):
    rng = np.random.default_rng(0)
    limits = np.iinfo(dtype)
    scene = Scene(rng.integers(limits.min, limits.max + 1, (3, 20, 30)).astype(dtype))
    compress(scene, tmp_path / "s.bpk", make_codec("jpegxl", lossless=True))
    back = decompress(tmp_path / "s.bpk").scene
    assert back.dtype == scene.dtype
    assert np.array_equal(back.cube, scene.cube)


@pytest.mark.parametrize("target", [0.8, 2.0, 5.0])
def test_the_target_rate_is_met_within_2_percent(tmp_path, target):
    scene = smooth_scene(bands=6, lines=96, samples=96)
    compress(scene, tmp_path / "s.bpk", make_codec("jpegxl", rate=target, effort=3))
    back = decompress(tmp_path / "s.bpk").scene
    assert rate(tmp_path / "s.bpk", scene.cube.shape) == pytest.approx(target, rel=0.02)
    assert np.sqrt(np.mean((back.cube.astype(float) - scene.cube) ** 2)) < 0.4 * scene.cube.std()


def test_a_rate_below_the_headers_is_refused(tmp_path):
    with pytest.raises(CodecError, match=r"were reached with jpegxl where 0\.01"):
        compress(smooth_scene(bands=2), tmp_path / "s.bpk", make_codec("jpegxl", rate=0.01, effort=3))
    assert not list(tmp_path.iterdir())
