"""The authors' models and streams: imported without running them, decoded exactly."""

import numpy as np
import pytest

from bandpress import read_scene
from bandpress.codecs.learned import Learned
from bandpress.coding import compress, decompress
from bandpress.errors import BitstreamError, ModelError
from places import CONFORMANCE

pytest.importorskip("tensorflow", reason="needs the TensorFlow environment")
pytestmark = pytest.mark.tensorflow

STREAMS = sorted((CONFORMANCE / "seed_streams").glob("k?/*.tfci"))
needs_conformance = pytest.mark.skipif(
    not STREAMS, reason=f"{CONFORMANCE} is missing: the authors' models and streams"
)


@pytest.fixture(scope="module")
def coders(tmp_path_factory):
    from bandpress.hyperprior.authors.models import import_model
    from bandpress.hyperprior.authors.streams import AuthorsCoder

    folder = tmp_path_factory.mktemp("models")
    return {
        k: AuthorsCoder(import_model(CONFORMANCE / "seed_models" / f"tiny_{k}", folder / k))
        for k in ("k1", "k3")
    }


@needs_conformance
@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.name.split(".")[0])
def test_authors_streams_decode_to_the_authors_reconstructions(coders, path):
    decoded = coders[path.parent.name].decode(path)
    expected = np.fromfile(f"{path}.raw", "<u2").reshape(decoded.cube.shape)
    assert decoded.dtype.str == "<u2"
    assert np.abs(decoded.cube.astype(int) - expected).max() <= 1


@needs_conformance
@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.name.split(".")[0])
def test_the_encoder_gives_streams_of_the_authors_length(coders, path):
    source = read_scene(path.with_suffix(""))
    assert abs(len(coders[path.parent.name].encode(source)) - path.stat().st_size) <= 8


@needs_conformance
def test_an_imported_model_codes_bpk_files(coders, tmp_path):
    scene = read_scene(next((CONFORMANCE / "seed_streams").glob("jasper*.raw")))
    # Whole latents: elsewhere the encoder repeats the last lines and samples, where the authors' has zeros.
    scene = scene.crop(bands=slice(0, 3), lines=slice(0, 80), samples=slice(0, 96))
    model = coders["k3"].model.path
    compress(scene, tmp_path / "a.bpk", Learned(model))
    cube = decompress(tmp_path / "a.bpk", model=model).scene.cube.astype(float)
    (tmp_path / "a.tfci").write_bytes(coders["k3"].encode(scene))
    seed = coders["k3"].decode(tmp_path / "a.tfci").cube
    # Scale indexes differ, symbols do not: the samples are those of the authors' reconstruction, within each range.
    low, high = (extreme(axis=(1, 2), keepdims=True) for extreme in (scene.cube.min, scene.cube.max))
    assert np.abs(cube - np.clip(seed, low, high)).max() <= 1


@needs_conformance
def test_a_damaged_authors_stream_gives_a_typed_error(coders, tmp_path):
    path = STREAMS[-1]
    bad = tmp_path / path.name
    for damaged in (b"", path.read_bytes()[:100], b"\xff" * 100):
        bad.write_bytes(damaged)
        with pytest.raises(BitstreamError, match=r"\.tfci"):
            coders["k3"].decode(bad)
    bad.write_bytes(path.read_bytes())
    with pytest.raises(ModelError, match="3 bands; expected 1"):
        coders["k1"].decode(bad)


def test_a_folder_without_a_checkpoint_is_refused(tmp_path):
    from bandpress.hyperprior.authors.models import import_model

    with pytest.raises(ModelError, match=r"variables\.index"):
        import_model(tmp_path, tmp_path / "out")
