"""A checkout of its own for every test that runs Snakemake: what it breaks and kills is nobody else's."""

import contextlib
import csv
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from filelock import FileLock

from places import ROOT

HERE = Path(__file__).parent
PARTS = (
    "Snakefile",
    "config.yaml",
    "rules",
    "scripts",
    "envs",
    "profiles",
    "studies",
    "src",
    "results/reference",
)

#: Too large to be copied for each test, and not to be changed by any.
LINKED = (".venv", ".venvs", "models")

#: Columns of rd.csv that say how long a machine took rather than what came out.
TIMING = (
    *("encode_s", "decode_s", "encode_cpu_s", "decode_cpu_s"),
    *("peak_memory_mb", "threads", "processor"),
)


@dataclass
class Checkout:
    """A copy of the project in a folder, with the environments and models of the original."""

    folder: Path
    study: str = "tiny.yaml"
    extra: list[str] = field(default_factory=list)

    def command(self, *args: str) -> list[str]:
        """Snakemake on the study; targets come first in `args`."""
        return [
            "envs/run",
            "workflow",
            "snakemake",
            *args,
            "--cores",
            "2",
            "--configfile",
            self.study,
            *self.extra,
        ]

    def run(self, *args: str, timeout: float = 600, **env: str) -> subprocess.CompletedProcess:
        """Run Snakemake to its end."""
        return subprocess.run(
            self.command(*args),
            cwd=self.folder,
            env={**os.environ, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
        )

    def start(self, *args: str, **env: str) -> subprocess.Popen:
        """Start Snakemake in a session of its own."""
        with open(self.folder / "run.log", "w") as log:
            return subprocess.Popen(
                self.command(*args),
                cwd=self.folder,
                env={**os.environ, **env},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # A shell's background job ignores it, and what it starts would.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    def go_on(self, *args: str, timeout: float = 600, **env: str) -> subprocess.CompletedProcess:
        """Do what the documentation says after an interruption: unlock, then the same command again."""
        unlocked = self.run("--unlock")
        assert unlocked.returncode == 0, unlocked.stdout
        return self.run(*args, timeout=timeout, **env)

    def path(self, name: str) -> Path:
        """A path below the study's results."""
        return self.folder / "results/tiny" / name

    def rd(self) -> list[dict[str, str]]:
        """The rows of rd.csv without the timing columns."""
        with open(self.path("rd.csv"), newline="") as file:
            return [{k: v for k, v in row.items() if k not in TIMING} for row in csv.DictReader(file)]

    def delete_tables(self) -> None:
        """Delete rd.csv and the tables of data sets that it is made of, so that what is coded is looked at again."""
        for table in (self.path("rd.csv"), *self.path("rd").iterdir()):
            table.unlink()

    def files(self, pattern: str) -> dict[str, bytes]:
        """Contents of the study's files that match a pattern."""
        base = self.path("")
        return {
            path.relative_to(base).as_posix(): path.read_bytes()
            for path in sorted(base.glob(pattern))
            if path.is_file()
        }

    def copy(self, folder: Path) -> "Checkout":
        """The same checkout with all that it has made, elsewhere."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Checkout(folder, self.study, list(self.extra))


def make_checkout(folder: Path, study: str = "tiny.yaml") -> Checkout:
    """Copy the project into a new folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("*.egg-info"))
        elif source.exists():
            shutil.copy2(source, folder / part)
    for name in LINKED:
        if (ROOT / name).exists():
            (folder / name).symlink_to(ROOT / name)
    shutil.copy2(HERE / study, folder / study)
    return Checkout(folder, study)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A checkout in which nothing was made yet."""
    return make_checkout(tmp_path / "checkout")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The tiny study, run undisturbed, once for all processes of a test run. Not to be changed: copy it.

    The environment variable BANDPRESS_TINY may name one that was made before, to save its time while a test is written.
    """
    if "BANDPRESS_TINY" in os.environ:
        return Checkout(Path(os.environ["BANDPRESS_TINY"]))
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "finished"
    with FileLock(f"{folder}.lock"):
        if not (folder / "done").exists():
            done = make_checkout(folder / "checkout").run(timeout=1200)
            assert done.returncode == 0, done.stdout
            (folder / "done").touch()
    return Checkout(folder / "checkout")


def processes(study: Checkout, word: str) -> list[int]:
    """Processes of a checkout whose programme is Python and that run a script or verb of this name."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode().split("\0")
            here = Path(os.readlink(process / "cwd")) == study.folder
        except OSError:
            continue
        if (
            here
            and words[0].endswith("python")
            and any(Path(argument).name == word for argument in words[1:4])
        ):
            found.append(int(process.name))
    return found


def wait_for(condition, process: subprocess.Popen | None = None, timeout: float = 300.0) -> None:
    """Wait until a condition holds; fail if the process ends or the time is over before."""
    end = time.monotonic() + timeout
    while not condition():
        assert process is None or process.poll() is None, "it ended before it could be disturbed"
        assert time.monotonic() < end, f"nothing happened within {timeout:g} s"
        time.sleep(0.02)


def kill_session(process: subprocess.Popen, sig: int = signal.SIGKILL, frozen: Collection[int] = ()) -> None:
    """Send a signal to Snakemake and to all that it started, wake what was frozen, and wait until they are gone."""
    os.killpg(process.pid, sig)
    for job in frozen:
        with contextlib.suppress(ProcessLookupError):
            os.kill(job, signal.SIGCONT)
    process.wait(300)
    wait_for(lambda: not _session(process.pid))


def _session(leader: int) -> list[int]:
    """Processes of a session that still live."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found
