"""Files of the context codec, damaged or made up: a stated error or samples, in bounded time."""

import hashlib
import json
import struct
import time
import zlib
from contextlib import suppress

import crc32c
import numpy as np
import pytest

import golden_contexts as golden
from bandpress.coding import decompress
from bandpress.container.bitstream import Reader
from bandpress.errors import BandpressError

#: Seconds that no file of 20 to 60 kB may take, on a busy machine.
_LONG = 20.0


def parts_of(path):
    """Header as stored, and chunks."""
    with Reader(path) as reader:
        chunks = [chunk for _, chunk in reader.chunks(reader.clusters)]
        stored = path.read_bytes()[20 : 20 + struct.unpack_from("<I", path.read_bytes(), 12)[0]]
    return stored, chunks


def sealed(path, stored, chunks):
    """A file of these parts whose checksums are right."""
    original = path.read_bytes()
    head = original[:12] + struct.pack("<II", len(stored), len(chunks)) + stored
    head += b"".join(struct.pack("<II", len(chunk), crc32c.crc32c(chunk)) for chunk in chunks)
    body = head + struct.pack("<I", crc32c.crc32c(head)) + b"".join(chunks)
    return body + hashlib.sha256(body).digest()


def decoded(file, data):
    """Decode; say how: refused, or which samples."""
    file.write_bytes(data)
    started = time.process_time()
    found = None
    with suppress(BandpressError):
        found = decompress(file, model=golden.MODEL).scene.cube
    assert time.process_time() - started < _LONG
    return found


def spoilt(rng, data):
    """Data with some bytes changed, cut off, or put elsewhere."""
    data = bytearray(data)
    kind = rng.integers(4)
    if kind == 0:
        for place in rng.integers(0, len(data), rng.integers(1, 5)):
            data[place] ^= int(rng.integers(1, 256))
    elif kind == 1:
        del data[int(rng.integers(len(data))) :]
    elif kind == 2:
        data += rng.bytes(int(rng.integers(1, 64)))
    else:
        start, size = int(rng.integers(len(data))), int(rng.integers(1, 40))
        data[start : start + size] = rng.bytes(int(rng.integers(0, 40)))
    return bytes(data)


def many(tmp_path, count):
    rng = np.random.default_rng(count)
    file = tmp_path / "damaged.bpk"
    sources = {name: parts_of(golden.stream(name)) for name in golden.STREAMS}
    whole = {name: decoded(file, golden.stream(name).read_bytes()) for name in golden.STREAMS}
    refused = 0
    for number in range(count):
        name = list(golden.STREAMS)[number % 2]
        path, (stored, chunks) = golden.stream(name), sources[name]
        if number % 4 < 2:  # what checksums tell
            data = spoilt(rng, path.read_bytes())
            found = decoded(file, data)
            assert found is None or data == path.read_bytes()
        else:  # what they do not
            chunks = list(chunks)
            place = int(rng.integers(len(chunks)))
            other = sources[list(golden.STREAMS)[(number // 2) % 2]][1]
            chunks[place] = (
                spoilt(rng, chunks[place]) if rng.random() < 0.8 else other[int(rng.integers(len(other)))]
            )
            found = decoded(file, sealed(path, stored, chunks))
            assert found is None or found.shape == whole[name].shape
        refused += found is None
    return refused


def test_parts_put_together_again_are_the_file():
    for name in golden.STREAMS:
        path = golden.stream(name)
        assert sealed(path, *parts_of(path)) == path.read_bytes()


def test_damaged_files_are_refused_or_decode_to_something(tmp_path):
    assert many(tmp_path, 60) >= 40


@pytest.mark.long
def test_ten_thousand_damaged_files_are_refused_or_decoded(tmp_path):
    assert many(tmp_path, 10_000) >= 7_000


@pytest.mark.parametrize("size", [(1 << 10, 1 << 14, 1 << 12), (3, 1 << 20, 1 << 10)])
def test_few_bytes_that_announce_much_are_refused_at_once(size, tmp_path):
    """The geometry of a header may be anything that adds up: what a chunk can hold bounds the work, and the memory."""
    path = golden.stream("contexts-k3")
    stored, chunks = parts_of(path)
    header = json.loads(zlib.decompress(stored))
    header |= dict(zip(("bands", "lines", "samples"), size, strict=True)) | {"metadata": {}}
    again = zlib.compress(json.dumps(header, sort_keys=True, separators=(",", ":")).encode())
    data = sealed(path, again, [chunks[0]] * -(-size[0] // 3))
    started = time.process_time()
    assert decoded(tmp_path / "large.bpk", data) is None
    assert time.process_time() - started < _LONG


@pytest.mark.parametrize("step", [0, -1, 1e7, 1e308, "1", None])
def test_steps_that_no_encoder_writes_are_refused(step, tmp_path):
    path = golden.stream("contexts-k3")
    stored, chunks = parts_of(path)
    header = json.loads(zlib.decompress(stored))
    header["parameters"] = {"step": step}
    again = zlib.compress(json.dumps(header, sort_keys=True, separators=(",", ":")).encode())
    assert decoded(tmp_path / "step.bpk", sealed(path, again, chunks)) is None
