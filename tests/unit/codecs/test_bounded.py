"""The codec `bounded`: no sample is off by more than the bound, whatever the scene; decoding is exact everywhere."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import golden
import golden_bounded
import second_bounded_decoder
from bandpress import Scene, make_codec
from bandpress.bounded import coding, model
from bandpress.coding import compress, decompress
from bandpress.container.bitstream import Reader
from bandpress.errors import BitstreamError, CodecError
from baseline_scenes import smooth_scene
from places import ROOT
from random_cubes import random_cube


def check_bound(seed):
    rng = np.random.default_rng(seed)
    cube = random_cube(rng)
    error = int(rng.choice([0, 1, 2, 5, 10, 100, 65535]))
    references = int(rng.integers(1, 6))
    data = coding.encode(cube, error, references)
    decoded = coding.decode(data, cube.shape, cube.dtype, error, references)
    assert decoded.dtype == cube.dtype
    assert np.abs(decoded.astype(int) - cube.astype(int)).max() <= error, seed


@pytest.mark.parametrize("name", golden_bounded.OPTIONS)
def test_the_encoder_writes_the_golden_bytes(tmp_path, name):
    compress(
        golden_bounded.scene(), tmp_path / "a.bpk", make_codec("bounded", **golden_bounded.OPTIONS[name])
    )
    assert (tmp_path / "a.bpk").read_bytes() == golden.stream(name).read_bytes()


@pytest.mark.parametrize("name", golden_bounded.OPTIONS)
def test_a_decoder_written_from_the_documentation_gives_the_same_samples(name):
    decoded = decompress(golden.stream(name)).scene.cube
    with Reader(golden.stream(name)) as reader:
        header = reader.header
        for cluster, chunk in reader.chunks(reader.clusters):
            shape = (cluster.count, header.lines, header.samples)
            parameters = header.parameters
            found = second_bounded_decoder.decode(
                chunk, shape, np.dtype("i2"), parameters["max_error"], parameters["references"]
            )
            assert np.array_equal(found, decoded[cluster.bands])


def test_the_bound_holds_on_random_scenes():
    for seed in range(150):
        check_bound(seed)


@pytest.mark.long
def test_the_bound_holds_on_ten_thousand_random_scenes():
    for seed in range(10_000):
        check_bound(seed)


@pytest.mark.parametrize("error", [0, 3])
def test_no_data_samples_come_back_exactly(tmp_path, error):
    cube = smooth_scene(bands=6, lines=20, samples=18).cube.copy()
    mask = np.random.default_rng(1).random(cube.shape[1:]) < 0.2
    cube[:, mask] = 0
    compress(Scene(cube, nodata=0.0), tmp_path / "s.bpk", make_codec("bounded", max_error=error))
    decoded = decompress(tmp_path / "s.bpk").scene.cube
    assert (decoded[:, mask] == 0).all()
    assert np.abs(decoded.astype(int) - cube.astype(int)).max() <= error


def test_clusters_are_decoded_alone(tmp_path):
    scene = smooth_scene(bands=9, lines=20, samples=18)
    compress(scene, tmp_path / "s.bpk", make_codec("bounded", lossless=True, bands_per_cluster=4))
    part = decompress(tmp_path / "s.bpk", bands=(5, 7)).scene.cube
    assert np.array_equal(part, scene.cube[4:7])


def test_structure_over_bands_is_used():
    rng = np.random.default_rng(0)
    base = rng.integers(0, 2000, (30, 30))
    cube = np.stack([base + band * 7 for band in range(12)]).astype(np.uint16)
    bits = len(coding.encode(cube, 0, 4)) * 8 / cube.size
    assert bits < 11 / 12 + 0.5  # one band of noise, the others follow from it


def test_magnitudes_far_beyond_any_code_survive():
    """Zeros teach a code of nothing but zeros; then comes the largest residual there is."""
    cube = np.zeros((1, 40, 40), np.uint16)
    cube[0, 39, 39] = 65535
    data = coding.encode(cube, 0, 1)
    assert np.array_equal(coding.decode(data, cube.shape, cube.dtype, 0, 1), cube)


def test_noise_decodes_to_something_within_the_type_and_a_chunk_that_ends_early_is_refused():
    noise = np.random.default_rng(0).integers(0, 256, 3000, np.uint8).tobytes()
    assert coding.decode(noise, (3, 9, 11), np.dtype("u1"), 2, 2).shape == (3, 9, 11)
    for data in (b"", b"\x00", noise[:50]):
        with pytest.raises(BitstreamError, match="end within band"):
            coding.decode(data, (3, 900, 1100), np.dtype("u1"), 2, 2)


def test_mixing_tables_hold_the_logistic_function_its_inverse_and_logarithms():
    squash, stretch, logarithm, _ = model.mixing_tables()
    x = (np.arange(4096) - 2048) / 256
    assert np.abs(squash - np.clip(65536 / (1 + np.exp(-x)), 32, 65504)).max() <= 1
    p = (np.arange(4096) + 0.5) / 4096
    assert np.abs(stretch - np.clip(256 * np.log(p / (1 - p)), -2047, 2047)).max() < 32
    assert np.array_equal(logarithm[1:], np.rint(16 * np.log2(np.arange(1, 4096))))


def test_roles_of_regressors_are_the_same_in_every_band():
    late = {tuple(term[1:]): term[0] for term in model.regressors(60, 48)}
    assert len(late) == model.roles(48)
    for band in range(60):
        for role, *where in model.regressors(band, 48):
            assert late[tuple(where)] == role


PROGRAM = """
import hashlib, sys
sys.path.insert(0, "tests/helpers")
from baseline_scenes import smooth_scene
from bandpress.bounded import coding
cube = smooth_scene(bands=12, lines=40, samples=70).cube
for error in (0, 4):
    print(hashlib.sha256(coding.encode(cube, error, 8)).hexdigest())
"""
#: Processors whose code LLVM is asked for, and what Linux calls the instructions that it takes to run it.
PROCESSORS = {"generic": "", "x86-64-v3": " avx2 ", "skylake-avx512": " avx512vl "}


@pytest.mark.slow
@pytest.mark.parametrize("processor", PROCESSORS)
def test_streams_are_the_same_whatever_the_processor(processor):
    """No contraction and no reordering may change a bit."""
    flags = Path("/proc/cpuinfo")
    if processor != "generic" and not (flags.exists() and PROCESSORS[processor] in flags.read_text()):
        pytest.skip(f"this processor runs no code for {processor}")
    environment = os.environ | {"NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": ""}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    cube = smooth_scene(bands=12, lines=40, samples=70).cube
    expected = [hashlib.sha256(coding.encode(cube, error, 8)).hexdigest() for error in (0, 4)]
    assert done.stdout.split() == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "expected one of the two"),
        ({"lossless": True, "max_error": 1}, "expected one of the two"),
        ({"max_error": -1}, "expected an integer from 0 to 65535"),
        ({"max_error": 1.5}, "max_error 1.5; expected"),
        ({"lossless": True, "references": 0}, "expected 1 to 255"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(CodecError, match=message):
        make_codec("bounded", **options)
