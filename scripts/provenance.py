"""Record the provenance of a study's results: study, versions, revision, models, machine, digest of all streams.

Nothing depends on this file. Two runs with the same pins, study and models have the same `streams.sha256`.
"""

import argparse
import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from bandpress.files import atomic_path
from bandpress.machine import processor_name
from bandpress.study.scripting import stated_failures

ROOT = Path(__file__).resolve().parents[1]


@stated_failures
def main(argv: list[str] | None = None) -> None:
    """Write one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", required=True, help="name of the study")
    parser.add_argument("--study-file", type=Path, required=True)
    parser.add_argument("--digest", required=True, help="SHA-256 of the study as read, defaults included")
    parser.add_argument("--streams", type=Path, required=True, help="folder of the coded scenes")
    parser.add_argument("--models", nargs="*", default=[], type=Path, help="model folders")
    parser.add_argument("--environments", nargs="+", default=["analysis"], help="environments of the jobs")
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args(argv)
    record = {
        "study": args.study,
        "study_file": {"path": args.study_file.as_posix(), "sha256": sha256([args.study_file])},
        "study_digest": args.digest,
        "code": revision(ROOT),
        "environments": {name: versions(name) for name in args.environments},
        "models": {path.as_posix(): sha256([path / "model.json"]) for path in args.models},
        "streams": streams(args.streams),
        "machine": machine(),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    with atomic_path(args.output) as part:
        part.write_text(json.dumps(record, indent=1) + "\n")
    print(f"{args.output}: {record['streams']['files']} streams")


def sha256(paths: Iterable[Path]) -> str:
    """Return the SHA-256 of the concatenated files."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def streams(folder: Path) -> dict[str, Any]:
    """Return the number of coded scenes, and one SHA-256 over their names and SHA-256s."""
    found = sorted(path for path in folder.rglob("*.bpk") if not path.name.startswith("."))
    lines = (f"{sha256([path])}  {path.relative_to(folder).as_posix()}\n" for path in found)
    return {"files": len(found), "sha256": hashlib.sha256("".join(lines).encode()).hexdigest()}


def revision(root: Path) -> dict[str, Any]:
    """Return the git revision, whether the checkout has changes, and a digest of the code."""
    code = sorted(
        path
        for folder, pattern in (("src", "*.py"), ("scripts", "*.py"), ("rules", "*.smk"), ("envs", "*.txt"))
        for path in (root / folder).rglob(pattern)
    )
    found: dict[str, Any] = {"sha256": sha256([root / "Snakefile", *code]), "revision": None, "changed": None}
    try:
        head = _git(root, "rev-parse", "HEAD")
        found |= {
            "revision": head,
            "changed": bool(_git(root, "status", "--porcelain", "--untracked-files=no")),
        }
    except (OSError, subprocess.SubprocessError):
        pass
    return found


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", root, *words], check=True, capture_output=True, text=True, timeout=60)
    return done.stdout.strip()


def versions(environment: str) -> dict[str, str]:
    """Return the installed versions of Python and every package of one environment."""
    report = (
        "import importlib.metadata as m, json, platform; "
        "print(json.dumps({'python': platform.python_version()}"
        " | {d.metadata['Name']: d.version for d in m.distributions()}))"
    )
    if environment == "analysis":
        found = {"python": platform.python_version()}
        found |= {d.metadata["Name"]: d.version for d in metadata.distributions()}
    else:
        command = [str(ROOT / "envs/run"), environment, "python", "-c", report]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def machine() -> dict[str, Any]:
    """Return facts about this machine; on a cluster, one of its nodes."""
    return {
        "name": platform.node(),
        "system": platform.platform(),
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1_000_000,
        "slurm_job": os.environ.get("SLURM_JOB_ID"),
    }


if __name__ == "__main__":
    main()
