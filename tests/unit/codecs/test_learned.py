"""The learned codec: every type, constant clusters, families, targets; through the library and the commands."""

import numpy as np
import pytest
from click.testing import CliRunner

import golden
from bandpress import Scene, read_scene, write_scene
from bandpress.codecs import make_codec
from bandpress.coding import compress, decompress, rate
from bandpress.container.bitstream import Reader
from bandpress.container.ranges import Ranges, side_bytes
from bandpress.errors import BitstreamError, CodecError, ExistsError, ModelError

TYPES = ["|u1", "<u2", ">u2", "<i2", ">i2"]


@pytest.mark.parametrize("dtype", TYPES)
def test_ranges_round_trip(dtype):
    info = np.iinfo(dtype)
    cube = np.array([[[info.min, info.max]], [[3, 3]], [[info.max, info.max]]], dtype)
    ranges = Ranges.of(cube)
    packed = ranges.pack(np.dtype(dtype))
    assert len(packed) == side_bytes(3, np.dtype(dtype))
    back = Ranges.unpack(packed, 3, np.dtype(dtype))
    assert (back.low == ranges.low).all()
    assert (back.high == ranges.high).all()
    assert np.array_equal(back.restore(back.normalise(cube), np.dtype(dtype)), cube)


def test_a_range_beyond_the_type_is_refused():
    data = np.array([60000, 60000], "<u2").tobytes()
    with pytest.raises(BitstreamError, match="ranges up to 120000"):
        Ranges.unpack(data, 1, np.dtype("<u2"))


def scene(bands=8, dtype="<u2", seed=0):
    random = np.random.default_rng(seed)
    smooth = np.cumsum(np.cumsum(random.normal(size=(bands, 45, 33)), axis=1), axis=2)
    smooth -= smooth.min(axis=(1, 2), keepdims=True)
    smooth *= np.linspace(90, 250, bands)[:, None, None] / smooth.max(axis=(1, 2), keepdims=True)
    return Scene(smooth.astype(dtype), name="scene")


@pytest.fixture(scope="module")
def family(tmp_path_factory):
    """Three models of rising rate."""
    pytest.importorskip("tensorflow", reason="needs the TensorFlow environment")
    from bandpress.hyperprior.architecture import Architecture
    from bandpress.hyperprior.training.finalise import finalise

    folder = tmp_path_factory.mktemp("models") / "family"
    architecture = Architecture(3, (8, 6, 10), 12, 6, scales=24, scale_max=64.0)
    for i, gain in enumerate((4, 16, 64)):
        weights = architecture.random_weights(1)
        weights["analysis/3/kernel"] *= gain
        weights["hyper_synthesis/1/bias"] += 4 + 4 * i
        finalise(folder / f"q{i + 1}", weights, architecture, {"lambda": 10.0 ** (i - 4)})
    return folder


@pytest.mark.tensorflow
@pytest.mark.parametrize("dtype", TYPES)
def test_every_type_and_constant_bands_come_back(tmp_path, family, dtype):
    source = scene(dtype=dtype)
    source.cube[3:6] = 9
    source.cube[4] = 11
    source.cube[7] = np.iinfo(dtype).max
    compress(source, tmp_path / "a.bpk", make_codec("learned", model=family, quality=2))
    decoded = decompress(tmp_path / "a.bpk", model=family).scene
    assert decoded.dtype.str == dtype
    assert np.array_equal(decoded.cube[3:6], source.cube[3:6])
    assert np.array_equal(decoded.cube[7], source.cube[7])
    low, high = source.cube.min(axis=(1, 2)), source.cube.max(axis=(1, 2))
    assert (decoded.cube.min(axis=(1, 2)) >= low).all()
    assert (decoded.cube.max(axis=(1, 2)) <= high).all()


@pytest.mark.tensorflow
def test_qualities_of_a_family_are_in_order_of_lambda(tmp_path, family):
    sizes = [
        compress(scene(), tmp_path / "a.bpk", make_codec("learned", model=family, quality=q))
        for q in (1, 2, 3)
    ]
    assert sizes[0] < sizes[1] < sizes[2]
    with pytest.raises(CodecError, match="quality 4; expected an integer of 1 to 3"):
        compress(scene(), tmp_path / "a.bpk", make_codec("learned", model=family, quality=4))
    with pytest.raises(CodecError, match=r"quality 1\.5"):
        compress(scene(), tmp_path / "a.bpk", make_codec("learned", model=family, quality=1.5))
    with pytest.raises(CodecError, match="quality and rate were given"):
        make_codec("learned", model=family, quality=1, rate=0.5)


@pytest.mark.tensorflow
def test_a_rate_picks_the_best_model_that_does_not_exceed_it(tmp_path, family):
    path = tmp_path / "a.bpk"
    rates = []
    for quality in (1, 2, 3):
        compress(scene(), path, make_codec("learned", model=family, quality=quality))
        rates.append(rate(path, scene().cube.size))
    for target, expected in ((rates[1] * 1.001, rates[1]), (rates[1] * 0.999, rates[0]), (99.0, rates[2])):
        compress(scene(), path, make_codec("learned", model=family, rate=target))
        assert rate(path, scene().cube.size) == expected


@pytest.mark.tensorflow
def test_a_rate_that_headers_exceed_makes_no_file(tmp_path, family):
    for model in (family, golden.MODELS["gains"]):
        with pytest.raises(CodecError, match=r"learned reached .* bits per sample, not 0\.02;"):
            compress(scene(), tmp_path / "a.bpk", make_codec("learned", model=model, rate=0.02))
    assert not list(tmp_path.glob("*.bpk"))


@pytest.mark.tensorflow
def test_a_rate_is_met_along_lambda_by_a_model_with_gains(tmp_path):
    pytest.importorskip("tensorflow", reason="needs the TensorFlow environment")
    path = tmp_path / "a.bpk"
    source = scene(bands=30)
    model = golden.MODELS["gains"]
    ends = []
    for quality in (1, 2):
        compress(source, path, make_codec("learned", model=model, quality=quality))
        ends.append(rate(path, source.cube.size))
    target = sum(ends) / 2
    compress(source, path, make_codec("learned", model=model, rate=target))
    assert abs(rate(path, source.cube.size) / target - 1) < 0.02
    decompress(path, model=model)


@pytest.mark.tensorflow
def test_commands_compress_a_folder_verify_and_decompress(tmp_path, family):
    from bandpress.cli import cli

    for i in range(2):
        write_scene(Scene(scene(seed=i).cube, name=f"s{i}"), tmp_path / "in" / f"s{i}.raw")
    run = CliRunner().invoke
    done = run(
        cli, ["compress", str(tmp_path / "in"), "--model", str(family), "--quality", "1", "-o", str(tmp_path)]
    )
    assert done.exit_code == 0, done.output
    again = run(cli, ["compress", str(tmp_path / "in"), "--model", str(family), "-o", str(tmp_path)])
    assert isinstance(again.exception, ExistsError)
    assert "--overwrite" in str(again.exception)
    files = [str(tmp_path / f"s{i}.bpk") for i in range(2)]
    assert "all checksums are correct" in run(cli, ["verify", *files]).output
    assert "it decodes" in run(cli, ["verify", *files, "--decode", "--model", str(family)]).output
    assert run(cli, ["decompress", *files, "--model", str(family), "-o", str(tmp_path)]).exit_code == 0
    assert read_scene(next(tmp_path.glob("s0.8_*.raw"))).cube.shape == (8, 45, 33)
    assert "lambda 0.01" in run(cli, ["models", "list", str(family)]).output


@pytest.mark.tensorflow
def test_a_model_is_found_by_name_and_by_digest(tmp_path, family, monkeypatch):
    monkeypatch.setenv("BANDPRESS_MODELS", str(family.parent))
    compress(scene(), tmp_path / "a.bpk", make_codec("learned", model="family", quality=2))
    assert decompress(tmp_path / "a.bpk").scene.cube.shape == scene().cube.shape
    with pytest.raises(ModelError, match="nowhere: no such model"):
        compress(scene(), tmp_path / "b.bpk", make_codec("learned", model="nowhere"))
    assert not (tmp_path / "b.bpk").exists()


@pytest.mark.tensorflow
def test_a_psnr_picks_the_lowest_model_that_reaches_it_and_the_file_says_what_it_reached(tmp_path, family):
    path, source = tmp_path / "a.bpk", scene()
    compress(source, path, make_codec("learned", model=family, psnr=1.0))
    with Reader(path) as reader:
        stated = reader.header.parameters["psnr"]
    error = source.cube.astype(float) - decompress(path, model=family).scene.cube
    assert abs(10 * np.log10(65535**2 / np.mean(error**2)) - stated) < 0.01
    lowest = rate(path, source.cube.size)
    compress(source, path, make_codec("learned", model=family, quality=1))
    assert lowest == pytest.approx(rate(path, source.cube.size), rel=0.05)


def test_a_model_for_another_number_of_bands_is_refused(tmp_path):
    codec = make_codec("learned", model=golden.MODELS["plain"], bands_per_cluster=5)
    with pytest.raises(ModelError, match="for clusters of 3 bands; expected one for 5"):
        compress(golden.scene(), tmp_path / "a.bpk", codec)
    assert not (tmp_path / "a.bpk").exists()


def test_a_copied_model_is_the_same_and_a_half_one_another(family, tmp_path):
    from bandpress.cli.models import command
    from bandpress.hyperprior import store

    run = CliRunner()
    done = run.invoke(command, ["copy", str(family / "q1"), str(tmp_path / "same")], catch_exceptions=False)
    assert done.exit_code == 0
    half = run.invoke(
        command, ["copy", str(family / "q1"), str(tmp_path / "half"), "--half"], catch_exceptions=False
    )
    assert half.exit_code == 0
    original, same, other = (
        store.load(path) for path in (family / "q1", tmp_path / "same", tmp_path / "half")
    )
    assert same.digest == original.digest
    assert other.digest != original.digest
    for name, table in original.tables.items():
        assert np.array_equal(table, other.tables[name])
    for name, weight in original.weights.items():
        assert np.array_equal(other.weights[name], weight.astype(np.float16).astype(np.float32))
    with pytest.raises(ModelError, match="exists already"):
        store.copy(original, tmp_path / "same")


LAMBDAS = [1e-4, 1e-3]


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """A scene, and a family with gains as a training on it starts."""
    pytest.importorskip("tensorflow", reason="needs the TensorFlow environment")
    from bandpress.hyperprior.architecture import Architecture
    from bandpress.hyperprior.training import warm_start
    from bandpress.hyperprior.training.finalise import finalise
    from bandpress.hyperprior.training.patches import Patches

    bands = np.asarray(scene().cube, np.uint16) * 40
    original = Scene(bands + np.random.default_rng(1).integers(0, 200, bands.shape, np.uint16), name="scene")
    architecture = Architecture(3, (12, 32, 48), 64, 16, qualities=2)
    patches = Patches([original], 3, 32, 1, 1).fixed(64)
    made = warm_start.fit(patches, (*architecture.widths, architecture.latent))
    weights = warm_start.weights(made, architecture, LAMBDAS, 1)
    card = {"lambda": LAMBDAS, "reference_range": made.scale}
    path = tmp_path_factory.mktemp("models") / "warm"
    return original, finalise(path, weights, architecture, card, patches.x).path


@pytest.mark.tensorflow
def test_a_cluster_of_unlike_bands_is_coded_in_two_parts_if_that_costs_less(tmp_path, warm):
    """Bands 4 and 5 of a cluster are turned around: nothing like band 6."""
    original, model = warm
    cube = original.cube.copy()
    cube[3:5] = cube[3:5, ::-1, ::-1]
    path = tmp_path / "scene.bpk"
    compress(Scene(cube, name="unlike"), path, make_codec("learned", model=model, quality=2))
    with Reader(path) as reader:
        header = reader.header
        chunk = reader.chunk(1)
        assert chunk[12:14] == b"\xff\xff"
        assert chunk[14] == 2
        assert reader.chunk(0)[12:14] != b"\xff\xff"
    decoded = decompress(path, model=model).scene.cube
    assert decoded.shape == cube.shape
    alone = decompress(path, model=model, bands=(4, 6)).scene.cube
    assert np.array_equal(alone, decoded[3:6])
    codec = make_codec("learned", model=model)
    first = 12 + 7 + int.from_bytes(chunk[15:19], "little")
    for size in (*range(20), first - 1):
        with pytest.raises(BitstreamError):
            list(codec.decode(header, [(header.clusters[1], chunk[:size])]))


@pytest.mark.slow
@pytest.mark.tensorflow
def test_latent_refinement_makes_a_cheaper_file_that_any_decoder_reads(tmp_path, warm):
    """Cheaper by the loss that both are made for; the same file again from the same scene, whatever the batch."""
    from bandpress.codecs.learned import Learned

    original, model = warm
    losses, files = [], []
    for number, options in enumerate([{}, {"refine": 40}, {"refine": 40}, {"refine": 40, "batch": 1}]):
        file = tmp_path / f"{number}.bpk"
        compress(original, file, Learned(model, quality=2, **options))
        error = decompress(file, model=model).scene.cube.astype(float) - original.cube
        pixels = original.cube[0].size
        losses.append(8 * file.stat().st_size / pixels + LAMBDAS[1] / 3 * np.square(error).sum() / pixels)
        files.append(file.read_bytes())
    assert losses[1] < 0.98 * losses[0]
    assert files[1] == files[2]
    assert abs(losses[3] / losses[1] - 1) < 1e-3


def test_negative_refinement_steps_are_refused(tmp_path):
    with pytest.raises(CodecError, match="-1 steps of refinement"):
        make_codec("learned", model=tmp_path, refine=-1)
