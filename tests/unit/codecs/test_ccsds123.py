"""The codec `ccsds123`: streams as another implementation writes them; exact or within the bound for all parameters."""

from itertools import pairwise

import numpy as np
import pytest

from bandpress import make_codec
from bandpress.ccsds123 import header, lowentropy, stream
from bandpress.ccsds123.parameters import CODERS, LOCAL_SUMS, Parameters
from bandpress.coding import compress, decompress
from bandpress.container.bitstream import Reader
from bandpress.errors import CodecError
from baseline_scenes import smooth_scene
from places import ROOT
from random_cubes import random_cube

#: Streams of the image below, written by the CCSDS 123.0-B-2 high-level model of NTNU (D. Vorhaug, S. Boyle,
#: M. Orlandić, WHISPERS 2024) from the headers given here and the first accumulators of `hybrid.encode`.
VECTORS = ROOT / "tests" / "data" / "ccsds123"
CASES = {
    "emporda": Parameters(register=48, interval=11, local_sum="wide-column"),
    "reduced": Parameters(reduced=True, prediction_bands=5, interval=4, first_exponent=-3, last_exponent=2),
    "narrow": Parameters(
        local_sum="narrow-neighbour",
        max_error=3,
        representative=3,
        damping=3,
        offset=5,
        resolution=15,
        register=40,
    ),
    "hybrid": Parameters(
        local_sum="narrow-column",
        max_error=40,
        coder="hybrid",
        representative=2,
        damping=1,
        offset=2,
        prediction_bands=2,
    ),
    "low-entropy": Parameters(max_error=300, coder="hybrid", local_sum="wide-column", rescaling=5),
    "one-band": Parameters(coder="hybrid", prediction_bands=0),
}


def image():
    """Six bands of 14 × 13 samples: slopes, an edge, and noise of a small generator; integers only."""
    noise = np.empty(6 * 14 * 13, np.int64)
    state = 1
    for i in range(len(noise)):
        state = (state * 1103515245 + 12345) % (1 << 31)
        noise[i] = state >> 25
    z, y, x = np.mgrid[0:6, 0:14, 0:13]
    return 1000 + 300 * z + 20 * y + 35 * x + 900 * (x > 6) * (z > 2) + noise.reshape(6, 14, 13)


@pytest.mark.parametrize("case", CASES)
def test_streams_are_those_of_another_implementation(case):
    written = (VECTORS / f"{case}.ccsds").read_bytes()
    assert stream.encode(image(), CASES[case]) == written
    decoded, parameters = stream.decode(written)
    assert np.abs(decoded - image()).max() <= CASES[case].max_error
    assert parameters == CASES[case]


def random_parameters(rng, dtype):
    bits = 8 * dtype.itemsize
    theta = int(rng.integers(0, 5))
    error = int(rng.choice([0, 0, 1, 3, 17, (1 << (bits - 1)) - 1]))
    first = int(rng.integers(-6, 10))
    count = int(rng.integers(1, 9))
    bands = int(rng.integers(0, 16))
    resolution = int(rng.integers(4, 20))
    return Parameters(
        bits=bits,
        signed=dtype.kind == "i",
        max_error=error,
        prediction_bands=bands,
        reduced=bool(bands) and bool(rng.integers(2)),
        local_sum=str(rng.choice(LOCAL_SUMS)),
        register=int(rng.integers(max(32, bits + resolution + 2), 65)),
        resolution=resolution,
        interval=int(rng.integers(4, 12)),
        first_exponent=first,
        last_exponent=int(rng.integers(first, 10)),
        representative=theta,
        damping=int(rng.integers(0, 1 << theta)),
        offset=int(rng.integers(0, 1 << theta)) if error else 0,
        coder=str(rng.choice(CODERS)),
        unary_limit=int(rng.integers(8, 33)),
        rescaling=int(rng.integers(max(4, count + 1), 12)),
        initial_count=count,
        accumulator=min(5, bits - 2),
    )


def check(seed):
    rng = np.random.default_rng(seed)
    cube = random_cube(rng)
    parameters = random_parameters(rng, cube.dtype)
    decoded, read = stream.decode(stream.encode(cube, parameters), cube.shape)
    assert read == parameters
    assert np.abs(decoded - cube.astype(int)).max() <= parameters.max_error, seed


def test_the_bound_holds_for_random_scenes_and_parameters():
    for seed in range(300):
        check(seed)


@pytest.mark.long
def test_the_bound_holds_for_ten_thousand_random_scenes_and_parameters():
    for seed in range(10_000):
        check(seed)


def test_a_chunk_is_an_image_of_the_standard(tmp_path):
    scene = smooth_scene(bands=7, lines=20, samples=18)
    compress(scene, tmp_path / "s.bpk", make_codec("ccsds123", lossless=True))
    with Reader(tmp_path / "s.bpk") as reader:
        ((_, chunk),) = reader.chunks(reader.clusters)
    cube, parameters = stream.decode(chunk)
    assert np.array_equal(cube, scene.cube)
    assert parameters.bits == 16
    assert np.array_equal(decompress(tmp_path / "s.bpk").scene.cube, scene.cube)


def test_the_low_entropy_codes_are_complete():
    trees = lowentropy.trees()
    inner = trees.children[:, 0] >= 0
    starts = [*trees.roots.tolist(), len(trees.children)]
    for code in range(len(trees.roots)):
        part = slice(starts[code], starts[code + 1])
        for kind in (inner[part], ~inner[part]):
            assert np.exp2(-trees.lengths[part][kind].astype(float)).sum() == 1
    # Numbers of words of each code, table 5-16.
    assert [int((~inner[a:b]).sum()) for a, b in pairwise(starts)] == [
        105, 144, 118, 120, 92, 116, 101, 81, 88, 106, 103, 127, 109, 145, 256, 257,
    ]  # fmt: skip


def test_invalid_headers_are_refused():
    good = header.write(Parameters(), (2, 3, 4))
    for at, value in ((7, 0xFF), (8, 1), (10, 0x10), (11, 0xC0), (12, 0x80)):
        bad = bytearray(good)
        bad[at] = value
        with pytest.raises(CodecError):
            header.read(bytes(bad))
    with pytest.raises(CodecError, match="ends after"):
        header.read(good[:-1])
    with pytest.raises(CodecError, match="expected \\(2, 3, 5\\)"):
        stream.decode(good, (2, 3, 5))


def test_bodies_of_noise_decode_to_something_within_the_type():
    rng = np.random.default_rng(0)
    for coder in CODERS:
        parameters = Parameters(bits=8, coder=coder, max_error=2)
        start = header.write(parameters, (3, 9, 11))
        for size in (40, 400):
            out, _ = stream.decode(start + rng.integers(1, 256, size, np.uint8).tobytes())
            assert out.min() >= 0
            assert out.max() <= 255
    with pytest.raises(CodecError, match="nothing but zeros"):
        stream.decode(start + b"\0\0")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"local_sum": "broad"}, "expected one of wide-neighbour"),
        ({"prediction_bands": 16}, "expected 0 to 15"),
        ({"register": 36}, "expected 37 to 64"),
        ({"damping": 8}, "expected 0 to 7"),
        ({"reduced": True, "prediction_bands": 0}, "expected one or more"),
    ],
)
def test_parameters_beyond_the_standard_are_refused(options, message):
    with pytest.raises(CodecError, match=message):
        make_codec("ccsds123", max_error=1, **options)
