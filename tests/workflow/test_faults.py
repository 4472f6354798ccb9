"""What a shared machine does to a study: jobs killed, disks full, folders read-only. docs/cluster.md has the table.

After each fault the documented command finishes, results are those of an undisturbed run, and no half-written file was
taken for a finished one.
"""

import os
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import Checkout, kill_session, wait_for

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

STREAMS = "streams/test/*/*/*.bpk"


@pytest.fixture
def study(finished, tmp_path) -> Checkout:
    """The finished study, of which two coded scenes, the table, a figure and a scene were deleted."""
    study = finished.copy(tmp_path / "copy")
    for point in ("south/jpeg2000/r1.bpk", "south/rklt-k3/r2.bpk", "east/rklt-k3/r1.bpk"):
        study.path(f"streams/test/{point}").unlink()
    study.path("rd.csv").unlink()
    study.path("figures/rd_aviris.pdf").unlink()
    return study


def same_as(study: Checkout, finished: Checkout) -> None:
    """Fail unless results are those of the undisturbed run and nothing half-written is left."""
    assert study.files(STREAMS) == finished.files(STREAMS)
    assert study.rd() == finished.rd()
    # All figures but that of the throughput, which is of measured times.
    figures = ("figures/[!t]*.csv", "figures/training.csv")
    for kind in (*figures, "tables/bd.csv", "scenes/*/*/*.raw", "models/*/q*/*.safetensors"):
        assert study.files(kind) == finished.files(kind), kind
    assert not [path for path in study.path("streams").rglob("*") if ".part" in path.name]


def jobs(study: Checkout, word: str) -> list[int]:
    """Processes of this checkout whose programme is Python and whose command line holds a word."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode().split("\0")
            here = Path(os.readlink(process / "cwd")) == study.folder
        except OSError:
            continue
        if here and words[0].endswith("python") and any(word in argument for argument in words[1:4]):
            found.append(int(process.name))
    return found


#: Programme of a stage, what to delete so that it runs, and what to ask for.
STAGES = {
    "fetching": ("fetch_dataset.py", "datasets/test.json", ["datasets/test.json"]),
    "preparing": ("prepare_scene.py", "scenes/test/south", ["scenes/test/south"]),
    "coding": ("code_scene.py", None, []),
    "gathering": ("collect_rd.py", None, []),
    "plotting": ("fig_rd.py", None, []),
}


@pytest.mark.parametrize("stage", STAGES)
def test_killed_whole_and_gone_on_with(study, finished, stage):
    word, gone, wanted = STAGES[stage]
    targets = [f"results/tiny/{name}" for name in wanted]
    if gone is not None:
        subprocess.run(["rm", "-r", study.path(gone)], check=True)
    running = study.start(*targets)
    wait_for(lambda: jobs(study, word), running)
    kill_session(running)
    done = study.go_on(*targets)
    assert done.returncode == 0, done.stdout
    if wanted:
        assert study.path("datasets/test.json").exists()
        assert study.files("scenes/*/*/*.raw") == finished.files("scenes/*/*/*.raw")
    else:
        same_as(study, finished)


def test_killed_alone_its_jobs_end_by_themselves_and_it_is_gone_on_with(study, finished):
    running = study.start()
    wait_for(lambda: jobs(study, "code_scene.py"), running)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    wait_for(lambda: not jobs(study, "code_scene.py"))
    done = study.go_on()
    assert done.returncode == 0, done.stdout
    same_as(study, finished)


def test_one_job_killed_is_named_with_its_log_and_the_rest_is_kept(study, finished):
    running = study.start("--keep-going")
    wait_for(lambda: jobs(study, "code_scene.py"), running)
    for process in jobs(study, "code_scene.py")[:1]:
        os.kill(process, signal.SIGKILL)
    assert running.wait(300) == 1
    said = (study.folder / "run.log").read_text()
    assert "results/tiny/logs/code_scene/" in said
    assert not study.path("rd.csv").exists()
    done = study.run()
    assert done.returncode == 0, done.stdout
    same_as(study, finished)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda s: s.name)
def test_a_training_that_is_stopped_goes_on_and_gives_the_same_model(finished, tmp_path, sent):
    study = finished.copy(tmp_path / "copy")
    subprocess.run(["rm", "-r", study.path("models/tiny-k3")], check=True)
    running = study.start("results/tiny/models/tiny-k3/q1")
    log = study.path("models/tiny-k3/q1.training/log.csv")
    wait_for(lambda: log.exists() and log.read_text().count("\n") > 3, running, timeout=300)
    kill_session(running, sent)
    before = log.read_text()
    assert not study.path("models/tiny-k3/q1/model.json").exists()
    done = study.go_on("results/tiny/models/tiny-k3/q1")
    assert done.returncode == 0, done.stdout
    assert log.read_text().startswith(before.rsplit("\n", 2)[0]), "it started anew"
    assert study.files("models/*/q1/*.safetensors") == finished.files("models/*/q1/*.safetensors")


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
        done = study.run("--keep-going")
        assert done.returncode == 1
        assert "No space left" in done.stdout
        assert not list(folder.rglob("*.bpk"))
    assert kept == {path: path.read_bytes() for path in folder.iterdir()}
    done = study.run()
    assert done.returncode == 0, done.stdout
    same_as(study, finished)


def test_a_full_temporary_folder_does_no_harm(study, finished, tmp_path):
    with small_disk(tmp_path / "tmp", 4) as tmp:
        (tmp / "fill").write_bytes(bytes(4096))
        done = study.run("--default-resources", f"tmpdir='{tmp}'", TMPDIR=str(tmp))
        said = done.stdout
    if done.returncode:
        assert "No space left" in said or "No usable temporary directory" in said
        done = study.run()
    assert done.returncode == 0, done.stdout
    same_as(study, finished)


def test_a_read_only_data_folder_is_read(finished, tmp_path):
    study = finished.copy(tmp_path / "copy")
    data = tmp_path / "data of others"
    with small_disk(data, 20_000):
        source = next(
            Path(finished.folder / ".venv/lib").glob("python3*/site-packages/tensorly/datasets/data")
        )
        name = "Indian_pines_corrected.npy"
        (data / name).write_bytes((source / name).read_bytes())
        subprocess.run(["mount", "-o", "remount,ro", data], check=True)
        text = (study.folder / study.study).read_text()
        old = "package: tensorly\n      file: datasets/data/Indian_pines_corrected.npy"
        assert old in text
        (study.folder / study.study).write_text(text.replace(old, f"path: {name}"))
        subprocess.run(["rm", "-r", study.path("")], check=True)
        done = study.run(
            "results/tiny/scenes/test/south", "results/tiny/scenes/test/east", BANDPRESS_DATA=str(data)
        )
        assert done.returncode == 0, done.stdout
    assert study.files("scenes/test/*/*.raw") == finished.files("scenes/test/*/*.raw")
