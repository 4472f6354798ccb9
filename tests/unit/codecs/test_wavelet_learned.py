"""wavelet-learned: any integers come back, at the rate that was asked for, the same everywhere."""

import hashlib
import json

import numpy as np
import pytest
from click.testing import CliRunner

import golden_contexts as golden
import second_context_decoder
from bandpress import Scene, model_folders, write_scene
from bandpress.cli import cli
from bandpress.clusters import Cluster
from bandpress.codecs import make_codec
from bandpress.coding import compress, decompress, rate
from bandpress.container.bits import BitReader
from bandpress.container.bitstream import Reader
from bandpress.contexts import store as context_store
from bandpress.errors import BandpressError, CodecError, ModelError
from bandpress.transforms.projection import Basis
from baseline_scenes import psnr, smooth_scene
from golden import MODELS, scene

NAMES = sorted(golden.STREAMS)
facts = json.loads(golden.FACTS.read_text())


def codec(**options):
    return make_codec("wavelet-learned", model=golden.MODEL, **options)


def coded(path, source, **options):
    compress(source, path, codec(**options))
    return decompress(path, model=golden.MODEL).scene


@pytest.mark.parametrize("name", NAMES)
def test_the_encoder_writes_the_golden_bytes(name, tmp_path):
    compress(scene(), tmp_path / "a.bpk", golden.codec(name))
    assert (tmp_path / "a.bpk").read_bytes() == golden.stream(name).read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_the_decoder_gives_the_golden_samples_to_the_bit(name):
    assert golden.samples_digest(name) == facts[name]["samples"]
    decoded = decompress(golden.stream(name), model=golden.MODEL).scene
    assert decoded.dtype.str == ">i2"
    assert decoded.wavelengths == scene().wavelengths
    assert psnr(decoded, scene()) > 70


@pytest.mark.parametrize(
    ("bands_per_cluster", "asked"),
    [(1, 0.5), (3, 0.4), (3, 1.0), (3, 2.5), ("all", 0.1), ("all", 0.14), ("all", 2.5)],
)
def test_a_rate_is_met_by_the_whole_file(bands_per_cluster, asked, tmp_path):
    source = smooth_scene(bands=14, lines=64, samples=60, seed=5)
    decoded = coded(tmp_path / "a.bpk", source, rate=asked, bands_per_cluster=bands_per_cluster)
    assert rate(tmp_path / "a.bpk", source.cube.shape) == pytest.approx(asked, rel=0.02)
    assert psnr(decoded, source) > 50


def test_a_psnr_is_met(tmp_path):
    source = smooth_scene(bands=9, seed=5)
    decoded = coded(tmp_path / "a.bpk", source, psnr=75.0)
    assert psnr(decoded, source) == pytest.approx(75, abs=0.2)
    with Reader(tmp_path / "a.bpk") as reader:
        assert reader.header.parameters["psnr"] == pytest.approx(psnr(decoded, source), abs=0.01)


@pytest.mark.parametrize("dtype", ["<u2", ">u2", "<i2", ">i2", "u1"])
@pytest.mark.parametrize("bands_per_cluster", [1, 3, "all"])
def test_every_type_comes_back_as_it_was(dtype, bands_per_cluster, tmp_path):
    cube = smooth_scene(bands=7, lines=33, samples=26).cube.astype(float)
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    cube = low + (cube - cube.min()) / np.ptp(cube) * (high - low)
    source = Scene(np.rint(cube).astype(dtype), name="types")
    step = (high - low) / 2000
    decoded = coded(tmp_path / "a.bpk", source, step=step, bands_per_cluster=bands_per_cluster)
    assert decoded.dtype.str == source.dtype.str
    assert np.abs(decoded.cube.astype(int) - source.cube).max() < 4 * max(step, 1)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 40, 30), (2, 1, 9), (3, 2, 2), (5, 3, 50), (4, 17, 1)])
def test_any_size_comes_back(shape, tmp_path):
    source = Scene(np.random.default_rng(0).integers(0, 60000, shape).astype("<u2"), name="small")
    decoded = coded(tmp_path / "a.bpk", source, step=50.0)
    assert decoded.cube.shape == shape
    assert np.abs(decoded.cube.astype(int) - source.cube).max() < 400


def test_a_constant_scene_costs_nothing_but_its_values(tmp_path):
    cube = np.zeros((6, 30, 20), "<i2")
    cube[:] = np.array([-32768, -1, 0, 7, 500, 32767])[:, None, None]
    decoded = coded(tmp_path / "a.bpk", Scene(cube, name="flat"), step=10.0)
    assert np.array_equal(decoded.cube, cube)
    assert (tmp_path / "a.bpk").stat().st_size < 400


def test_some_bands_read_their_clusters_alone(tmp_path, monkeypatch):
    whole = decompress(golden.stream("contexts-k3"), model=golden.MODEL).scene
    read = []
    original = Reader.chunks

    def counted(self, clusters, *args, **options):
        clusters = list(clusters)
        read.extend(clusters)
        return original(self, clusters, *args, **options)

    monkeypatch.setattr(Reader, "chunks", counted)
    part = decompress(golden.stream("contexts-k3"), model=golden.MODEL, bands=(4, 5)).scene
    assert np.array_equal(part.cube, whole.cube[3:5])
    assert set(read) == {Cluster(3, 3)}


def test_damage_is_refused_and_the_rest_is_salvaged(tmp_path):
    data = bytearray(golden.stream("contexts-k3").read_bytes())
    whole = decompress(golden.stream("contexts-k3"), model=golden.MODEL).scene.cube
    with Reader(golden.stream("contexts-k3")) as reader:
        data[-33 - reader.chunk_bytes[2] - reader.chunk_bytes[1] // 2] ^= 1
    bad = tmp_path / "bad.bpk"
    bad.write_bytes(data)
    with pytest.raises(BandpressError, match=r"bad\.bpk: cluster b4-6 is damaged"):
        decompress(bad, model=golden.MODEL)
    salvaged = decompress(bad, model=golden.MODEL, salvage=True)
    assert salvaged.damaged == (Cluster(3, 3),)
    assert np.array_equal(salvaged.scene.cube[[0, 1, 2, 6]], whole[[0, 1, 2, 6]])
    assert not salvaged.scene.cube[3:6].any()


@pytest.mark.parametrize("name", NAMES)
def test_a_chunk_that_is_nonsense_raises_no_other_error(name):
    """A checksum may be right of a file that somebody made: errors are stated, or something is decoded."""
    rng = np.random.default_rng(0)
    with Reader(golden.stream(name)) as reader:
        header = reader.header
        pairs = list(reader.chunks(reader.clusters[:1]))
    cluster, chunk = pairs[0]
    decoder = golden.codec(name)
    for trial in range(30):
        spoilt = bytearray(chunk)
        for place in rng.integers(0, len(chunk), 3):
            spoilt[place] ^= int(rng.integers(1, 256))
        spoilt = bytes(spoilt[: len(spoilt) // 2] if trial % 3 == 0 else spoilt)
        try:
            (samples,) = decoder.decode(header, [(cluster, spoilt)])
        except BandpressError:
            continue
        assert samples.shape == (cluster.count, header.lines, header.samples)


def test_another_model_is_refused(tmp_path):
    digest = context_store.load(golden.MODEL).digest
    with pytest.raises(ModelError, match=f"expected {digest}"):
        decompress(golden.stream("contexts-k3"), model=MODELS["plain"])
    other = tmp_path / "other"
    card = json.loads((golden.MODEL / "model.json").read_text())
    model = context_store.load(golden.MODEL)
    model_folders.write_folder(
        other, {"format": card["format"], "training": {}}, {model_folders.TABLES: model.tables()}
    )
    with pytest.raises(ModelError, match=f"expected {digest}"):
        decompress(golden.stream("contexts-k3"), model=other)


def test_a_network_is_refused_and_so_are_two_targets(tmp_path):
    with pytest.raises(CodecError, match="no target given"):
        make_codec("wavelet-learned", model=tmp_path)
    with pytest.raises(CodecError, match="rate and psnr given"):
        make_codec("wavelet-learned", model=tmp_path, rate=1.0, psnr=60.0)
    with pytest.raises(ModelError, match="expected 'bandpress-contexts'"):
        make_codec("wavelet-learned", model=MODELS["plain"], rate=1.0).encode(smooth_scene())


def test_it_is_used_from_the_command_line(tmp_path):
    source = write_scene(smooth_scene(bands=8, lines=40, samples=32), tmp_path / "scene.raw")
    model = ["--model", str(golden.MODEL)]
    packed = tmp_path / "scene.bpk"
    words = ["compress", str(source), *model, "--codec", "wavelet-learned", "-k", "all", "--rate", "1"]
    done = CliRunner().invoke(cli, [*words, "-o", str(packed)])
    assert done.exit_code == 0, done.output + str(done.exception)
    done = CliRunner().invoke(cli, ["info", str(packed)])
    assert "wavelet-learned" in done.output
    done = CliRunner().invoke(cli, ["decompress", str(packed), *model, "-o", str(tmp_path / "back.raw")])
    assert done.exit_code == 0, done.output + str(done.exception)


def test_the_data_is_what_was_committed():
    for name in NAMES:
        with Reader(golden.stream(name)) as reader:
            assert reader.header.model == context_store.load(golden.MODEL).digest


@pytest.mark.parametrize("name", NAMES)
def test_a_decoder_written_from_the_documentation_gives_the_same(name):
    """The matrix of the KLT is that of rklt-jpeg2000: taken from here."""
    found = []
    with Reader(golden.stream(name)) as reader:
        header = reader.header
        decoder = second_context_decoder.Decoder(golden.MODEL, header.lines, header.samples)
        for cluster, chunk in reader.chunks(reader.clusters):
            bits = BitReader(chunk)
            basis = Basis.read(bits, cluster.count)
            matrix = np.eye(1) if basis.vectors is None else basis.vectors.matrix()
            energies = [bits.number(6) for _ in range(bits.number(cluster.count.bit_length()))]
            _, values = decoder.decode(chunk[bits.bytes_read :], energies)
            components = np.zeros((cluster.count, header.lines, header.samples), np.int64)
            for number, component in enumerate(values):
                components[number] = second_context_decoder.undo_wavelet(
                    component * header.parameters["step"]
                )
            samples = second_context_decoder.undo_klt(components, matrix, basis.means)
            found.append(np.clip(samples, -32768, 32767))
    cube = np.concatenate(found).astype(header.dtype)
    assert hashlib.sha256(cube.tobytes()).hexdigest() == facts[name]["samples"]
