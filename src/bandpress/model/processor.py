"""What this machine's processor can do. No TensorFlow here."""

import os
from pathlib import Path


def has_bfloat16(processor: Path = Path("/proc/cpuinfo")) -> bool:
    """Tell whether convolutions in bfloat16 are faster than in float32 here.

    They are with AMX or AVX512-BF16, as Linux tells them, and TensorFlow's oneDNN operations, which alone use these. A
    measurement would tell as well, but not the same every time, and what an encoder writes depends on it.
    """
    if os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1") in ("0", "false"):
        return False
    try:
        flags = processor.read_text().partition("\nflags")[2].partition("\n")[0].split()
    except OSError:
        return False
    return "amx_bf16" in flags or "avx512_bf16" in flags
