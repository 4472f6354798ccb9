"""Every writer gives back what it was given."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bandpress import Scene, read_scene, write_scene

SIXTEEN = ["|u1", "<u2", ">u2", "<i2", ">i2"]
OTHERS = ["<i4", ">i4", "<f4", ">f4", "<f8", ">f8", "<i8", ">i8"]
WRITERS = {
    "gici": ("s.raw", ["|b1", *SIXTEEN, *OTHERS], ""),
    "ccsds": ("s-{kind}{bits}{order}-{b}x{l}x{s}.raw", [*SIXTEEN, "<i4", ">u4", ">i8"], ""),
    "envi-bsq": ("s.hdr", [*SIXTEEN, *OTHERS, ">u4", "<u8"], "spectral"),
    "envi-bil": ("s.bil", [*SIXTEEN, *OTHERS], "spectral"),
    "envi-bip": ("s.bip", [*SIXTEEN, *OTHERS], "spectral"),
    "npy": ("s.npy", ["|b1", *SIXTEEN, *OTHERS], ""),
    "npy-bsq": ("s.npy", SIXTEEN, ""),
    "npz": ("s.npz", ["|b1", *SIXTEEN, *OTHERS], ""),
    "matlab": ("s.mat", ["|b1", *SIXTEEN, *OTHERS], ""),
    "geotiff": ("s.tif", [*SIXTEEN, *OTHERS], "rasterio"),
}
#: Library's text formats hold finite numbers; any of them must come back bit by bit.
NUMBERS = st.floats(0.01, 1e6, allow_nan=False)
TEXTS = st.text("abcXYZ019 _-+.:/", min_size=1, max_size=12).filter(lambda t: t == t.strip())


def same(one: Scene, two: Scene) -> None:
    """Refuse two scenes that differ in anything but the order of their samples in memory."""
    assert one.dtype.str == two.dtype.str
    assert one.cube.shape == two.cube.shape
    assert np.ascontiguousarray(one.cube).tobytes() == np.ascontiguousarray(two.cube).tobytes()
    assert replace(one, cube=one.cube).__dict__ | {"cube": None} == two.__dict__ | {"cube": None}


@st.composite
def scenes(draw, dtypes, most_bands=12):
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    bands, lines, samples = draw(st.tuples(st.integers(1, most_bands), st.integers(1, 5), st.integers(1, 5)))
    cube = draw(hnp.arrays(dtype, (bands, lines, samples), fill=st.nothing() if bands < 4 else None))
    per_band = {"min_size": bands, "max_size": bands}
    return Scene(
        cube,
        name="s",
        wavelengths=draw(st.none() | st.lists(NUMBERS, **per_band).map(tuple)),
        fwhm=draw(st.none() | st.lists(NUMBERS, **per_band).map(tuple)),
        bad_bands=draw(st.none() | st.lists(st.booleans(), **per_band).map(tuple)),
        sensor=draw(st.none() | st.just("AVIRIS")),
        nodata=draw(st.none() | st.sampled_from([0.0, -9999.0, 0.5, 65535.0])),
        metadata=draw(
            st.dictionaries(
                st.sampled_from(["map info", "note", "Mixed Case", "x"]),
                TEXTS | st.lists(TEXTS, min_size=1, max_size=3) | st.integers() | st.just("{a, b}"),
            )
        ),
    )


def target(pattern: str, scene: Scene) -> str:
    kind = "s" if scene.dtype.kind == "i" else "u"
    order = "be" if scene.dtype.str[0] == ">" else "le"
    b, lines, s = scene.cube.shape
    return pattern.format(kind=kind, bits=8 * scene.dtype.itemsize, order=order, b=b, l=lines, s=s)


@pytest.mark.parametrize("writer", WRITERS)
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_round_trip(tmp_path_factory, writer, data):
    pattern, dtypes, package = WRITERS[writer]
    if package:
        pytest.importorskip(package)
    scene = data.draw(scenes(dtypes))
    interleave = writer.partition("-")[2] or None
    path = write_scene(scene, tmp_path_factory.mktemp("w") / target(pattern, scene), interleave=interleave)
    back = read_scene(path, interleave="bsq" if writer == "npy-bsq" else None)
    same(scene, back)
    assert not [p for p in path.parent.iterdir() if ".part" in p.name]


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("bands", [1, 2, 7, 224, 300])
@pytest.mark.parametrize("dtype", [">u2", "<i2"])
def test_round_trip_of_many_bands(tmp_path, writer, bands, dtype):
    pattern, _, package = WRITERS[writer]
    if package:
        pytest.importorskip(package)
    cube = np.random.default_rng(bands).integers(-32768, 32767, (bands, 5, 3)).astype(dtype)
    scene = Scene(cube, name="s", wavelengths=tuple(np.linspace(400, 2500, bands).tolist()))
    interleave = writer.partition("-")[2] or None
    path = write_scene(scene, tmp_path / target(pattern, scene), interleave=interleave)
    same(scene, read_scene(path, interleave="bsq" if writer == "npy-bsq" else None))
