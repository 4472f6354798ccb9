"""The public functions."""

import numpy as np
import pytest

import bandpress
from bandpress import BandpressError, Scene
from bandpress.codecs.defaults import chosen


@pytest.fixture
def cube():
    return np.random.default_rng(5).integers(0, 4000, (6, 20, 24)).astype("uint16")


@pytest.mark.parametrize(("interleave", "axes"), [("bsq", (0, 1, 2)), ("bil", (1, 0, 2)), ("bip", (1, 2, 0))])
def test_arrays_of_every_order_come_back_as_bands_lines_samples(cube, interleave, axes):
    packed = bandpress.compress(cube.transpose(axes), interleave=interleave)
    assert np.array_equal(bandpress.decompress(packed).cube, cube)


def test_an_array_without_the_order_of_its_axes_is_refused(cube):
    with pytest.raises(BandpressError, match=r"shape \(6, 20, 24\).*expected .*'bsq'"):
        bandpress.compress(cube)


def test_a_masked_array_is_coded_as_its_samples_or_refused_if_some_are_masked(cube):
    unmasked = np.ma.masked_array(cube, mask=False)
    assert bandpress.compress(unmasked, interleave="bsq", rate=1.5) == bandpress.compress(
        Scene(cube), rate=1.5
    )
    some = np.ma.masked_less(cube, 9)
    with pytest.raises(BandpressError, match=rf"{some.mask.sum()} masked samples.*expected .*filled"):
        bandpress.compress(some, interleave="bsq", codec="jpeg2000", lossless=True)


def test_bytes_are_those_of_the_file(cube, tmp_path):
    made = bandpress.compress(cube, tmp_path / "scene.bpk", interleave="bsq")
    assert made.read_bytes() == bandpress.compress(cube, interleave="bsq")


def test_a_codec_with_its_options_and_options_beside_it_are_refused(cube):
    codec = bandpress.make_codec("jpeg2000", rate=1.0)
    assert np.prod(bandpress.decompress(bandpress.compress(Scene(cube), codec=codec)).cube.shape) == cube.size
    with pytest.raises(BandpressError, match="rate given with a codec"):
        bandpress.compress(Scene(cube), codec=codec, rate=2.0)


def test_lost_bands_are_named_in_a_warning(cube, tmp_path):
    file = bandpress.compress(cube, tmp_path / "scene.bpk", interleave="bsq", codec="jpeg2000", lossless=True)
    damaged = bytearray(file.read_bytes())
    damaged[-40] ^= 1  # in the last chunk, before the digest
    with pytest.raises(BandpressError, match=r"damaged|checksum"):
        bandpress.decompress(bytes(damaged))
    with pytest.warns(UserWarning, match="bands 6-6 are lost"):
        scene = bandpress.decompress(bytes(damaged), salvage=True)
    assert np.array_equal(scene.cube[:5], cube[:5])


def test_compare_takes_arrays_scenes_and_files(cube, tmp_path):
    file = bandpress.compress(cube, tmp_path / "scene.bpk", interleave="bsq")
    assert bandpress.compare(Scene(cube), file)["mse"] == 0
    assert bandpress.compare(cube, cube + np.uint16(1), interleave="bsq")["mae"] == 1


@pytest.mark.parametrize(
    ("codec", "options", "name"),
    [
        (None, {}, "lossless"),
        (None, {"lossless": True}, "lossless"),
        (None, {"rate": 0.2}, "wavelet-learned"),
        ("jpeg2000", {"rate": 0.2}, "jpeg2000"),
        (None, {"model": "contexts", "rate": 1.0}, "wavelet-learned"),
    ],
)
def test_the_target_chooses_the_codec_where_none_is_named(codec, options, name):
    taken, given = chosen(codec, options)
    assert name in (taken, given.get("model")) or given.get(name) is True
    assert options.items() <= given.items()
