"""Golden streams of JPEG 2000: every decoder reads what was written before, to the bit."""

import pytest

import golden_jpeg2000
from bandpress.coding import decompress
from golden import stream


@pytest.mark.parametrize("name", sorted(golden_jpeg2000.CODECS))
def test_the_decoder_gives_the_golden_samples(name):
    decoded, expected = decompress(stream(name)).scene, golden_jpeg2000.scene()
    assert decoded.dtype == expected.dtype
    assert decoded.cube.tobytes() == expected.cube.tobytes()
    assert decoded.wavelengths == expected.wavelengths
