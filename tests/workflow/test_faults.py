"""Faults of a shared machine: jobs killed, disks full, folders read-only. docs/cluster.md has the table.

After each fault the documented command finishes, results are those of an undisturbed run, and no half-written file was
taken for a finished one.
"""

import hashlib
import os
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest
from conftest import Checkout, kill_session, processes, wait_for

from loopback import Loopback

pytestmark = [pytest.mark.workflow, pytest.mark.long]

STREAMS = "streams/test/*/*/*.bpk"
RD = "results/tiny/rd.csv"
PACKAGE = "package: tensorly\n      file: datasets/data/Indian_pines_corrected.npy"


@pytest.fixture
def study(finished, tmp_path) -> Checkout:
    """The finished study, of which three coded scenes and the tables were deleted."""
    study = finished.copy(tmp_path / "copy")
    for point in ("south/jpeg2000/r1", "south/rklt-k3/r2", "east/rklt-k3/r1"):
        for suffix in (".bpk", ".json", ".bands.csv"):
            study.path(f"streams/test/{point}{suffix}").unlink()
    study.delete_tables()
    return study


def same_as(study: Checkout, finished: Checkout) -> None:
    """Fail unless coded scenes and numbers are those of the undisturbed run and nothing half-written is left."""
    assert study.files(STREAMS) == finished.files(STREAMS)
    assert study.rd() == finished.rd()
    whole(study)


def whole(study: Checkout) -> None:
    """Fail if a temporary file of ours lies anywhere among the results."""
    assert not [path for path in study.path("").rglob("*") if ".part" in path.name]


def indian_pines(study: Checkout) -> bytes:
    """The file of the package that the tiny study takes its scenes from."""
    (folder,) = Path(study.folder / ".venv/lib").glob("python3*/site-packages/tensorly/datasets/data")
    return (folder / "Indian_pines_corrected.npy").read_bytes()


def rewrite(study: Checkout, old: str, new: str) -> None:
    """Change the study file."""
    file = study.folder / study.study
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


class Stage:
    """A stage of the study: what is deleted so that it is done again, by which script, and what comes of it."""

    script = "code_scene.py"
    rule = "code_scene"
    targets: ClassVar[list[str]] = [RD]
    gone: ClassVar[list[str]] = []
    made: ClassVar[list[str]] = [STREAMS]

    def __init__(self, study: Checkout, finished: Checkout):
        self.study, self.finished, self.env = study, finished, {}
        for name in self.gone:
            subprocess.run(["rm", "-r", study.path(name)], check=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def under_way(self) -> bool:
        """Say whether the stage does what is to be disturbed."""
        return bool(processes(self.study, self.script))

    def caught(self, running: subprocess.Popen) -> list[int]:
        """Wait until the stage is under way and freeze its jobs there, so that none ends before it is disturbed."""
        wait_for(self.under_way, running)
        jobs = processes(self.study, self.script)
        for job in jobs:
            os.kill(job, signal.SIGSTOP)
        assert jobs, "it ended before it could be disturbed"
        return jobs

    def let_end(self) -> None:
        """Let jobs end that nobody waits for."""

    def check(self) -> None:
        """Fail unless what was made is what the undisturbed run made."""
        for kind in self.made:
            assert self.study.files(kind) == self.finished.files(kind), kind
        if RD in self.targets:
            same_as(self.study, self.finished)
        whole(self.study)


class Downloading(Stage):
    """The scenes come over the network, from a server that holds half of the file back."""

    script, rule = "fetch_dataset.py", "fetch_dataset"
    targets: ClassVar = ["results/tiny/scenes/test/south", "results/tiny/scenes/test/east"]
    gone: ClassVar = ["datasets", "scenes"]
    made: ClassVar = ["scenes/test/*/*.raw"]

    def __enter__(self):
        self.site = Loopback().__enter__()
        content = indian_pines(self.study)
        address = self.site.offer("pines.npy", content)
        rewrite(self.study, PACKAGE, f"url: {address}\n      sha256: {hashlib.sha256(content).hexdigest()}")
        self.site.misbehave("pines.npy", "hold")
        self.data = self.study.folder / "data"
        self.env = {"BANDPRESS_DATA": str(self.data)}
        return self

    def __exit__(self, *_):
        self.site.__exit__()

    def under_way(self):
        parts = [path for path in self.data.rglob("*.part") if path.stat().st_size > 100_000]
        return bool(parts and processes(self.study, self.script))

    def let_end(self):
        self.site.release.set()

    def check(self):
        super().check()
        wanted = [part for path, part in self.site.requests]
        assert wanted[0] is None
        # What had come was kept, or the download that nobody waited for came to its end.
        assert len(wanted) == 1 or all(part is not None for part in wanted[1:]), wanted
        assert not list(self.data.rglob("*.part"))


class Preparing(Stage):
    script, rule = "prepare_scene.py", "prepare_scene"
    targets: ClassVar = ["results/tiny/scenes/test/south"]
    gone: ClassVar = ["scenes/test/south"]
    made: ClassVar = ["scenes/*/*/*.raw"]


class Training(Stage):
    script, rule = "train", "train_model"
    targets: ClassVar = ["results/tiny/models/tiny-k3/q1"]
    gone: ClassVar = ["models/tiny-k3"]
    made: ClassVar = ["models/*/q1/*.safetensors"]

    def under_way(self):
        """It has written a checkpoint."""
        log = self.study.path("models/tiny-k3/q1.training/log.csv")
        self.log = log.read_text() if log.exists() else ""
        return self.log.count("\n") > 3 and super().under_way()

    def check(self):
        super().check()
        log = self.study.path("models/tiny-k3/q1.training/log.csv").read_text()
        assert log.startswith(self.log.rsplit("\n", 2)[0]), "it started anew"


class Gathering(Stage):
    script, rule = "collect_rd.py", "collect_rd"


class Plotting(Stage):
    script, rule = "fig_rd.py", "fig_rd_aviris"
    targets: ClassVar = ["fig_rd_aviris"]
    gone: ClassVar = ["figures/rd_aviris.pdf"]
    made: ClassVar = ["figures/rd_*.csv", "figures/rd_*.png"]

    def __init__(self, study, finished):
        super().__init__(finished.copy(study.folder.parent / "plotted"), finished)

    def check(self):
        super().check()
        assert self.study.path("figures/rd_aviris.pdf").stat().st_size > 1000


STAGES = {"downloading": Downloading, "training": Training, "compression": Stage, "plotting": Plotting}


@pytest.fixture
def stage(request, study, finished):
    with request.param(study, finished) as stage:
        yield stage


def of_stages(stages):
    return pytest.mark.parametrize("stage", stages.values(), ids=stages, indirect=True)


@of_stages(STAGES | {"preparing": Preparing, "gathering": Gathering})
def test_a_study_continues_after_everything_is_killed(stage):
    study = stage.study
    running = study.start(*stage.targets, **stage.env)
    stage.caught(running)
    kill_session(running)
    done = study.go_on(*stage.targets, **stage.env)
    assert done.returncode == 0, done.stdout
    stage.check()


@of_stages(STAGES)
def test_the_workflow_alone_is_killed_and_its_jobs_end_by_themselves(stage):
    study = stage.study
    running = study.start(*stage.targets, **stage.env)
    jobs = stage.caught(running)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    for job in jobs:
        os.kill(job, signal.SIGCONT)
    stage.let_end()
    wait_for(lambda: not processes(study, stage.script))
    done = study.go_on(*stage.targets, **stage.env)
    assert done.returncode == 0, done.stdout
    stage.check()


@of_stages(STAGES)
def test_one_job_is_killed_and_named_with_its_log(stage):
    study = stage.study
    running = study.start(*stage.targets, "--keep-going", **stage.env)
    first, *others = stage.caught(running)
    os.kill(first, signal.SIGKILL)
    for job in others:
        os.kill(job, signal.SIGCONT)
    assert running.wait(600) == 1
    said = (study.folder / "run.log").read_text()
    assert f"({stage.rule})" in said
    assert "results/tiny/logs/" in said
    done = study.run(*stage.targets, **stage.env)
    assert done.returncode == 0, done.stdout
    stage.check()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT], ids=lambda s: s.name)
@of_stages({"training": Training})
def test_a_training_that_is_stopped_goes_on_and_gives_the_same_model(stage, sent):
    study = stage.study
    running = study.start(*stage.targets)
    jobs = stage.caught(running)
    kill_session(running, sent, jobs)
    assert not study.path("models/tiny-k3/q1/model.json").exists()
    done = study.go_on(*stage.targets)
    assert done.returncode == 0, done.stdout
    stage.check()


@contextmanager
def small_disk(folder: Path, kib: int):
    """Mount a disk of some KiB on a folder; skip where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        pytest.skip("root is needed to mount a small disk")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", folder], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_under_results_is_said_and_leaves_no_half_file(study, finished):
    folder = study.path("streams/test/south/rklt-k3")
    kept = {path: path.read_bytes() for path in folder.iterdir()}
    with small_disk(folder, 4):
        done = study.run(RD, "--keep-going")
        assert done.returncode == 1
        assert "No space left" in done.stdout
        assert not list(folder.rglob("*.bpk"))
    assert kept == {path: path.read_bytes() for path in folder.iterdir()}
    done = study.run(RD)
    assert done.returncode == 0, done.stdout
    same_as(study, finished)


def test_a_full_temporary_folder_does_no_harm(study, finished, tmp_path):
    with small_disk(tmp_path / "tmp", 4) as tmp:
        (tmp / "fill").write_bytes(bytes(4096))
        done = study.run(RD, "--default-resources", f"tmpdir='{tmp}'", TMPDIR=str(tmp))
        said = done.stdout
    if done.returncode:
        assert "No space left" in said or "No usable temporary directory" in said
        done = study.run(RD)
    assert done.returncode == 0, done.stdout
    same_as(study, finished)


SCENES = ["results/tiny/scenes/test/south", "results/tiny/scenes/test/east"]


def from_a_folder(study: Checkout) -> str:
    """Have the scenes come from a file in the data folder instead of a package; return the file's name."""
    rewrite(study, PACKAGE, "path: pines.npy")
    subprocess.run(["rm", "-r", study.path("")], check=True)
    return "pines.npy"


def test_a_read_only_data_folder_is_read(finished, tmp_path):
    study = finished.copy(tmp_path / "copy")
    with small_disk(tmp_path / "data of others", 20_000) as data:
        content = indian_pines(study)
        (data / from_a_folder(study)).write_bytes(content)
        subprocess.run(["mount", "-o", "remount,ro", data], check=True)
        done = study.run(*SCENES, BANDPRESS_DATA=str(data))
        assert done.returncode == 0, done.stdout
    assert study.files("scenes/test/*/*.raw") == finished.files("scenes/test/*/*.raw")


@pytest.mark.parametrize("linked", [False, True], ids=["folder", "links"])
def test_a_data_folder_of_any_name_is_read_and_its_name_never_runs(finished, tmp_path, linked):
    study = finished.copy(tmp_path / "copy")
    data = tmp_path / 'it\'s "a" $(touch hacked) `touch hacked`; touch hacked & {input} -x *'
    content = indian_pines(study)
    name = from_a_folder(study)
    if linked:
        (tmp_path / "real folder").mkdir()
        (tmp_path / "real file").write_bytes(content)
        data.symlink_to(tmp_path / "real folder", target_is_directory=True)
        (data / name).symlink_to(tmp_path / "real file")
    else:
        data.mkdir()
        (data / name).write_bytes(content)
    done = study.run(*SCENES, BANDPRESS_DATA=str(data))
    assert done.returncode == 0, done.stdout
    assert study.files("scenes/test/*/*.raw") == finished.files("scenes/test/*/*.raw")
    assert not list(tmp_path.rglob("hacked"))
