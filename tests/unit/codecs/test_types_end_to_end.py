"""int16, uint8 and uint16 scenes of either byte order come back as what they were, through files."""

import numpy as np
import pytest

from bandpress import Scene, make_codec, read_scene, write_scene
from bandpress.coding import compress, decompress
from bandpress.errors import MissingDependencyError

CODECS = [
    ("jpeg2000", {"rate": 2.0}),
    ("jpeg2000", {"lossless": True}),
    ("rklt-jpeg2000", {"rate": 2.0, "bands_per_cluster": 3}),
    ("rklt-jpeg2000", {"lossless": True, "bands_per_cluster": 3}),
    ("bounded", {"lossless": True}),
    ("bounded", {"max_error": 2}),
    ("ccsds123", {"lossless": True}),
    ("ccsds123", {"max_error": 2}),
]


def lively(dtype):
    """A scene with a constant band, a band of zeros, a band at each end of the type, and a no-data value."""
    info = np.iinfo(dtype)
    y, x = np.mgrid[0:24, 0:31]
    noise = np.random.default_rng(0).integers(0, 3, (7, 24, 31))
    cube = (40 + 3 * y + 2 * x + 5 * np.arange(7)[:, None, None] + noise) // (1 if info.max > 255 else 2)
    cube = cube - (100 if info.min < 0 else 0)
    cube[1] = 0
    cube[3] = info.min
    cube[5] = info.max
    cube[0, :4, :4] = info.min
    return Scene(cube.astype(dtype), name="s", nodata=float(info.min))


@pytest.mark.parametrize("dtype", ["|u1", "<u2", ">u2", "<i2", ">i2"])
@pytest.mark.parametrize(("codec", "options"), CODECS)
def test_type_byte_order_sign_and_constant_bands_survive(tmp_path, dtype, codec, options):
    source = write_scene(lively(dtype), tmp_path / "s.raw")
    try:
        compress(read_scene(source), tmp_path / "s.bpk", make_codec(codec, **options))
    except MissingDependencyError as error:
        pytest.skip(str(error))
    (tmp_path / "back").mkdir()
    back = write_scene(decompress(tmp_path / "s.bpk").scene, tmp_path / "back" / "s.raw")
    assert back.name == source.name
    scene, decoded = read_scene(source), read_scene(back)
    assert decoded.nodata == scene.nodata
    if "lossless" in options:
        assert back.read_bytes() == source.read_bytes()
        return
    if "max_error" in options:
        assert np.abs(decoded.cube.astype(int) - scene.cube.astype(int)).max() <= options["max_error"]
        return
    for band in (1, 3, 5):
        assert (decoded.cube[band] == scene.cube[band]).all(), band
    error = decoded.cube[2].astype(int) - scene.cube[2].astype(int)
    assert np.abs(error).max() < 40
