"""Where the processor has no bfloat16, or TensorFlow may not use it, none of its kernels in bfloat16 are run."""

import numpy as np
import pytest

from bandpress.hyperprior import processor

BOTH = "processor\t: 0\nflags\t\t: fpu avx2 avx512f avx512_bf16\nbugs\t\t:\n\nflags\t\t: fpu\n"


@pytest.fixture
def cpuinfo(tmp_path, monkeypatch):
    """Take the place of /proc/cpuinfo, and of what the environment says."""
    for name in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "TF_ENABLE_ONEDNN_OPTS"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "cpuinfo"
    path.write_text(BOTH)
    monkeypatch.setattr(processor, "_INFO", path)
    return path


def test_bfloat16_is_what_the_processor_has(cpuinfo):
    assert processor.has_bfloat16()
    cpuinfo.write_text(BOTH.replace("avx512_bf16", "amx_bf16"))
    assert processor.has_bfloat16()
    cpuinfo.write_text(BOTH.replace("avx512_bf16", "avx512_vnni"))
    assert not processor.has_bfloat16()
    cpuinfo.unlink()
    assert not processor.has_bfloat16()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("TF_ENABLE_ONEDNN_OPTS", "0", False),
        ("TF_ENABLE_ONEDNN_OPTS", "1", True),
        ("ONEDNN_MAX_CPU_ISA", "AVX2", False),
        ("ONEDNN_MAX_CPU_ISA", "avx512_core", False),
        ("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_BF16", True),
        ("ONEDNN_MAX_CPU_ISA", "DEFAULT", True),
        ("DNNL_MAX_CPU_ISA", "SSE41", False),
    ],
)
def test_bfloat16_is_what_onednn_may_use(cpuinfo, monkeypatch, name, value, expected):
    monkeypatch.setenv(name, value)
    assert processor.has_bfloat16() is expected


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "has",
    [
        False,
        pytest.param(
            True,
            marks=pytest.mark.skipif(not processor.has_bfloat16(), reason="this processor has no bfloat16"),
        ),
    ],
)
def test_an_encoder_in_bfloat16_finds_nearly_the_same_symbols(monkeypatch, has):
    import golden
    from bandpress.hyperprior import network, store

    monkeypatch.setattr(network, "has_bfloat16", lambda: has)
    coder = network.Network(store.load(golden.MODELS["plain"]))
    x = np.random.default_rng(0).random((2, 64, 64, coder.architecture.bands_per_cluster)).astype(np.float32)
    wide, narrow = (coder.analyse(x, np.zeros(2, np.int32), bfloat16=narrow) for narrow in (False, True))
    apart = np.abs(wide.y - narrow.y)
    assert 0 < (apart > 0).mean() < 0.05
    assert apart.max() == 1
