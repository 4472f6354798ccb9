"""The container keeps its promises: what goes in comes out, and damage never goes unnoticed."""

import hashlib
from dataclasses import replace

import pytest

from bandpress.clusters import Cluster
from bandpress.container import bitstream
from bandpress.container.bitstream import Header, Reader
from bandpress.errors import BitstreamError, CodecError

CHUNKS = [b"first", b"", b"third chunk"]


@pytest.fixture
def header():
    return Header(7, 4, 5, "<u2", "test", 3, {"rate": 0.5}, metadata={"sensor": "AVIRIS"})


@pytest.fixture
def path(tmp_path, header):
    path = tmp_path / "scene.bpk"
    assert bitstream.write(path, header, CHUNKS) == path.stat().st_size
    return path


def test_a_written_file_is_read_back(path, header):
    with Reader(path) as reader:
        reader.verify()
        assert reader.header == header
        assert reader.clusters == (Cluster(0, 3), Cluster(3, 3), Cluster(6, 1))
        assert [reader.chunk(i) for i in range(3)] == CHUNKS


def test_the_last_bytes_are_the_sha256_of_the_rest(path):
    data = path.read_bytes()
    assert hashlib.sha256(data[:-32]).digest() == data[-32:]


def test_every_truncation_is_noticed(path, tmp_path):
    data = path.read_bytes()
    short = tmp_path / "short.bpk"
    for length in range(len(data)):
        short.write_bytes(data[:length])
        with pytest.raises(BitstreamError, match=r"short\.bpk"):
            Reader(short)


def test_every_flipped_byte_is_noticed(path, tmp_path):
    data = bytearray(path.read_bytes())
    bad = tmp_path / "bad.bpk"
    for i in range(len(data)):
        data[i] ^= 0x40
        bad.write_bytes(data)
        with pytest.raises(BitstreamError, match=r"bad\.bpk"), Reader(bad) as reader:
            reader.verify()
        data[i] ^= 0x40


def test_salvage_tells_the_damaged_clusters(path, tmp_path):
    data = path.read_bytes()
    short = tmp_path / "short.bpk"
    short.write_bytes(data[:-33])
    with Reader(short, salvage=True) as reader:
        assert reader.damaged() == (Cluster(6, 1),)
        assert reader.chunk(0) == b"first"


@pytest.mark.parametrize("geometry", [(2**31, 1, 1), (0, 1, 1), (-1, 2, 2), (1000, 2**20, 2**20)])
def test_absurd_geometry_is_refused(tmp_path, monkeypatch, geometry):
    header = Header(*geometry, "<u2", "test", "all")
    path = tmp_path / "absurd.bpk"
    with pytest.raises(CodecError, match="geometry"):
        bitstream.write(path, header, [b""])
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(Header, "_check", lambda self: None)
    bitstream.write(path, header, [b""])
    monkeypatch.undo()
    with pytest.raises(BitstreamError, match="geometry"):
        Reader(path)


@pytest.mark.parametrize(
    "change",
    [
        {"scene": "we\\ird"},
        {"scene": ".."},
        {"scene": "a\0b"},
        {"bands": (1 << 14) + 1},
        {"samples": (1 << 20) + 1},
        {"metadata": {"history": "x" * (1 << 20)}},
        {"metadata": {"wavelengths": [1.0]}},
        {"metadata": {"metadata": {"a": float("nan")}}},
        {"metadata": {"metadata": {"a": b"bytes"}}},
        {"parameters": {"step": float("inf")}},
    ],
)
def test_a_header_that_a_reader_would_refuse_is_not_written(tmp_path, header, change):
    with pytest.raises(CodecError, match="cannot be described"):
        bitstream.write(tmp_path / "scene.bpk", replace(header, **change), CHUNKS)
    assert list(tmp_path.iterdir()) == []


def test_too_few_chunks_leave_no_file(tmp_path, header):
    with pytest.raises(BitstreamError, match="2 chunks; expected 3"):
        bitstream.write(tmp_path / "scene.bpk", header, CHUNKS[:2])
    assert list(tmp_path.iterdir()) == []
