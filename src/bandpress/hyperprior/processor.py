"""What this machine's processor can do. No TensorFlow here."""

import os
from pathlib import Path


def has_bfloat16() -> bool:
    """Tell whether convolutions in bfloat16 are faster than in float32 here.

    They are with AMX or AVX512-BF16. A measurement would tell as well, but not the same every time, and what an encoder
    writes depends on it.
    """
    return bool(_flags() & {"amx_bf16", "avx512_bf16"})


def _flags(processor: Path = Path("/proc/cpuinfo")) -> set[str]:
    """The processor's instructions, as Linux tells them; none if TensorFlow may not use oneDNN, which alone does."""
    if os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1").lower() in ("0", "false"):
        return set()
    try:
        return set(processor.read_text().partition("\nflags")[2].partition("\n")[0].split())
    except OSError:
        return set()
