"""The tiny study on a real Slurm of one node: the results of a local run, and what a cluster does to jobs."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import Checkout, kill_session, wait_for

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

NODE = Path(__file__).parent / "slurm/node"
OPTIONS = [
    "--profile",
    "profiles/slurm",
    "--slurm-no-account",
    "--slurm-status-command",
    "squeue",
    "--slurm-init-seconds-before-status-checks",
    "3",
    "--latency-wait",
    "5",
]


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """A Slurm that runs; stopped at the end with all that it started."""
    state = tmp_path_factory.mktemp("slurm")
    started = subprocess.run([NODE, "start", state], capture_output=True, text=True, timeout=600)
    if started.returncode == 77:
        pytest.skip(started.stderr.strip())
    assert started.returncode == 0, started.stderr
    try:
        yield subprocess.run(["hostname", "-s"], capture_output=True, text=True).stdout.strip()
    finally:
        stopped = subprocess.run([NODE, "stop", state], capture_output=True, text=True, timeout=120)
        assert stopped.returncode == 0, stopped.stderr
        assert subprocess.run(["pgrep", "-x", "slurmctld|slurmd"], capture_output=True).returncode == 1


@pytest.fixture
def study(node, finished, tmp_path) -> Checkout:
    """The finished study, of which the coded scenes without a network and the table were deleted."""
    study = finished.copy(tmp_path / "copy")
    study.extra = list(OPTIONS)
    for path in study.path("streams").glob("test/*/[jr]*/*.bpk"):
        path.unlink()
    study.path("rd.csv").unlink()
    return study


def queue() -> list[str]:
    """Jobs that wait or run."""
    done = subprocess.run(
        ["squeue", "--noheader", "--states=PD,R,CG", "--format=%i"], capture_output=True, text=True
    )
    return done.stdout.split()


def scontrol(*words: str) -> None:
    """Ask Slurm for something; what has already happened by itself (a node that came back) is no failure."""
    subprocess.run(["scontrol", *words])


def same_as(study: Checkout, finished: Checkout) -> None:
    assert study.files("streams/test/*/*/*.bpk") == finished.files("streams/test/*/*/*.bpk")
    assert study.rd() == finished.rd()


def coding(study: Checkout) -> bool:
    """Say whether a scene is being coded by this checkout."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if Path(os.readlink(process / "cwd")) == study.folder and b"code_scene.py" in (
                process / "cmdline"
            ).read_bytes().replace(b"\0", b" "):
                return True
        except OSError:
            continue
    return False


def test_the_whole_study_on_slurm_is_that_of_a_local_run(node, checkout, finished):
    checkout.extra = list(OPTIONS)
    done = checkout.run(timeout=900)
    assert done.returncode == 0, done.stdout
    assert "SLURM jobid" in done.stdout
    same_as(checkout, finished)
    assert checkout.files("models/*/q*/*.safetensors") == finished.files("models/*/q*/*.safetensors")
    # Eight points without a network in one job, not in eight.
    assert done.stdout.count("group_coding_code_scene") == 1


def test_a_node_that_goes_down_and_comes_back(study, finished, node):
    running = study.start()
    wait_for(lambda: coding(study), running)
    scontrol("update", f"nodename={node}", "state=down", "reason=test")
    time.sleep(3)
    scontrol("update", f"nodename={node}", "state=resume")
    if running.wait(600):
        done = study.run()
        assert done.returncode == 0, done.stdout
    same_as(study, finished)


def test_a_job_that_is_queued_again_by_slurm(study, finished, node):
    running = study.start()
    wait_for(lambda: coding(study), running)
    for job in queue():
        scontrol("requeue", job)
    # Slurm keeps a job that it queued again back for a while.
    time.sleep(2)
    for job in queue():
        subprocess.run(["scontrol", "update", f"jobid={job}", "starttime=now"], capture_output=True)
    if running.wait(600):
        done = study.run()
        assert done.returncode == 0, done.stdout
    same_as(study, finished)


def test_too_little_memory_is_tried_again_with_twice_as_much(study, finished, node):
    done = study.run(
        "--set-resources", "code_scene:mem_mb=250*attempt*attempt", "--retries", "3", timeout=600
    )
    if done.returncode:
        assert ".snakemake/slurm_logs" in done.stdout
        done = study.run()
        assert done.returncode == 0, done.stdout
    same_as(study, finished)


def test_a_job_over_its_time_is_ended_named_and_can_be_run_again(study, finished, node):
    script = study.folder / "scripts/collect_rd.py"
    text = script.read_text()
    script.write_text("import time\ntime.sleep(300)\n")
    done = study.run("--set-resources", "collect_rd:runtime=1", "--retries", "0", timeout=600)
    assert done.returncode == 1
    assert "collect_rd" in done.stdout
    assert ".snakemake/slurm_logs" in done.stdout
    assert not study.path("rd.csv").exists()
    script.write_text(text)
    done = study.run()
    assert done.returncode == 0, done.stdout
    same_as(study, finished)


def test_the_workflow_killed_on_the_login_node(study, finished, node):
    running = study.start()
    wait_for(lambda: coding(study), running)
    kill_session(running, signal.SIGKILL)
    # What docs/cluster.md says: end the jobs that nobody waits for any more, then go on.
    subprocess.run(["scancel", *queue()], check=True)
    wait_for(lambda: not queue())
    done = study.go_on()
    assert done.returncode == 0, done.stdout
    same_as(study, finished)
