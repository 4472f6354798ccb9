"""Benchmark of the learned codec, stage by stage, against the machine's float32 matrix rate."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bandpress import coding
from bandpress.clusters import split
from bandpress.codecs import learned
from bandpress.container.bitstream import Header
from bandpress.datasets import synthesis
from bandpress.evaluation import memory
from bandpress.files import scratch_folder
from bandpress.formats import read_scene, write_scene
from bandpress.hyperprior import chunks as learned_chunks
from bandpress.hyperprior import opened
from bandpress.hyperprior.architecture import Architecture
from bandpress.hyperprior.store import StoredModel
from bandpress.pipeline import batches
from bandpress.scene import Scene

#: Clusters to time stage by stage; the whole scene is timed separately.
_STAGED = 12


@dataclass
class Direction:
    """Times of encoding, or of decoding, one scene.

    Parameters
    ----------
    stages
        Seconds per cluster of each stage, one after the other, without overlap.
    wall
        Seconds of the whole scene from file to file, with overlap.
    macs
        The network's own multiply–accumulates for one cluster.
    """

    stages: dict[str, float] = field(default_factory=dict)
    wall: float = 0.0
    macs: int = 0


@dataclass
class Report:
    """Result of a benchmark.

    Parameters
    ----------
    bands, lines, samples, clusters, batch
        Size of the scene, number of clusters, clusters per batch of the network.
    encode, decode
        Times.
    matmul
        GFLOP/s of float32 matrix products, measured just before and after; the better of the two.
    bps
        Rate of the file.
    peak
        Largest resident memory of the process so far, bytes.
    """

    bands: int
    lines: int
    samples: int
    clusters: int
    batch: int
    encode: Direction
    decode: Direction
    matmul: float
    bps: float
    peak: int

    def per_cluster(self, direction: Direction) -> float:
        """Seconds per cluster, from file to file."""
        return direction.wall / self.clusters

    def gflops(self, direction: Direction) -> float:
        """GFLOP/s of the network's own operations, over the whole time from file to file."""
        return 2 * direction.macs / self.per_cluster(direction) / 1e9


def random_model(architecture: Architecture) -> StoredModel:
    """Return an untrained model that codes, for speed measurements only."""
    from bandpress.hyperprior.tables import build_tables

    weights = architecture.random_weights(0)
    return StoredModel(architecture, weights, build_tables(architecture, weights), digest="0" * 64)


def run(
    model: StoredModel,
    bands: int,
    lines: int,
    samples: int,
    batch: int = 0,
    precision: str = "float32",
    progress: Callable[[str], object] = lambda stage: None,
) -> Report:
    """Time encoding and decoding of a synthetic scene.

    Parameters
    ----------
    model
        The model.
    bands, lines, samples
        Size of the scene.
    batch
        Clusters per batch of the network; 0: automatic.
    precision
        Arithmetic of the encoder, see `bandpress.codecs.learned.Learned`.
    progress
        Called with the name of each stage.
    """
    from bandpress.hyperprior.machine import matmul_rate
    from bandpress.hyperprior.store import save

    a = model.architecture
    with scratch_folder("bandpress-bench-") as folder:
        progress("making a synthetic scene")
        source = synthesis.write(synthesis.Plan(bands, lines, samples), folder / "synthetic.raw")
        stored = save(folder / "model", model)
        codec = learned.Learned(folder / "model", batch=batch, precision=precision)
        scene = read_scene(source)
        size = batch or opened.batch_size(a, lines, samples)
        clusters = split(bands, a.bands_per_cluster)
        macs = a.macs(lines, samples)
        encode, decode = Direction(macs=macs["encoder"]), Direction(macs=macs["decoder"])
        progress("measuring the matrix product")
        matmul = matmul_rate()
        progress("coding, stage by stage")
        _staged(codec, stored, scene, size, encode, decode, folder)
        coded = folder / "scene.bpk"
        progress("coding the scene")
        with _timed() as wall:
            coding.compress(scene, coded, codec, verified=False)
        encode.wall = wall[0]
        progress("decoding the scene")
        with _timed() as wall:
            decoded = coding.decompress(coded, model=folder / "model")
            write_scene(decoded.scene, folder / "decoded.raw")
        decode.wall = wall[0]
        matmul = max(matmul, matmul_rate())
        bps = coding.rate(coded, scene.cube.shape)
    return Report(bands, lines, samples, len(clusters), size, encode, decode, matmul, bps, memory.peak())


def _staged(
    codec: learned.Learned,
    model: StoredModel,
    scene: Scene,
    size: int,
    encode: Direction,
    decode: Direction,
    folder: Path,
) -> None:
    """Run the stages of some clusters one after the other, once to warm up and once timed."""
    network = opened.open_network(model)
    point = learned.Point(model)
    clusters = split(scene.bands, model.architecture.bands_per_cluster)
    group = clusters[: max(size, min(_STAGED, len(clusters)) // size * size)]
    header = Header.of_scene(scene, codec.name, model.architecture.bands_per_cluster, {}, model.digest)
    for _ in range(2):
        times: dict[str, float] = {}
        for part in batches(group, size):
            with _timed(times, "read and normalise"):
                batch = learned_chunks.load_batch(scene, part, point)
            with _timed(times, "transforms"):
                symbols = learned_chunks.analyse_batch(network, batch, codec.bfloat16)
            with _timed(times, "entropy coding"):
                chunks = learned_chunks.write_batch(network, batch, symbols, scene.dtype)
            with _timed(times, "write"), open(folder / "staged", "wb") as file:
                file.write(b"".join(chunks))
            with _timed(times, "read", "decode"):
                file_bytes = (folder / "staged").read_bytes()
            assert len(file_bytes) == sum(map(len, chunks))
            with _timed(times, "entropy coding and scales", "decode"):
                read = learned_chunks.read_batch(
                    network, list(zip(part, chunks, strict=True)), header, scene.dtype
                )
            with _timed(times, "transforms", "decode"):
                images = learned_chunks.synthesise_batch(network, read, header)
            with _timed(times, "restore and write", "decode"), open(folder / "restored", "wb") as file:
                for cube in learned_chunks.restore_batch(read, images, header, scene.dtype):
                    file.write(np.ascontiguousarray(cube).data)
    for key, seconds in times.items():
        side, _, stage = key.partition("/")
        (decode if side == "decode" else encode).stages[stage] = seconds / len(group)


@contextmanager
def _timed(
    times: dict[str, float] | None = None, stage: str = "", side: str = "encode"
) -> Iterator[list[float]]:
    wall = [0.0]
    started = time.perf_counter()
    yield wall
    wall[0] = time.perf_counter() - started
    if times is not None:
        times[f"{side}/{stage}"] = times.get(f"{side}/{stage}", 0.0) + wall[0]


def table(reports: Sequence[Report]) -> str:
    """Format reports as text."""
    lines = []
    for report in reports:
        pixels = report.lines * report.samples
        bands_each = report.bands / report.clusters
        lines.append(
            f"{report.bands} bands of {report.lines} x {report.samples}, {report.clusters} clusters, "
            f"batches of {report.batch}, {report.bps:.3f} bits per sample"
        )
        lines.append(
            f"  float32 matrix product {report.matmul:.0f} GFLOP/s; peak memory {report.peak / 1e9:.2f} GB"
        )
        for name, direction in (("encode", report.encode), ("decode", report.decode)):
            lines.append(f"  {name:38}{'s/cluster':>10}{'Msamples/s':>12}{'GFLOP/s':>9}{'of product':>11}")
            for stage, seconds in direction.stages.items():
                rate = bands_each * pixels / seconds / 1e6
                lines.append(f"    {stage:36}{seconds:10.4f}{rate:12.2f}")
            seconds = report.per_cluster(direction)
            rate, speed = bands_each * pixels / seconds / 1e6, report.gflops(direction)
            share = f"{100 * speed / report.matmul:.0f} %"
            lines.append(
                f"    {'file to file, overlapping':36}{seconds:10.4f}{rate:12.2f}{speed:9.0f}{share:>11}"
            )
    return "\n".join(lines)
