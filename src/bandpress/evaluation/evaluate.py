"""Code a scene, decode the file that was written, and measure both."""

import time
from pathlib import Path
from typing import Any

from bandpress.codecs import Codec
from bandpress.coding import Progress, compress, decompress, rate
from bandpress.container.bitstream import Reader
from bandpress.evaluation import memory
from bandpress.evaluation.metrics import measure
from bandpress.scene import Scene


def evaluate(
    scene: Scene,
    codec: Codec,
    path: str | Path,
    *,
    model: str | Path | None = None,
    multiscale: bool = False,
    progress: Progress = lambda bands: None,
) -> tuple[dict[str, Any], Scene]:
    """Evaluate a codec on a scene through a file.

    Parameters
    ----------
    scene
        What to code.
    codec
        The codec with its options.
    path
        The ``.bpk`` file to make; it stays.
    model
        Folder of the network model, for codecs that need one to decode.
    multiscale
        Also compute MS-SSIM.
    progress
        Called with the number of bands coded and then decoded so far, twice the scene's bands at the end.

    Returns
    -------
    record : dict
        bytes, bps, encode_s, decode_s, peak_memory_mb (of this process, since it started) and what
        `bandpress.evaluation.metrics.measure` returns.
    decoded : Scene
        The reconstruction.
    """
    started = time.perf_counter()
    size = compress(scene, path, codec, progress, verified=False)
    encoded = time.perf_counter()
    decoded = decompress(path, model=model, progress=lambda bands: progress(scene.bands + bands)).scene
    done = time.perf_counter()
    used = memory.peak() / 1e6
    with Reader(path) as reader:
        clusters = reader.clusters
    record = {
        "bytes": size,
        "bps": rate(path, scene.cube.shape),
        **measure(scene, decoded, clusters, multiscale=multiscale),
        "encode_s": encoded - started,
        "decode_s": done - encoded,
        "peak_memory_mb": used,
    }
    return record, decoded
