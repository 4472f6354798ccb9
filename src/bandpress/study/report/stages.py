"""Time and memory of each stage of a workflow, from Snakemake's benchmark files."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: Stages in order, and the rules of each, named like folders or files of benchmarks/.
STAGES = {
    "Scenes fetched and prepared": ("fetch_dataset", "prepare_scene"),
    "Networks trained": ("train_model",),
    "Context models trained": ("train_contexts",),
    "Networks fetched and imported": ("fetch_models", "import_model"),
    "Scenes coded, decoded and measured without a network": ("code_scene",),
    "Scenes coded, decoded and measured with a network": ("code_scene_learned",),
    "Codecs timed with nothing else running": ("time_codec", "time_codec_learned"),
    "Scenes decoded for figures": ("decode_scene", "decode_scene_learned"),
    "Results collected, tables": ("collect_dataset", "collect_rd", "collect_speed", "tables", "provenance"),
    "Figures": ("figures",),
}


@dataclass(frozen=True)
class Stage:
    """Time and memory of a stage's jobs.

    Attributes
    ----------
    jobs
        Number of jobs.
    seconds
        Total wall-clock time of all jobs; parallel jobs are added up.
    longest
        Wall-clock time of the longest job, in seconds.
    peak_mb
        Largest resident memory of a job, in MB; None if the jobs were too short to measure.
    """

    name: str
    jobs: int
    seconds: float
    longest: float
    peak_mb: float | None


def read_stages(benchmarks: Path) -> list[Stage]:
    """Return the stages with jobs, in order.

    Parameters
    ----------
    benchmarks
        Folder with a file for each job, ``<rule>/…/<job>.tsv`` or ``<rule>.tsv``.
    """
    stages = []
    for name, rules in STAGES.items():
        jobs = [job for rule in rules for job in _jobs(benchmarks, rule)]
        if jobs:
            seconds, memory = zip(*jobs, strict=True)
            known = [mb for mb in memory if mb is not None]
            stages.append(Stage(name, len(jobs), sum(seconds), max(seconds), max(known, default=None)))
    return stages


def _jobs(benchmarks: Path, rule: str) -> Iterator[tuple[float, float | None]]:
    """Yield seconds and MB of each job of a rule; the last line of a file is the last run."""
    files = [benchmarks / f"{rule}.tsv", *sorted((benchmarks / rule).rglob("*.tsv"))]
    for file in files:
        if file.is_file():
            with file.open(newline="") as lines:
                rows = list(csv.DictReader(lines, delimiter="\t"))
            if rows and (seconds := _number(rows[-1].get("s"))) is not None:
                yield seconds, _number(rows[-1].get("max_rss"))


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


def duration(seconds: float) -> str:
    """Format a duration: 12 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
