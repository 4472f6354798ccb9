"""The codecs that predict: targets met, better than clusters alone, random access, damage and differences contained."""

from pathlib import Path

import numpy as np
import pytest

from bandpress import Scene
from bandpress.codecs import make_codec
from bandpress.coding import compress, decompress, rate
from bandpress.container.bitstream import Reader
from bandpress.errors import CodecError, ModelError
from baseline_scenes import smooth_scene

NAME = "predicted-jpeg2000"


def psnr(scene, other):
    return 10 * np.log10(65535**2 / np.mean((scene.cube.astype(np.float64) - other.cube) ** 2))


@pytest.fixture(scope="module")
def scene():
    return smooth_scene(bands=50, lines=32, samples=40)


@pytest.fixture(scope="module")
def stream(tmp_path_factory, scene):
    """A file of 25 clusters of two bands, in segments of 8."""
    path = tmp_path_factory.mktemp("predicted") / "scene.bpk"
    compress(scene, path, make_codec(NAME, step=10.0, bands_per_cluster=2, key_distance=8))
    return path


def damaged(path, folder, clusters):
    """A copy of a file with one byte changed in each of some clusters, counted from 0."""
    data = bytearray(path.read_bytes())
    with Reader(path) as reader:
        for number in clusters:
            data[reader._offsets[number] + reader.chunk_bytes[number] // 2] ^= 4
    copy = folder / "damaged.bpk"
    copy.write_bytes(data)
    return copy


def test_a_rate_is_met_and_prediction_beats_clusters_alone(tmp_path, scene):
    found = {}
    for name in (NAME, "rklt-jpeg2000"):
        path = tmp_path / f"{name}.bpk"
        compress(scene, path, make_codec(name, rate=1.0))
        assert rate(path, scene.cube.shape) == pytest.approx(1.0, rel=0.02)
        found[name] = psnr(scene, decompress(path).scene)
    assert found[NAME] > found["rklt-jpeg2000"] + 3


def test_a_psnr_is_met_and_written_down(tmp_path, scene):
    path = tmp_path / "scene.bpk"
    compress(scene, path, make_codec(NAME, psnr=80.0))
    reached = psnr(scene, decompress(path).scene)
    assert reached == pytest.approx(80, abs=0.25)  # the loop does not fall smoothly with the step
    with Reader(path) as reader:
        assert reader.header.parameters["psnr"] == pytest.approx(reached, abs=1e-3)


@pytest.mark.parametrize("dtype", ["|u1", "<u2", ">u2", "<i2", ">i2"])
def test_every_type_and_constant_bands_come_back(tmp_path, dtype):
    source = smooth_scene(bands=10, lines=20, samples=17)
    cube = (source.cube.astype(np.int64) % 251).astype(dtype)
    cube[3:6] = 7
    cube[9] = np.iinfo(dtype).max
    path = tmp_path / "scene.bpk"
    compress(Scene(cube), path, make_codec(NAME, step=3.0, key_distance=3))
    back = decompress(path).scene.cube
    assert back.dtype.str == dtype
    assert np.array_equal(back[3:6], cube[3:6])
    assert np.array_equal(back[9], cube[9])
    assert np.abs(back.astype(int) - cube).mean() < 3


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 40, 3), (4, 1, 50), (7, 3, 3)])
def test_scenes_of_odd_shapes_come_back(tmp_path, shape):
    cube = np.random.default_rng(0).integers(0, 65536, shape).astype("<u2")
    path = tmp_path / "scene.bpk"
    compress(Scene(cube), path, make_codec(NAME, step=1.0, bands_per_cluster=2))
    back = decompress(path).scene.cube
    assert back.shape == shape
    assert np.abs(back.astype(int) - cube).max() < 40


def test_some_bands_are_what_all_bands_are_and_need_one_segment_at_most(stream, tmp_path):
    whole = decompress(stream).scene.cube
    with Reader(stream) as reader:
        header, clusters = reader.header, reader.clusters
    from bandpress.codecs import codec_class

    for number, cluster in enumerate(clusters):
        needed = codec_class(NAME).needed(header, cluster)
        assert cluster in needed
        assert len(needed) <= 5
        others = [i for i, one in enumerate(clusters) if one not in needed]
        copy = damaged(stream, tmp_path, others)
        part = decompress(copy, bands=(cluster.first + 1, cluster.stop)).scene.cube
        assert np.array_equal(part, whole[cluster.bands]), number


@pytest.mark.parametrize("number", [0, 4, 7, 11, 24])
def test_a_damaged_cluster_costs_its_segment_at_most_and_the_losses_are_named(stream, tmp_path, number):
    whole = decompress(stream).scene.cube
    found = decompress(damaged(stream, tmp_path, [number]), salvage=True)
    lost = {cluster.first // 2 for cluster in found.damaged}
    assert number in lost
    assert {i // 8 for i in lost} == {number // 8}
    for i in range(25):
        bands = slice(2 * i, 2 * i + 2)
        assert np.array_equal(found.scene.cube[bands], 0 * whole[bands] if i in lost else whole[bands])
    if number in (4, 12):
        assert len(lost) == 8


@pytest.mark.parametrize("order", ["tree", "chain"])
@pytest.mark.parametrize("drift", [8.0, 200.0])
def test_a_difference_of_one_count_in_key_clusters_stays_below_the_drift(
    tmp_path, monkeypatch, scene, order, drift
):
    """Key clusters that decode to other numbers, by one, on another machine."""
    from bandpress.codecs import predicted_jpeg2000

    path = tmp_path / "scene.bpk"
    options = {"step": 10.0, "bands_per_cluster": 2, "key_distance": 16, "order": order, "drift": drift}
    compress(scene, path, make_codec(NAME, **options))
    here = decompress(path).scene.cube.astype(int)
    original = predicted_jpeg2000.Jpeg2000Coder.decoded
    keys = (8, 20) if order == "tree" else (0, 16)
    random = np.random.default_rng(0)

    def elsewhere(coder, items):
        for item in items:
            residual = original(coder, item.reader, item.chunk, item.cluster.count)
            if item.cluster.first // 2 in keys:
                residual = residual + random.integers(-1, 2, residual.shape)
            yield residual

    monkeypatch.setattr(predicted_jpeg2000.Jpeg2000Coder, "decode", elsewhere)
    there = decompress(path).scene.cube.astype(int)
    difference = np.abs(there - here)
    assert difference[2 * keys[0]].max() == 1
    assert 1 <= difference.max() <= drift


def test_options_that_cannot_be_are_refused_in_a_sentence():
    for options, found in [
        ({}, "no target given"),
        ({"rate": 1.0, "psnr": 50.0}, "rate and psnr given"),
        ({"rate": -1.0}, "rate -1.0; expected a positive number"),
        ({"rate": 1.0, "references": 16}, "16 references; expected 0 to 15"),
        ({"rate": 1.0, "bands_per_cluster": "all"}, "all bands in one cluster"),
        ({"rate": 1.0, "key_distance": 0}, "a key cluster every 0 clusters"),
    ]:
        with pytest.raises(CodecError, match=found):
            make_codec(NAME, **options)


# The network.


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model with gains as a training on residuals starts it."""
    pytest.importorskip("tensorflow", reason="needs the TensorFlow environment")
    from bandpress.codecs.residuals import ladder, residual_clusters
    from bandpress.hyperprior.architecture import Architecture
    from bandpress.hyperprior.training import warm_start
    from bandpress.hyperprior.training.finalise import finalise
    from bandpress.hyperprior.training.patches import Patches

    source = smooth_scene(bands=16, lines=32, samples=32, seed=1)
    left = residual_clusters([source], 2, (1e-1,))
    architecture, lambdas = Architecture(2, 16, 32, 8, qualities=3), ladder(left, 2, 3)
    made = warm_start.fit(Patches((), 2, 32, 1, 0, left).fixed(24), (16, 16, 16, 32))
    weights = warm_start.weights(made, architecture, lambdas, 1, warm_start.FLAT)
    card = {"lambda": list(lambdas), "reference_range": made.scale}
    return finalise(tmp_path_factory.mktemp("models") / "m", weights, architecture, card)


@pytest.mark.tensorflow
def test_the_network_codes_what_prediction_leaves(tmp_path, model, scene):
    path = tmp_path / "scene.bpk"
    compress(scene, path, make_codec("predicted-learned", model=model.path, step=20.0, key_distance=8))
    whole = decompress(path, model=model.path).scene
    with Reader(path) as reader:
        assert reader.header.model == model.digest
        assert reader.header.bands_per_cluster == 2
    assert psnr(scene, whole) > 70
    part = decompress(path, model=model.path, bands=(23, 30)).scene.cube
    assert np.abs(part.astype(int) - whole.cube[22:30]).max() <= 2
    found = decompress(damaged(path, tmp_path, [4]), model=model.path, salvage=True)
    assert {cluster.first // 16 for cluster in found.damaged} == {0}
    assert len(found.damaged) == 8


@pytest.mark.tensorflow
def test_residuals_decode_without_any_prediction(tmp_path, monkeypatch, model, scene):
    """Entropy decoding sees the chunk alone: with other predictions the residuals are the same."""
    from bandpress.codecs import predicted
    from bandpress.codecs.residual_network import NetworkCoder

    path = tmp_path / "scene.bpk"
    compress(scene, path, make_codec("predicted-learned", model=model.path, step=20.0))
    seen: list[list[np.ndarray]] = []
    original = NetworkCoder.decode

    def watched(coder, items):
        seen.append([])
        for residual in original(coder, items):
            seen[-1].append(residual.copy())
            yield residual

    monkeypatch.setattr(NetworkCoder, "decode", watched)
    decompress(path, model=model.path)
    monkeypatch.setattr(predicted.Prediction, "apply", lambda self, offered, dtype: np.int32(0))
    decompress(path, model=model.path)
    assert len(seen) == 2
    assert all(np.array_equal(a, b) for a, b in zip(*seen, strict=True))


@pytest.mark.tensorflow
def test_a_network_without_gains_or_for_other_clusters_is_refused(tmp_path, model, scene):
    from bandpress.hyperprior.architecture import Architecture
    from bandpress.hyperprior.training.finalise import finalise

    architecture = Architecture(2, 8, 12, 6, scales=24, scale_max=64.0)
    plain = finalise(tmp_path / "plain", architecture.random_weights(1), architecture, {"lambda": 1e-3})
    for options, found in [
        ({"model": plain.path}, "models without gains"),
        ({"model": model.path, "bands_per_cluster": 3}, "expected one for 3"),
    ]:
        with pytest.raises(ModelError, match=found):
            compress(scene, Path(tmp_path) / "x.bpk", make_codec("predicted-learned", rate=1.0, **options))


def test_widths_hold_a_residual_and_are_no_wider_than_needed():
    from bandpress.codecs.residual_network import width_code, width_of

    assert [width_of(code) for code in (1, 2, 3, 4, 8, 68)] == [2, 2, 2, 2, 4, 1 << 17]
    for most in (1, 2, 3, 10, 999, 65535):
        code = width_code(np.array([[[-most, 0]]]))
        assert width_of(code) >= 2 * most + 1
        assert code < 12 or width_of(code - 2) < 2 * most + 1
    assert width_code(np.zeros((1, 2, 2), np.int32)) == 0


@pytest.mark.slow
@pytest.mark.tensorflow
def test_a_training_on_residuals_makes_a_model_that_codes(tmp_path):
    from click.testing import CliRunner

    from bandpress.cli.train import command
    from bandpress.formats import write_scene

    for seed in (1, 2):
        source = smooth_scene(bands=12, lines=32, samples=32, seed=seed)
        write_scene(Scene(source.cube, name=f"scene-{seed}"), tmp_path / f"scene-{seed}.12_32_32_2_1_0.raw")
    paths = [str(tmp_path / f"scene-{seed}.12_32_32_2_1_0.raw") for seed in (1, 2)]
    words = [
        paths[0],
        "--validate",
        paths[1],
        "-k",
        "2",
        "--filters",
        "16",
        "32",
        "--hyper",
        "8",
        "--patch",
        "32",
    ]
    words += [
        "--residuals",
        "jpeg2000",
        "--lambda",
        "0.1",
        "--qualities",
        "3",
        "--steps",
        "4",
        "--batch",
        "2",
    ]
    found = CliRunner().invoke(command, [*words, "-o", str(tmp_path / "m")], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    path = tmp_path / "scene.bpk"
    scene = smooth_scene(bands=12, lines=32, samples=32, seed=3)
    compress(scene, path, make_codec("predicted-learned", model=tmp_path / "m", step=15.0))
    assert psnr(scene, decompress(path, model=tmp_path / "m").scene) > 70
