"""Exact decoding: the same symbols whatever the batch, the threads, the library's options or the instruction set."""

import os
import subprocess
import sys

import numpy as np
import pytest

import golden
from bandpress.errors import ModelError
from bandpress.hyperprior.integer import ACTIVATION, HyperSynthesis
from places import ROOT

pytest.importorskip("tensorflow", reason="needs the TensorFlow environment")
pytestmark = pytest.mark.tensorflow


def layers(hyper=24, latent=40, wide=False, seed=0):
    """Integer layers as close to their bounds as the checks let them be."""
    random = np.random.default_rng(seed)
    taps = 9 * hyper
    limit = 127
    gain = np.full((1, hyper), 1 << (12 if wide else 0))
    most = (1 << 52) // (taps * limit * gain[0, 0]) if wide else (1 << 24) // (taps * limit) - 1
    most = min(most, 32767)
    second = (1 << 24) // (taps * ACTIVATION) - 1
    tables = {
        "hyper/limit": np.full(hyper, limit, np.int32),
        "hyper/gain": gain.astype(np.int32),
        "hyper/offset": np.full(hyper, 1000 if wide else 0, np.int32),
        "hyper/0/kernel": random.choice([-most, most, most - 1], (5, 5, hyper, hyper)).astype(np.int16),
        "hyper/0/bias": random.integers(-50, 50, hyper),
        "hyper/0/shift": np.full(hyper, 30 if wide else 12, np.int32),
        "hyper/1/kernel": random.choice([-second, second], (3, 3, hyper, latent)).astype(np.int16),
        "hyper/1/bias": random.integers(0, 50, latent),
        "hyper/1/shift": np.full(latent, 14, np.int32),
    }
    return tables, HyperSynthesis.of_tables(tables, hyper, latent, 64)


@pytest.mark.parametrize("wide", [False, True])
def test_tensorflow_evaluates_the_integer_layers_exactly(wide):
    import tensorflow as tf

    from bandpress.hyperprior.network import indexes_graph

    _, found = layers(wide=wide)
    assert found.first_in_float32 == (not wide)
    random = np.random.default_rng(1)
    symbols = random.choice([-2000, -127, 126, 127, 0, 5], (3, 9, 11, 24)).astype(np.int32)
    steps = np.zeros(3, np.int32)
    expected = found.indexes(symbols, steps)
    assert len(np.unique(expected)) > 8
    graph = tf.function(lambda: indexes_graph(found, symbols, steps))
    assert np.array_equal(graph().numpy(), expected)


@pytest.mark.parametrize("mirror", [False, True])
def test_phases_are_the_transposed_convolution(mirror):
    from bandpress.hyperprior import transforms

    random = np.random.default_rng(3)
    for size in ((1, 1), (1, 5), (3, 4)):
        x, kernel, bias = (
            random.integers(-9, 9, shape).astype(np.float32) for shape in ((2, *size, 3), (5, 5, 3, 4), 4)
        )
        expected = transforms.up(x, kernel, bias, mirror)
        assert np.array_equal(transforms.up_by_phases(x, kernel, bias, mirror), expected)


def test_tables_that_could_be_inexact_are_refused():
    tables, _ = layers()
    tables["hyper/1/kernel"] = tables["hyper/1/kernel"] * 2
    with pytest.raises(ModelError, match="sums of the hyper-synthesis"):
        HyperSynthesis.of_tables(tables, 24, 40, 64)


MAKE = """
import sys, numpy as np
from bandpress.codecs.learned import Learned
from bandpress.coding import compress
from bandpress.scene import Scene
line, sample = np.mgrid[0:200, 0:180]
bands = [1000 + 40 * b + 9 * line + (sample * (3 + b)) % 331 + (line * sample * (b + 1)) % 517 for b in range(48)]
compress(Scene(np.stack(bands).astype("<u2"), name="matrix"), sys.argv[2], Learned(sys.argv[1], batch=16))
"""
READ = """
import hashlib, sys, numpy as np
import tensorflow as tf
threads, batch = int(sys.argv[3]), int(sys.argv[4])
tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(threads)
from bandpress.container.bitstream import Reader
from bandpress.hyperprior import opened
from bandpress.hyperprior import chunks as learned_chunks
from bandpress.hyperprior import store
from bandpress.pipeline import batches
network = opened.open_network(store.load(sys.argv[1]))
found = hashlib.sha256()
with Reader(sys.argv[2]) as reader:
    for group in batches(reader.chunks(reader.clusters), batch):
        for y in learned_chunks.read_batch(network, group, reader.header, np.dtype("<u2")).content:
            found.update(y.tobytes())
print(found.hexdigest())
"""


def run(code, *arguments, **options):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "TF_CPP_MIN_LOG_LEVEL": "3", **options}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.split()[-1] if done.stdout else ""


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(golden.MODELS))
def test_streams_decode_to_the_same_symbols_everywhere(tmp_path, name):
    model, stream = golden.MODELS[name], tmp_path / "a.bpk"
    run(MAKE, model, stream)
    found = {
        (threads, batch, *options.items()): run(READ, model, stream, threads, batch, **options)
        for threads, batch, options in (
            (2, 16, {}),
            (1, 1, {}),
            (2, 1, {"TF_ENABLE_ONEDNN_OPTS": "0"}),
            (1, 16, {"ONEDNN_MAX_CPU_ISA": "AVX2"}),
            (2, 5, {"ONEDNN_MAX_CPU_ISA": "SSE41"}),
            (2, 3, {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"}),
        )
    }
    assert len(set(found.values())) == 1, found
