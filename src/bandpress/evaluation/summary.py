"""One-line summaries of a file or a reconstruction."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def quality(record: Mapping[str, Any]) -> list[str]:
    """Return the fidelity of a reconstruction in words.

    Parameters
    ----------
    record
        Result of `bandpress.evaluation.metrics.measure`.
    """
    if record["mse"] == 0:
        return ["lossless"]
    return [
        f"PSNR {record['psnr']:.1f} dB",
        f"max error {record['pae']:,.0f}" if record["pae"] >= 1 else f"max error {record['pae']:.2g}",
        f"SAM {record['sam_mean']:.2f}°",
    ]


def size(path: Path, shape: Sequence[int], sample_bits: int) -> list[str]:
    """Return size, rate and compression ratio of a file in words.

    Parameters
    ----------
    path
        The file.
    shape
        Bands, lines, samples of the scene.
    sample_bits
        Bits per sample of the original file.
    """
    stored = path.stat().st_size
    rate = 8 * stored / math.prod(shape)
    return [
        f"{stored:,} B",
        f"{rate:.3f} bps",
        f"1:{sample_bits / rate:,.{1 if sample_bits / rate < 10 else 0}f}",
    ]


def clusters(bands_per_cluster: int | str) -> str:
    """Return the cluster size in words."""
    if bands_per_cluster == "all":
        return "all bands"
    return "band by band" if bands_per_cluster == 1 else f"clusters of {bands_per_cluster} bands"


def line(*parts: str) -> str:
    """Join parts in one line."""
    return "  ".join(parts)


def finite(value: Any) -> Any:
    """Return a number that JSON can hold: None for an infinite PSNR."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
