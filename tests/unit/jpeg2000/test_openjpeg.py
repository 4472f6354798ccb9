"""Codestreams: exact without loss, whole again after their headers were dropped, readable by other programs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("glymur", reason="JPEG 2000 needs glymur")

from bandpress.errors import CodecError
from bandpress.jpeg2000 import openjpeg
from bandpress.jpeg2000.codestream import Layout


def components(count, lines, samples, bits, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (count, lines, samples)).astype(np.int32)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 5),
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(0, 5),
    st.integers(2, 22),
    st.integers(0, 99),
)
def test_lossless_is_exact(count, lines, samples, levels, bits, seed):
    given_ = components(count, lines, samples, bits, seed)
    levels = min(levels, min(lines, samples).bit_length() - 1)
    widths = [min(bits + i, openjpeg.MOST_BITS) for i in range(count)]
    layout = Layout(lines, samples, levels, reversible=True)
    packets = layout.split(widths, openjpeg.encode(list(given_), widths, levels=levels))
    assert np.array_equal(openjpeg.decode(layout.join(widths, b"".join(packets))), given_)


@pytest.mark.parametrize("levels", range(9))
@pytest.mark.parametrize("reversible", [True, False])
def test_headers_are_rebuilt_as_openjpeg_wrote_them(levels, reversible):
    given_ = components(3, 256, 270, 12)
    widths = [12, 15, 12]
    layout = Layout(256, 270, levels, reversible)
    size = None if reversible else 900
    codestream = openjpeg.encode(list(given_), widths, levels=levels, size=size)
    packets = layout.split(widths, codestream)
    assert len(packets) == 3
    rebuilt = layout.join(widths, b"".join(packets))
    assert len(rebuilt) < len(codestream)
    assert np.array_equal(openjpeg.decode(rebuilt), openjpeg.decode(codestream))


def test_components_stand_alone_and_more_than_256_are_taken():
    given_ = components(300, 9, 8, 9)
    widths = [9 + i % 4 for i in range(300)]
    layout = Layout(9, 8, 1, reversible=True)
    packets = layout.split(widths, openjpeg.encode(list(given_), widths, levels=1, threads=2))
    for i in (0, 7, 255, 256, 299):
        assert np.array_equal(openjpeg.decode(layout.join(widths[i : i + 1], packets[i]))[0], given_[i])


def test_imagecodecs_reads_a_rebuilt_codestream():
    imagecodecs = pytest.importorskip("imagecodecs", reason="the other reader is imagecodecs")
    given_ = components(1, 33, 20, 14)
    layout = Layout(33, 20, 2, reversible=True)
    packets = layout.split([14], openjpeg.encode(list(given_), [14], levels=2))
    assert np.array_equal(imagecodecs.jpeg2k_decode(layout.join([14], packets[0])), given_[0])


@pytest.mark.parametrize("size", [400, 1000, 4000])
def test_sizes_are_met(size):
    y, x = np.mgrid[:100, :100]
    given_ = np.rint(800 * np.sin(x / 9) * np.cos(y / 5) + components(3, 100, 100, 7)).astype(np.int32)
    layout = Layout(100, 100, 3, reversible=False)
    codestream = openjpeg.encode(list(given_), [12] * 3, levels=3, size=size + layout.overhead([12] * 3))
    assert sum(map(len, layout.split([12] * 3, codestream))) == pytest.approx(size, rel=0.1)


def test_garbage_is_refused():
    with pytest.raises(CodecError, match="cannot decode"):
        openjpeg.decode(b"\xff\x4f" + b"garbage" * 9)
