"""Evaluation of a codec: code a scene, decode the file, measure both."""

import os
import time
from pathlib import Path
from typing import Any, NamedTuple

from bandpress.codecs import Codec
from bandpress.coding import Progress, compress, decompress, rate
from bandpress.container.bitstream import Reader
from bandpress.evaluation import memory
from bandpress.evaluation.metrics import measure
from bandpress.machine import processor_name, processors
from bandpress.scene import Scene


class Run(NamedTuple):
    """A scene coded into a file and decoded from it.

    Parameters
    ----------
    bytes
        Size of the file.
    decoded
        The reconstruction.
    cost
        Columns of rd.csv: encode_s and decode_s, wall-clock time from the scene in memory to the file and back;
        encode_cpu_s and decode_cpu_s, processor time of all threads in the same intervals;
        peak_memory_mb of this process since its start; threads it may use; processor.
    """

    bytes: int
    decoded: Scene
    cost: dict[str, Any]


def there_and_back(
    scene: Scene,
    codec: Codec,
    path: str | Path,
    *,
    model: str | Path | None = None,
    progress: Progress = lambda bands: None,
) -> Run:
    """Code a scene into a file and decode it; parameters as for `evaluate`."""
    started, at_start = time.perf_counter(), _processor_time()
    size = compress(scene, path, codec, progress, verified=False)
    encoded, at_file = time.perf_counter(), _processor_time()
    decoded = decompress(path, model=model, progress=lambda bands: progress(scene.bands + bands)).scene
    done, at_end = time.perf_counter(), _processor_time()
    cost = {
        "encode_s": encoded - started,
        "decode_s": done - encoded,
        "encode_cpu_s": at_file - at_start,
        "decode_cpu_s": at_end - at_file,
        "peak_memory_mb": memory.peak() / 1e6,
        "threads": processors(),
        "processor": processor_name(),
    }
    return Run(size, decoded, cost)


def _processor_time() -> float:
    """Return the processor seconds of this process and of the child processes that it waited for."""
    return sum(os.times()[:4])


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
        The scene.
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
        bytes, bps, the result of `bandpress.evaluation.metrics.measure`, and `Run.cost`.
    decoded : Scene
        The reconstruction.
    """
    size, decoded, cost = there_and_back(scene, codec, path, model=model, progress=progress)
    with Reader(path) as reader:
        clusters = reader.clusters
    measures = measure(scene, decoded, clusters, multiscale=multiscale)
    return {"bytes": size, "bps": rate(path, scene.cube.shape), **measures, **cost}, decoded
