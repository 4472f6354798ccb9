"""The authors' files have no checksum: what they say is checked before TensorFlow or much memory is involved."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import golden
from bandpress.errors import BandpressError, BitstreamError
from bandpress.hyperprior import store

tf = pytest.importorskip("tensorflow")
pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]
SIZES = st.one_of(
    st.lists(st.integers(-2, 40), max_size=3),
    st.sampled_from([[32, 32], [2, 2], [1, 1], [1 << 16, 1 << 16], [1 << 40, 1], []]),
)
TEXTS = st.lists(
    st.sampled_from([b"0", b"900.0", b"-5", b"nan", b"inf", b"1e999", b"x", b"\xff", b"1" * 5000]), max_size=4
)


@pytest.fixture(scope="module")
def coder():
    from bandpress.hyperprior.authors.streams import AuthorsCoder

    return AuthorsCoder(store.load(golden.MODELS["plain"]))


def packed(strings, sizes, texts):
    example = tf.train.Example()
    feature = example.features.feature
    for key, value in zip("\1\2", strings, strict=True):
        feature[key].bytes_list.value.append(value)
    for key, value in zip("\3\4\5", sizes, strict=True):
        feature[key].int64_list.value.extend(value)
    for key, value in zip("\6\7", texts, strict=True):
        feature[key].bytes_list.value.extend(value)
    return example.SerializeToString()


def test_few_bytes_of_a_vast_image_are_refused(tmp_path, coder):
    side = 1 << 16
    sizes = [[side, side], [side // 16, side // 16], [side // 32, side // 32]]
    (tmp_path / "a.tfci").write_bytes(packed([b"", b""], sizes, [[b"0"] * 3, [b"9"] * 3]))
    with pytest.raises(BitstreamError, match=r"a\.tfci: 65536 x 65536 samples take"):
        coder.decode(tmp_path / "a.tfci")


@settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
@given(
    strings=st.lists(st.binary(max_size=60), min_size=2, max_size=2),
    sizes=st.one_of(st.lists(SIZES, min_size=3, max_size=3), st.just([[32, 32], [2, 2], [1, 1]])),
    texts=st.one_of(st.lists(TEXTS, min_size=2, max_size=2), st.just([[b"0.0"] * 3, [b"900.0"] * 3])),
)
def test_any_stream_is_decoded_or_refused_with_its_name(tmp_path, coder, strings, sizes, texts):
    path = tmp_path / "a.tfci"
    path.write_bytes(packed(strings, sizes, texts))
    said = str(path)
    try:
        coder.decode(path)
    except BandpressError as error:
        said = str(error)
    assert said.startswith(str(path))
