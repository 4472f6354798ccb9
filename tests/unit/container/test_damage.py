"""Damage: one typed error that names the file and the place, at once, in little memory, and never samples."""

import os
import struct
import subprocess
import sys
import time
import zlib

import crc32c
import numpy as np
import pytest

import golden
from bandpress.coding import decompress
from bandpress.errors import BitstreamError
from peak import PEAK
from places import ROOT

STREAM, MODEL = golden.stream("gains"), golden.MODELS["gains"]

# Runs every case of a damage list in one process, and reports the slowest case and the memory that all took.
MATRIX = (
    """
import sys, time
from pathlib import Path
import numpy as np
from bandpress.coding import decompress
from bandpress.errors import BitstreamError

source, model, bad = Path(sys.argv[1]).read_bytes(), sys.argv[2], Path(sys.argv[3])
random = np.random.default_rng(0)
cases = [source[:n] for n in range(len(source))]
for i in range(len(source)):
    flipped = bytearray(source)
    flipped[i] ^= 1 << int(random.integers(8))
    cases.append(bytes(flipped))
for _ in range(1000):
    cases.append(random.bytes(int(random.integers(0, 2000))))
for _ in range(500):
    cases.append(source[:20] + random.bytes(int(random.integers(0, 2000))))
slowest = 0
for i, case in enumerate(cases):
    bad.write_bytes(case)
    started = time.process_time()
    try:
        decompress(bad, model=model)
        raise SystemExit(f"case {i} gave samples")
    except BitstreamError as error:
        assert str(bad) in str(error), error
        assert "\\n" not in str(error), error
    slowest = max(slowest, time.process_time() - started)
for slow in ("tensorflow", "scipy.interpolate", "scipy.ndimage"):
    assert slow not in sys.modules, f"a damaged file must not wait for {slow}"
"""
    + PEAK
    + "print(len(cases), slowest, peak)"
)


@pytest.mark.slow
def test_every_truncation_every_flip_and_random_bytes_give_one_typed_error(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", MATRIX, STREAM, MODEL, tmp_path / "bad.bpk"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    count, slowest, memory = map(float, done.stdout.split())
    assert count == 2 * STREAM.stat().st_size + 1500
    assert slowest < 1.0
    assert memory < 300e6


def forged(tmp_path, **changes):
    """A file whose header says something else, every checksum right."""
    import hashlib
    import json

    data = STREAM.read_bytes()
    size, count = struct.unpack_from("<II", data, 12)
    header = json.loads(zlib.decompress(data[20 : 20 + size])) | changes
    header = {key: value for key, value in header.items() if value is not ...}
    stored = zlib.compress(json.dumps(header, sort_keys=True, separators=(",", ":")).encode())
    head = data[:12] + struct.pack("<II", len(stored), count) + stored + data[20 + size :][: 8 * count]
    body = head + struct.pack("<I", crc32c.crc32c(head)) + data[20 + size + 8 * count + 4 : -32]
    path = tmp_path / "forged.bpk"
    path.write_bytes(body + hashlib.sha256(body).digest())
    return path


@pytest.mark.parametrize(
    "changes",
    [
        {"bands": 2**31},
        {"lines": 2**31},
        {"bands": -7},
        {"bands": 7.0},
        {"bands": True},
        {"lines": 2**20, "samples": 2**20},
        {"bands_per_cluster": 0},
        {"bands_per_cluster": 2.5},
        {"bands_per_cluster": "some"},
        {"bands_per_cluster": 10**30},
        {"dtype": "<f8"},
        {"dtype": "O"},
        {"dtype": "<u2,<u2"},
        {"dtype": ["<u2"]},
        {"dtype": None},
        {"codec": None},
        {"codec": ["learned"]},
        {"model": 5},
        {"scene": {"name": "x"}},
        {"scene": "../../etc/passwd"},
        {"parameters": []},
        {"metadata": {"wavelengths": [1.0]}},
        {"metadata": {"wavelengths": 5}},
        {"metadata": {"bad_bands": "nothing"}},
        {"extra": 1},
        {"lines": ...},
    ],
    ids=repr,
)
def test_a_forged_header_gives_one_typed_error(tmp_path, changes):
    path = forged(tmp_path, **changes)
    started = time.process_time()
    with pytest.raises(BitstreamError, match=r"forged\.bpk") as caught:
        decompress(path, model=MODEL)
    assert "\n" not in str(caught.value)
    assert time.process_time() - started < 1.0


def test_an_unknown_codec_names_the_file(tmp_path):
    with pytest.raises(BitstreamError, match=r"forged\.bpk.*codec 'morse'"):
        decompress(forged(tmp_path, codec="morse"), model=MODEL)


def test_another_version_is_refused_by_its_number(tmp_path):
    data = bytearray(STREAM.read_bytes())
    data[8] = 2
    path = tmp_path / "new.bpk"
    path.write_bytes(data)
    with pytest.raises(BitstreamError, match="version 2, flags 0; expected version 1"):
        decompress(path, model=MODEL)


def test_a_header_that_inflates_without_end_is_refused(tmp_path):
    stored = zlib.compress(b" " * (1 << 26), 9)
    data = STREAM.read_bytes()
    head = data[:12] + struct.pack("<II", len(stored), 3) + stored + bytes(24)
    path = tmp_path / "bomb.bpk"
    path.write_bytes(head + struct.pack("<I", crc32c.crc32c(head)) + bytes(32))
    with pytest.raises(BitstreamError, match=r"bomb\.bpk"):
        decompress(path, model=MODEL)


@pytest.mark.tensorflow
@pytest.mark.parametrize("cut", ["nothing", "ranges", "size", "length"])
def test_a_chunk_that_does_not_parse_gives_one_typed_error(tmp_path, cut):
    pytest.importorskip("tensorflow")
    from bandpress.container import bitstream

    with bitstream.Reader(STREAM) as reader:
        chunks = [reader.chunk(i) for i in range(3)]
        header = reader.header
    step = len(chunks[0]) and 12
    chunks[0] = {
        "nothing": b"",
        "ranges": chunks[0][:7],
        "size": chunks[0][: step + 3],
        "length": chunks[0][: step + 2] + b"\xff\xff\xff\x7f" + chunks[0][step + 6 :],
    }[cut]
    path = tmp_path / "parsed.bpk"
    bitstream.write(path, header, chunks)
    with pytest.raises(BitstreamError, match="cluster b1-3"):
        decompress(path, model=MODEL)


def test_overhead_is_within_its_bound(tmp_path):
    from bandpress.container.bitstream import Header, overhead, write

    wavelengths = np.linspace(365.9298, 2496.2360, 224).tolist()
    known = {"wavelengths": wavelengths, "fwhm": [9.85 + 0.001 * b for b in range(224)], "sensor": "AVIRIS"}
    header = Header(
        224, 512, 680, "<u2", "learned", 1, {"lambda": 0.0003}, "ab" * 32, "f080806t01p00r07", known
    )
    size = write(tmp_path / "a.bpk", header, [b""] * 224)
    assert size == overhead(header)
    assert size <= 2048 + 16 * 224
