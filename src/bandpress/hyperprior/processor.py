"""Instruction sets of this machine's processor. No TensorFlow here."""

import os
from pathlib import Path

#: Instruction sets without bfloat16, as the environment variable ONEDNN_MAX_CPU_ISA names them to limit oneDNN.
_WITHOUT = {"SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE", "AVX512_CORE_VNNI"}

_INFO = Path("/proc/cpuinfo")


def has_bfloat16() -> bool:
    """Say whether bfloat16 convolutions are faster than float32 ones on this machine.

    They are with AMX or AVX512-BF16. Without these, TensorFlow's kernels are missing, or sum in bfloat16, slowly and
    with up to five times the error. A measurement would not give the same answer every time, and the encoder's output
    depends on it.
    """
    return bool(_flags() & {"amx_bf16", "avx512_bf16"})


def _flags() -> set[str]:
    """Return the processor's instruction sets from Linux; none if oneDNN, or its bfloat16, is disabled."""
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA") or ""
    if os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1").lower() in ("0", "false") or limit.upper() in _WITHOUT:
        return set()
    try:
        return set(_INFO.read_text().partition("\nflags")[2].partition("\n")[0].split())
    except OSError:
        return set()
