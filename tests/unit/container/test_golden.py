"""Golden streams: the encoder still writes these bytes, every decoder reads these symbols."""

import json

import numpy as np
import pytest

import golden
from bandpress import model_folders
from bandpress.clusters import Cluster
from bandpress.coding import compress, decompress
from bandpress.container.bitstream import Reader
from bandpress.errors import BandpressError, ModelError

NAMES = sorted(golden.MODELS)
facts = json.loads(golden.FACTS.read_text())


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def tensorflow():
    return pytest.importorskip("tensorflow", reason="needs the TensorFlow environment")


@pytest.mark.tensorflow
@pytest.mark.parametrize("batch", [0, 1, 2])
def test_the_encoder_writes_the_golden_bytes(name, batch, tmp_path, tensorflow):
    from bandpress.codecs.learned import Learned

    quality = 1.5 if name == "gains" else None
    codec = Learned(golden.MODELS[name], quality=quality, batch=batch, precision="float32")
    compress(golden.scene(), tmp_path / "a.bpk", codec)
    assert (tmp_path / "a.bpk").read_bytes() == golden.stream(name).read_bytes()


@pytest.mark.tensorflow
def test_the_decoder_gives_the_golden_symbols_and_samples(name, tensorflow):
    assert golden.symbols_digest(name) == facts[name]["symbols"]
    decoded = decompress(golden.stream(name), model=golden.MODELS[name]).scene
    expected = np.load(golden.DATA / f"golden-{name}.npz")["cube"]
    assert decoded.dtype.str == ">i2"
    assert decoded.wavelengths == golden.scene().wavelengths
    assert np.abs(decoded.cube.astype(int) - expected).max() <= 1
    assert (decoded.cube[4] == golden.scene().cube[4]).all()


def test_a_decoder_written_from_the_documentation_gives_the_same(name):
    second_decoder = pytest.importorskip("second_decoder", reason="needs safetensors")
    cube, latents = second_decoder.decode(golden.stream(name), golden.MODELS[name])
    import hashlib

    digest = hashlib.sha256(b"".join(y.astype("<i4").tobytes() for y in latents)).hexdigest()
    assert digest == facts[name]["symbols"]
    expected = np.load(golden.DATA / f"golden-{name}.npz")["cube"]
    assert np.abs(cube.astype(int) - expected).max() <= 1


@pytest.mark.tensorflow
def test_some_bands_decode_alone(name, tensorflow):
    whole = decompress(golden.stream(name), model=golden.MODELS[name]).scene
    part = decompress(golden.stream(name), model=golden.MODELS[name], bands=(3, 4)).scene
    assert np.array_equal(part.cube, whole.cube[2:4])
    assert part.wavelengths == whole.wavelengths[2:4]


@pytest.mark.tensorflow
def test_salvage_gives_the_undamaged_clusters(name, tmp_path, tensorflow):
    data = bytearray(golden.stream(name).read_bytes())
    whole = decompress(golden.stream(name), model=golden.MODELS[name]).scene.cube
    with Reader(golden.stream(name)) as reader:
        data[-33 - reader.chunk_bytes[2] - reader.chunk_bytes[1] // 2] ^= 1
    bad = tmp_path / "bad.bpk"
    bad.write_bytes(data)
    with pytest.raises(BandpressError, match=r"bad\.bpk: cluster b4-6 is damaged"):
        decompress(bad, model=golden.MODELS[name])
    salvaged = decompress(bad, model=golden.MODELS[name], salvage=True)
    assert salvaged.damaged == (Cluster(3, 3),)
    assert np.array_equal(salvaged.scene.cube[[0, 1, 2, 6]], whole[[0, 1, 2, 6]])
    assert not salvaged.scene.cube[3:6].any()


def test_another_model_is_refused(name):
    other = golden.MODELS["gains" if name == "plain" else "plain"]
    with pytest.raises(ModelError, match=model_folders.digest_of(golden.MODELS[name])):
        decompress(golden.stream(name), model=other)


def test_a_model_that_changed_by_a_byte_is_refused(name, tmp_path):
    for file in golden.MODELS[name].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    for file in sorted(tmp_path.iterdir()):
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
        with pytest.raises(ModelError, match=str(tmp_path)):
            decompress(golden.stream(name), model=tmp_path)
        data[len(data) // 2] ^= 1
        file.write_bytes(data)


def test_the_data_stays_small():
    assert sum(file.stat().st_size for file in golden.DATA.rglob("*") if file.is_file()) < 350_000
