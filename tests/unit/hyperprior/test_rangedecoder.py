"""The decoder of range coded strings: TFC's integers for what TFC writes, and an end for whatever else there is."""

import time

import numpy as np
import pytest

import golden
import hostile_files
from bandpress.coding import decompress
from bandpress.container.ranges import side_bytes
from bandpress.errors import BitstreamError
from bandpress.hyperprior import store
from bandpress.hyperprior.rangedecoder import Tables

#: Two tables: six integers and the escape, two and the escape.
CDF = np.array(
    [-16, 0, 9, 30000, 40000, 50000, 65000, 65500, 1 << 16, -16, 0, 32768, 65000, 1 << 16], np.int32
)


def escapes_for_ever():
    """A string that is the escape's interval of the first table, then zeros: a code that never has its first one."""
    size = 1 << 32
    return ((size * 65500 >> 16) >> 16).to_bytes(2, "big")


def test_an_escape_that_never_ends_is_refused_at_once():
    started = time.process_time()
    for string in (escapes_for_ever(), escapes_for_ever() + bytes(1000)):
        with pytest.raises(BitstreamError):
            Tables(CDF).decode(string, np.zeros(100, np.int32))
    assert time.process_time() - started < 1


def test_any_bytes_give_integers_or_one_error():
    random = np.random.default_rng(0)
    tables, refused = Tables(CDF), 0
    for _ in range(3000):
        string = random.bytes(int(random.integers(0, 40)))
        try:
            found = tables.decode(string, random.integers(0, 2, 60).astype(np.int32))
            assert np.abs(found).max() < 1 << 30
        except BitstreamError:
            refused += 1
    assert 0 < refused < 3000


@pytest.mark.tensorflow
def test_strings_of_tensorflow_compression_decode_to_its_integers():
    from bandpress.hyperprior.rangecoder import RangeCoder

    random = np.random.default_rng(1)
    coder = RangeCoder(CDF, np.array([-2, 5], np.int32))
    for scale in (0.01, 2, 40, 1e5):
        values = np.rint(random.normal(0, scale, (3, 8, 9, 2))).astype(np.int32)
        indexes = random.integers(0, 2, values.shape).astype(np.int32)
        np.testing.assert_array_equal(coder.decode(coder.encode(values), (8, 9, 2)), values)
        np.testing.assert_array_equal(coder.decode(coder.encode(values, indexes), (8, 9, 2), indexes), values)
    extremes = np.array([(1 << 20), -(1 << 20), 0, 7], np.int32).reshape(1, 1, 2, 2)
    np.testing.assert_array_equal(coder.decode(coder.encode(extremes), (1, 2, 2)), extremes)


@pytest.mark.tensorflow
def test_a_file_whose_hyper_latents_are_an_escape_without_end_is_refused(tmp_path):
    parts = hostile_files.Parts(golden.stream("plain"))
    cdf = store.load(golden.MODELS["plain"]).tables["z/cdf"]
    first = cdf[1 : np.flatnonzero(cdf < 0)[1]]
    z = int(first[-2]).to_bytes(2, "big")
    side = side_bytes(3, np.dtype("i2"))
    chunk = parts.chunks[0][:side] + len(z).to_bytes(4, "little") + z
    path = tmp_path / "endless.bpk"
    path.write_bytes(parts.join(chunks=[chunk, *parts.chunks[1:]]))
    started = time.process_time()
    with pytest.raises(BitstreamError, match="does not end where its integers do"):
        decompress(path, model=golden.MODELS["plain"])
    assert time.process_time() - started < 30
