"""predicted-learned with a context model: components of segments, random access, damage."""

from dataclasses import replace

import numpy as np
import pytest

from bandpress import Scene
from bandpress.codecs import codec_class, make_codec
from bandpress.coding import compress, decompress, rate
from bandpress.container.bitstream import Reader
from bandpress.errors import BitstreamError, CodecError
from baseline_scenes import psnr, smooth_scene
from golden_contexts import MODEL

NAME = "predicted-learned"


@pytest.fixture(scope="module")
def scene():
    return smooth_scene(bands=50, lines=32, samples=40)


@pytest.fixture(scope="module")
def model():
    return MODEL


@pytest.fixture(scope="module")
def stream(tmp_path_factory, scene, model):
    """A file of 25 clusters of two bands, in segments of 8."""
    path = tmp_path_factory.mktemp("predicted") / "scene.bpk"
    compress(scene, path, make_codec(NAME, model=model, step=10.0, bands_per_cluster=2, key_distance=8))
    return path


def damaged(path, folder, number):
    """A copy of a file with one byte changed in one cluster, counted from 0."""
    data = bytearray(path.read_bytes())
    with Reader(path) as reader:
        data[reader._offsets[number] + reader.chunk_bytes[number] // 2] ^= 4
    copy = folder / "damaged.bpk"
    copy.write_bytes(data)
    return copy


def test_the_file_decodes_to_what_the_encoder_saw(stream, scene, model):
    with Reader(stream) as reader:
        assert reader.header.parameters["order"] == "components"
        assert reader.header.bands_per_cluster == 2
    codec = make_codec(NAME, model=model, step=10.0, bands_per_cluster=2, key_distance=8)
    seen = codec._trial(scene)(10.0)
    found = decompress(stream, model=model).scene
    error = np.square(found.cube.astype(np.float64) - scene.cube).mean()
    assert error == pytest.approx(seen.mse, rel=1e-12)
    assert psnr(scene, found) > 80


def test_a_rate_is_met(tmp_path, scene, model):
    path = tmp_path / "scene.bpk"
    compress(scene, path, make_codec(NAME, model=model, rate=1.0))
    assert rate(path, scene.cube.shape) == pytest.approx(1.0, rel=0.02)
    assert psnr(scene, decompress(path, model=model).scene) > 55


def test_a_cluster_takes_two_chunks_at_most(stream, scene, model, tmp_path):
    whole = decompress(stream, model=model).scene.cube
    with Reader(stream) as reader:
        header = reader.header
    needed = {c: codec_class(NAME).needed(header, c) for c in header.clusters}
    assert max(map(len, needed.values())) == 2
    for cluster, others in needed.items():
        assert {header.clusters.index(other) // 8 for other in others} == {
            header.clusters.index(cluster) // 8
        }
    # Bands 37 and 38 are cluster 18: its segment begins with cluster 16; all others may be damaged.
    copy = damaged(stream, tmp_path, 17)
    part = decompress(copy, model=model, bands=(37, 38)).scene.cube
    assert np.array_equal(part, whole[36:38])


@pytest.mark.parametrize(("number", "lost"), [(8, range(8, 16)), (11, [11])])
def test_damage_costs_a_cluster_or_its_segment(stream, scene, model, tmp_path, number, lost):
    copy = damaged(stream, tmp_path, number)
    with pytest.raises(BitstreamError):
        decompress(copy, model=model)
    whole = decompress(stream, model=model).scene.cube
    found = decompress(copy, model=model, salvage=True)
    with Reader(stream) as reader:
        clusters = reader.header.clusters
    assert list(found.damaged) == [clusters[i] for i in lost]
    for i, cluster in enumerate(clusters):
        if i not in lost:
            assert np.array_equal(found.scene.cube[cluster.bands], whole[cluster.bands])


def test_one_segment_for_the_whole_scene(tmp_path, scene, model):
    path = tmp_path / "scene.bpk"
    compress(scene, path, make_codec(NAME, model=model, step=10.0, key_distance=1000))
    assert psnr(scene, decompress(path, model=model).scene) > 80
    with Reader(path) as reader:
        header = reader.header
    first = header.clusters[0]
    assert all(set(codec_class(NAME).needed(header, one)) == {first, one} for one in header.clusters)


@pytest.mark.parametrize("dtype", ["|u1", "<u2", ">u2", "<i2", ">i2"])
def test_every_type_and_constant_bands_come_back(tmp_path, model, dtype):
    source = smooth_scene(bands=10, lines=20, samples=17)
    cube = (source.cube.astype(np.int64) % 251).astype(dtype)
    cube[6:] = 7
    path = tmp_path / "scene.bpk"
    compress(Scene(cube), path, make_codec(NAME, model=model, step=3.0, key_distance=2))
    back = decompress(path, model=model).scene.cube
    assert back.dtype.str == dtype
    assert np.array_equal(back[6:], cube[6:])


def test_a_psnr_is_met_and_written_down(tmp_path, scene, model):
    path = tmp_path / "scene.bpk"
    compress(scene, path, make_codec(NAME, model=model, psnr=75.0))
    reached = psnr(scene, decompress(path, model=model).scene)
    assert reached == pytest.approx(75, abs=0.25)  # a scene so small does not fall smoothly with the step
    with Reader(path) as reader:
        assert reader.header.parameters["psnr"] == pytest.approx(reached, abs=1e-3)


@pytest.mark.parametrize("wrong", [{"key_distance": 0}, {"key_distance": True}, {"bands_per_cluster": "all"}])
def test_options_that_make_no_segment_are_refused(model, wrong):
    with pytest.raises(CodecError, match=r"expected a (positive|valid) integer"):
        make_codec(NAME, model=model, step=1.0, **wrong)


@pytest.mark.parametrize(
    "wrong", [{"key_distance": -1}, {"key_distance": [3]}, {"order": "tree"}, {"order": {}}]
)
def test_headers_that_name_no_segments_are_refused(stream, model, wrong):
    with Reader(stream) as reader:
        header = reader.header
    header = replace(header, parameters={**header.parameters, **wrong})
    with pytest.raises(BitstreamError, match="key distance"):
        codec_class(NAME).decoder(header, model)
    with pytest.raises(BitstreamError, match="key distance"):
        codec_class(NAME).needed(header, header.clusters[0])


def test_a_key_chunk_cut_short_is_refused(stream, model):
    with Reader(stream) as reader:
        header = reader.header
        ((cluster, chunk),) = list(reader.chunks(reader.clusters[:1]))
    codec = codec_class(NAME).decoder(header, model)
    for size in (0, 3, 4, len(chunk) // 2):
        with pytest.raises(BitstreamError, match="bytes of components"):
            list(codec.decode(header, [(cluster, chunk[:size])]))
