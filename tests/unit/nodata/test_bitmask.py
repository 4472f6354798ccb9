"""Masks come back bit by bit, cost little, and damage in them is refused."""

import numpy as np
import pytest

from bandpress.errors import BitstreamError
from bandpress.nodata.bitmask import BitMask
from second_mask_decoder import decode

RNG = np.random.default_rng(0)
LINE, SAMPLE = np.mgrid[:61, :43]
BORDER = np.abs(LINE - 30 + 0.4 * SAMPLE) > 20
PLANES = {
    "none": None,
    "nothing": np.zeros((61, 43), bool),
    "everything": np.ones((61, 43), bool),
    "first sample": (LINE == 0) & (SAMPLE == 0),
    "last sample": (LINE == 60) & (SAMPLE == 42),
    "border": BORDER,
    "dead column": SAMPLE == 17,
    "border and dead column": BORDER | (SAMPLE == 17),
    "noise": RNG.random((61, 43)) < 0.5,
    "spots": RNG.random((61, 43)) < 0.01,
    "chequers": (LINE + SAMPLE) % 2 == 0,
}


def packed(planes, shape=(61, 43)):
    data = BitMask.of(planes, shape).pack()
    return data, BitMask.unpack(data, len(planes), shape)


@pytest.mark.parametrize("first", PLANES)
def test_every_plane_comes_back_beside_any_other(first):
    planes = [PLANES[first], *PLANES.values(), PLANES[first]]
    _, mask = packed(planes)
    for band, plane in enumerate(planes):
        found = mask.plane(band)
        if plane is None or not plane.any():
            assert found is None
        else:
            assert np.array_equal(found, plane)
    assert mask.samples == sum(0 if plane is None else int(plane.sum()) for plane in planes)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2)])
def test_planes_of_any_shape_come_back(shape):
    for number in range(min(2 ** (shape[0] * shape[1]), 512)):
        bits = [number >> i & 1 for i in range(shape[0] * shape[1])]
        plane = np.array(bits, bool).reshape(shape)
        found = packed([plane], shape)[1].plane(0)
        assert (not plane.any() and found is None) or np.array_equal(found, plane)


def test_bands_that_share_a_plane_cost_nothing_more():
    one, many = packed([BORDER])[0], packed([BORDER] * 300)[0]
    assert len(many) == len(one)
    assert len(one) < 120
    assert len(packed([None] * 300)[0]) < 10
    # A plane that differs from the first one by a column costs about a column.
    assert len(packed([BORDER, PLANES["border and dead column"]])[0]) < len(one) + 40


def test_a_damaged_mask_is_refused_or_another_mask_and_never_anything_else():
    data, _ = packed([BORDER, None, PLANES["spots"]])
    for place in range(len(data)):
        for flip in (1, 0x80, 0xFF):
            damaged = bytearray(data)
            damaged[place] ^= flip
            try:
                mask = BitMask.unpack(bytes(damaged), 3, (61, 43))
                planes = [mask.plane(band) for band in range(3)]
            except BitstreamError:
                continue
            assert all(plane is None or plane.shape == (61, 43) for plane in planes)


def test_a_truncated_mask_is_refused():
    data, _ = packed([BORDER])
    for length in range(len(data)):
        with pytest.raises(BitstreamError, match="mask"):
            BitMask.unpack(data[:length], 1, (61, 43)).plane(0)


#: What an encoder once wrote for `GOLDEN_PLANES`; masks of files that exist are like this.
GOLDEN_PLANES = [
    None,
    *[(LINE[:7, :9] + 2 * SAMPLE[:7, :9]) % 5 == 0] * 2,
    SAMPLE[:7, :9] > 5,
    LINE[:7, :9] < 1,
]
GOLDEN = (
    "030012000000070000000700000001000000020001000100020001000300006360646164056308c9c204e1330c110000"
    "016363664001000063e064400100"
)


def test_a_mask_that_was_written_once_is_read_by_both_decoders():
    data = bytes.fromhex(GOLDEN)
    mask, other = BitMask.unpack(data, 5, (7, 9)), decode(data, 5, 7, 9)
    for band, plane in enumerate(GOLDEN_PLANES):
        plane = np.zeros((7, 9), bool) if plane is None else plane
        found = mask.plane(band)
        assert np.array_equal(np.zeros((7, 9), bool) if found is None else found, plane)
        assert np.array_equal(other[band], plane)


def test_a_decoder_written_from_the_documentation_gives_the_same():
    planes = [*PLANES.values()]
    data, _ = packed(planes)
    found = decode(data, len(planes), 61, 43)
    for bits, plane in zip(found, planes, strict=True):
        assert np.array_equal(bits, np.zeros((61, 43), bool) if plane is None else plane)
