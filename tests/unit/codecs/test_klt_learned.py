"""klt-learned: a KLT over all bands, its components through a network, everything a decoder needs in the file."""

import numpy as np
import pytest
from click.testing import CliRunner

from bandpress import write_scene
from bandpress.cli import cli
from bandpress.codecs import make_codec
from bandpress.coding import compress, decompress, rate
from bandpress.container.bits import BitReader
from bandpress.container.bitstream import Reader
from bandpress.errors import BandpressError, CodecError
from bandpress.hyperprior import opened
from bandpress.study.schema import TrainedFamily
from bandpress.transforms import cluster_klt
from baseline_scenes import smooth_scene


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model with gains as a training on components starts it."""
    pytest.importorskip("tensorflow", reason="needs the TensorFlow environment")
    from bandpress.hyperprior.architecture import Architecture
    from bandpress.hyperprior.training import warm_start
    from bandpress.hyperprior.training.components import component_clusters, ladder
    from bandpress.hyperprior.training.finalise import finalise
    from bandpress.hyperprior.training.patches import Patches

    source = smooth_scene(bands=20, lines=32, samples=32, seed=1)
    left = component_clusters([source], 2, (1e-2,))
    architecture, lambdas = Architecture(2, 16, 32, 8, qualities=3), ladder(left, 2, 3)
    patches = Patches((), 2, 32, 1, 0, left).fixed(24)
    made = warm_start.fit(patches, (16, 16, 16, 32))
    weights = warm_start.weights(made, architecture, lambdas, 1, warm_start.FLAT)
    card = {"lambda": list(lambdas), "reference_range": made.scale, "residuals": {"from": "klt"}}
    return finalise(tmp_path_factory.mktemp("models") / "m", weights, architecture, card, patches.x).path


@pytest.fixture(scope="module")
def scene():
    return smooth_scene(bands=21, lines=40, samples=35)


def mse(one, other):
    return np.square(one.cube.astype(float) - other.cube).mean()


def side_bytes(path):
    """Bytes of the transform in a file."""
    with Reader(path) as file:
        reader = BitReader(file.chunk(0))
        cluster_klt.read(reader, file.header.bands)
    return reader.bytes_read


@pytest.mark.tensorflow
def test_components_that_hold_little_cost_nothing_and_all_bands_come_back(
    tmp_path, model, scene, monkeypatch
):
    monkeypatch.setattr(opened, "batch_size", lambda *_: 1)
    path = tmp_path / "scene.bpk"
    compress(scene, path, make_codec("klt-learned", model=model, step=40.0))
    decoded = decompress(path, model=model).scene
    assert decoded.cube.shape == scene.cube.shape
    variance = scene.cube.reshape(21, -1).var(axis=1).mean()
    assert mse(scene, decoded) < 0.02 * variance
    with Reader(path) as reader:
        assert reader.header.bands_per_cluster == "all"
        assert reader.header.model is not None
    # Below a step of about 100 the network of this test, not the step, says how much is lost.
    coarser = tmp_path / "coarser.bpk"
    compress(scene, coarser, make_codec("klt-learned", model=model, step=320.0))
    assert coarser.stat().st_size < path.stat().st_size
    assert side_bytes(coarser) < side_bytes(path)
    assert mse(scene, decompress(coarser, model=model).scene) > 2 * mse(scene, decoded)


@pytest.mark.tensorflow
def test_a_rate_counts_the_side_information_of_the_transform(tmp_path, model, scene):
    path = tmp_path / "scene.bpk"
    compress(scene, path, make_codec("klt-learned", model=model, rate=0.8))
    # A scene so small has no rate for every step: never more than what was asked for.
    assert 0.85 * 0.8 < rate(path, scene.cube.shape) < 1.02 * 0.8
    decompress(path, model=model)


@pytest.mark.tensorflow
def test_a_chunk_cut_short_is_refused(tmp_path, model, scene):
    codec = make_codec("klt-learned", model=model, step=40.0)
    encoding = codec.encode(scene)
    (chunk,) = encoding.chunks
    path = tmp_path / "scene.bpk"
    compress(scene, path, codec)
    with Reader(path) as reader:
        header = reader.header
    cluster = header.clusters[0]
    for size in (*range(0, len(chunk) - 1, max(1, len(chunk) // 40)), len(chunk) - 1):
        with pytest.raises(BandpressError):
            list(codec.decode(header, [(cluster, chunk[:size])]))


def test_one_target_is_needed(tmp_path):
    with pytest.raises(CodecError, match="no target given"):
        make_codec("klt-learned", model=tmp_path)
    with pytest.raises(CodecError, match="rate and step given"):
        make_codec("klt-learned", model=tmp_path, rate=1.0, step=2.0)


@pytest.mark.slow
@pytest.mark.tensorflow
def test_a_training_on_components_makes_a_network_that_codes(tmp_path, scene):
    """From the command line: train with --klt, compress, decompress."""
    pytest.importorskip("tensorflow", reason="needs the TensorFlow environment")
    source = write_scene(smooth_scene(bands=20, lines=48, samples=48, seed=1), tmp_path / "source.raw")
    other = write_scene(scene, tmp_path / "scene.raw")
    model, packed = tmp_path / "model", tmp_path / "scene.bpk"
    train = "--klt -k 1 --filters 8 16 --qualities 3 --lambda 1e-2 --steps 3 --patch 16 --batch 2 -o".split()
    code = ["--codec", "klt-learned", "--model", str(model), "--rate", "1", "-o", str(packed)]
    for words in (
        ["train", str(source), *train, str(model)],
        ["compress", str(other), *code],
        ["verify", str(packed)],
    ):
        done = CliRunner().invoke(cli, words)
        assert done.exit_code == 0, done.output
    assert mse(scene, decompress(packed, model=model).scene) < scene.cube.var()


def test_studies_train_on_components():
    family = {
        "source": "train",
        "kind": "gains",
        "sensor": "AVIRIS",
        "bands_per_cluster": 3,
        "train_on": ["a"],
    }
    family |= {"lambdas": [1e-3], "levels": 4}
    options = TrainedFamily(**family, inputs="components").training_options("gains")
    assert " ".join(["--klt", "--qualities", "4"]) in " ".join(options)
    assert "--precision" not in options
    mixed = TrainedFamily(**family, precision="mixed").training_options("gains")
    assert mixed[mixed.index("--precision") + 1] == "mixed"
    with pytest.raises(ValueError, match="expected kind gains"):
        TrainedFamily(**{**family, "kind": "separate"}, inputs="components")
