"""Benchmark of time and memory of every codec on one scene at one rate; each run is a separate process."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bandpress.clusters import BandsPerCluster
from bandpress.codecs import REGISTRY, codec_class, options_of
from bandpress.container.bitstream import Reader
from bandpress.errors import BandpressError
from bandpress.files import scratch_folder
from bandpress.machine import limits, processor_name, processors

#: A tiny scene, whose coding time is the start-up time of the command.
_SMALL = ("--bands", "8", "--lines", "32", "--samples", "32")


@dataclass(frozen=True)
class Cost:
    """Cost of a command: wall-clock and processor seconds, and peak memory in bytes."""

    wall: float
    processor: float
    memory: int


@dataclass(frozen=True)
class Row:
    """A codec at one rate.

    Parameters
    ----------
    codec, bands_per_cluster
        Name of the codec, and its cluster size.
    bps, psnr
        Rate and PSNR reached: bits per sample, dB.
    encode, encode_at_step, decode, start
        Costs of coding the scene to the rate; of coding it with the resulting step, for codecs with one; of decoding;
        of coding a scene of 8 × 32 × 32 without a search: with a step, or to 4 bps by codecs that allocate rate.
    """

    codec: str
    bands_per_cluster: BandsPerCluster
    bps: float
    psnr: float
    encode: Cost
    encode_at_step: Cost | None
    decode: Cost
    start: Cost


@dataclass(frozen=True)
class Report:
    """A benchmark: machine, scene, and one row per codec."""

    processor: str
    threads: int
    bands: int
    lines: int
    samples: int
    rate: float
    rows: tuple[Row, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON."""
        return asdict(self)


def without_tensorflow() -> list[str]:
    """Return the names of codecs that take a rate and need neither TensorFlow nor external programs."""
    names = [name for name in REGISTRY if name != "gici-java" and not codec_class(name).needs_tensorflow]
    return [name for name in names if "rate" in options_of(name)]


def run(
    codecs: Sequence[str],
    sizes: Sequence[BandsPerCluster],
    geometry: tuple[int, int, int],
    rate: float,
    threads: int | None = None,
    progress: Callable[[str], object] = lambda what: None,
) -> Report:
    """Code a synthetic scene with several codecs.

    Parameters
    ----------
    codecs
        Their names.
    sizes
        Cluster sizes; a codec is skipped at sizes that it does not support.
    geometry
        Bands, lines and samples of the scene.
    rate
        Rate in bits per sample.
    threads
        Threads of each codec; default: one per processor.
    progress
        Called with the name of each stage.

    Raises
    ------
    BandpressError
        If a command fails.
    """
    limit = threads or processors()
    bands, lines, samples = geometry
    with scratch_folder("bandpress-bench-") as folder:
        progress("making synthetic scenes")
        large = ["--bands", str(bands), "--lines", str(lines), "--samples", str(samples)]
        scenes = {}
        for key, options in (("synthetic-large", large), ("synthetic-small", _SMALL)):
            _command(["synthesize", str(folder / f"{key}.raw"), *options], limit)
            (scenes[key],) = folder.glob(f"{key}.*.raw")
        rows = []
        for codec in codecs:
            for size in (size for size in sizes if _possible(codec, size)):
                progress(f"{codec}, {size} bands per cluster")
                rows.append(
                    _row(codec, size, scenes["synthetic-large"], scenes["synthetic-small"], rate, limit)
                )
    return Report(processor_name(), limit, bands, lines, samples, rate, tuple(rows))


def _possible(codec: str, size: BandsPerCluster) -> bool:
    try:
        codec_class(codec)(rate=1.0, bands_per_cluster=size)  # type: ignore[call-arg]
    except (BandpressError, TypeError):
        return False
    return True


def _row(codec: str, size: BandsPerCluster, scene: Path, small: Path, rate: float, threads: int) -> Row:
    coded, words = scene.with_suffix(".bpk"), ["--codec", codec, "-k", str(size), "--overwrite", "-o"]
    target = ["--step", "20"] if "step" in options_of(codec) else ["--rate", "4"]
    _command(["compress", str(small), *target, *words, str(coded)], threads)  # compiles the kernels
    start = _command(["compress", str(small), *target, *words, str(coded)], threads)
    encode = _command(["compress", str(scene), "--rate", str(rate), *words, str(coded)], threads)
    with Reader(coded) as reader:
        step, shape = reader.header.parameters.get("step"), (reader.header.bands, reader.header.lines)
        count = int(np.prod(shape)) * reader.header.samples
    bps = 8 * coded.stat().st_size / count
    decode = _command(
        ["decompress", str(coded), "-o", str(scene.with_name("back.raw")), "--overwrite"], threads
    )
    measured = _output(["compare", str(scene), str(coded), "--json"], threads)
    stepped = None
    if step is not None:
        stepped = _command(["compress", str(scene), "--step", str(step), *words, str(coded)], threads)
    return Row(codec, size, bps, float(json.loads(measured)["psnr"]), encode, stepped, decode, start)


def _environment(threads: int) -> dict[str, str]:
    return os.environ | limits(threads)


def _command(words: Sequence[str], threads: int) -> Cost:
    """Run a command of this package and measure it."""
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "bandpress", *words], stdout=said, stderr=said, env=_environment(threads)
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            reason = said.read().decode(errors="replace").strip().splitlines()[-1:]
            raise BandpressError(
                f"bandpress {' '.join(words)}: ended with {process.returncode}: {' '.join(reason)}"
            )
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * unit)


def _output(words: Sequence[str], threads: int) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bandpress", *words], capture_output=True, text=True, env=_environment(threads)
    )
    if done.returncode:
        raise BandpressError(
            f"bandpress {' '.join(words)}: ended with {done.returncode}: {done.stderr.strip()}"
        )
    return done.stdout


def table(report: Report) -> str:
    """Format a report as text."""
    lines = [
        f"{report.bands} bands of {report.lines} x {report.samples} at {report.rate:g} bits per sample, "
        f"{report.threads} threads of {report.processor}",
        "seconds from start to end of the command, and of all its threads together; memory in MB",
        "",
        f"{'codec':20}{'k':>4}{'bps':>8}{'PSNR':>8}{'encode':>9}{'threads':>9}{'at step':>9}{'decode':>9}{'threads':>9}"
        f"{'memory':>8}{'start':>7}",
    ]
    lines += map(_line, report.rows)
    return "\n".join(lines)


def _line(row: Row) -> str:
    stepped = "" if row.encode_at_step is None else f"{row.encode_at_step.wall:.1f}"
    return (
        f"{row.codec:20}{row.bands_per_cluster!s:>4}{row.bps:8.4f}{row.psnr:8.2f}{row.encode.wall:9.1f}"
        f"{row.encode.processor:9.1f}{stepped:>9}{row.decode.wall:9.1f}{row.decode.processor:9.1f}"
        f"{_peak((row.encode, row.decode)) / 1e6:8.0f}{row.start.wall:7.2f}"
    )


def _peak(costs: Iterable[Cost]) -> int:
    return max(cost.memory for cost in costs)
