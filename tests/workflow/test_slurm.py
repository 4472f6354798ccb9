"""The tiny study on a real Slurm of one node: the results of a local run, and what a cluster does to jobs.

docs/cluster.md has the table of faults. But for the first test only the table of numbers is asked for and what it
needs: each job of Slurm costs seconds of waiting.
"""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from conftest import Checkout, kill_session, processes, wait_for

pytestmark = [pytest.mark.workflow, pytest.mark.long]

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
RD = "results/tiny/rd.csv"
#: How long Slurm may take for anything, in seconds: the machine may be busy.
PATIENCE = 600


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """A Slurm that runs; stopped at the end with all that it started."""
    state = tmp_path_factory.mktemp("slurm")
    started = subprocess.run([NODE, "start", state], capture_output=True, text=True, timeout=900)
    if started.returncode == 77:
        pytest.skip(started.stderr.strip())
    assert started.returncode == 0, started.stderr
    try:
        yield subprocess.run(["hostname", "-s"], capture_output=True, text=True).stdout.strip()
    finally:
        stopped = subprocess.run([NODE, "stop", state], capture_output=True, text=True, timeout=300)
        assert stopped.returncode == 0, stopped.stderr
        assert subprocess.run(["pgrep", "-x", "slurmctld|slurmd"], capture_output=True).returncode == 1


@pytest.fixture
def study(node, finished, tmp_path) -> Checkout:
    """The finished study, of which some coded scenes without a network and the tables were deleted."""
    study = finished.copy(tmp_path / "copy")
    study.extra = list(OPTIONS)
    for path in study.path("streams").glob("test/south/[jr]*/r*"):
        path.unlink()
    study.delete_tables()
    return study


def queue(states: str = "PD,R,CG") -> list[str]:
    """Jobs in one of these states; those that wait, run or end, if none are given."""
    done = subprocess.run(
        ["squeue", "--noheader", f"--states={states}", "--format=%i"], capture_output=True, text=True
    )
    return done.stdout.split()


def scontrol(*words: str) -> None:
    """Ask Slurm for something; what has already happened by itself (a node that came back) is no failure."""
    subprocess.run(["scontrol", *words], capture_output=True)


def same_as(study: Checkout, finished: Checkout) -> None:
    assert study.files("streams/test/*/*/*.bpk") == finished.files("streams/test/*/*/*.bpk")
    assert study.rd() == finished.rd()
    assert not [path for path in study.path("").rglob("*") if ".part" in path.name]


def ended(running: subprocess.Popen, study: Checkout, *targets: str) -> str:
    """Wait for Snakemake; where it stopped, do what the documentation says: the same command again."""
    code = running.wait(PATIENCE)
    said = (study.folder / "run.log").read_text()
    if code:
        done = study.run(*targets, timeout=PATIENCE)
        assert done.returncode == 0, said + done.stdout
    return said


def stepping() -> bool:
    """Say whether anything of a job is left on the node."""
    return subprocess.run(["pgrep", "-x", "slurmstepd"], capture_output=True).returncode == 0


def let_go(jobs: list[str]) -> None:
    """Let jobs that were queued again start: Slurm keeps them back for two minutes, until all of them has ended."""
    wait_for(lambda: not set(jobs) & {*queue("R,CG")} and not stepping(), timeout=PATIENCE)
    for job in jobs:
        scontrol("update", f"jobid={job}", "starttime=now")


def test_the_whole_study_on_slurm_is_that_of_a_local_run(node, checkout, finished):
    checkout.extra = list(OPTIONS)
    done = checkout.run(timeout=2 * PATIENCE)
    assert done.returncode == 0, done.stdout
    same_as(checkout, finished)
    for kind in ("models/*/q*/*.safetensors", "tables/bd.csv", "figures/rd_*.csv", "scenes/*/*/*.raw"):
        assert checkout.files(kind) == finished.files(kind), kind
    # Eight points without a network in one job, not in eight; figures and tables likewise.
    submitted = re.findall(r"SLURM jobid \d+ \(log: \S*/slurm_logs/((?:group|rule)_[a-z]+)", done.stdout)
    assert submitted.count("group_coding") == 1, submitted
    assert len(submitted) <= 14, submitted


def test_jobs_of_a_node_that_went_down_run_again(study, finished, node):
    running = study.start(RD)
    wait_for(lambda: processes(study, "code_scene.py"), running, PATIENCE)
    scontrol("update", f"nodename={node}", "state=down", "reason=test")
    wait_for(lambda: not processes(study, "code_scene.py"), timeout=PATIENCE)
    jobs = queue()
    scontrol("update", f"nodename={node}", "state=resume")
    let_go(jobs)
    ended(running, study, RD)
    same_as(study, finished)


def preempted(study: Checkout, running: subprocess.Popen, word: str, ready) -> None:
    """Freeze a job when it is ready, and have a job of higher priority take its place for a moment."""
    wait_for(lambda: processes(study, word) and ready(), running, PATIENCE)
    for process in processes(study, word):
        os.kill(process, signal.SIGSTOP)  # Slurm itself wakes it, and says SIGTERM
    before = queue("R")
    urgent = ["sbatch", "--parsable", "--partition=urgent", "--exclusive", "--output=/dev/null"]
    done = subprocess.run([*urgent, "--wrap=sleep 1"], capture_output=True, text=True, check=True)
    wait_for(lambda: not processes(study, word), timeout=PATIENCE)
    wait_for(lambda: done.stdout.strip() not in queue(), timeout=PATIENCE)
    let_go(before)


def test_a_job_that_is_preempted_is_queued_again(study, finished, node):
    running = study.start(RD)
    preempted(study, running, "code_scene.py", lambda: True)
    ended(running, study, RD)
    same_as(study, finished)


def test_a_training_that_is_preempted_goes_on_from_its_checkpoint(study, finished, node):
    model = "results/tiny/models/tiny-k3/q1"
    subprocess.run(["rm", "-r", study.path("models/tiny-k3")], check=True)
    log = study.path("models/tiny-k3/q1.training/log.csv")
    running = study.start(model)
    preempted(study, running, "train", lambda: log.exists() and log.read_text().count("\n") > 3)
    before = log.read_text()
    ended(running, study, model)
    assert log.read_text().startswith(before.rsplit("\n", 2)[0]), "it started anew"
    assert study.files("models/*/q1/*.safetensors") == finished.files("models/*/q1/*.safetensors")


#: What a script does first: take more memory than its rule asks for, until Slurm, which looks once a second, saw it.
HOG = "import time\nhog = bytes([1]) * 1_100_000_000\ntime.sleep(6)\ndel hog\n"


def test_a_job_over_its_memory_is_ended_and_run_again_with_twice_as_much(study, finished, node):
    script = study.folder / "scripts/collect_rd.py"
    script.write_text(script.read_text().replace("import argparse\n", f"import argparse\n{HOG}", 1))
    assert HOG in script.read_text()
    done = study.run(RD, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout
    # Logs of jobs that went well are not kept.
    (log,) = study.folder.glob(".snakemake/slurm_logs/rule_collect_rd/*.log")
    assert "exceeded memory limit" in log.read_text()
    assert log.name in done.stdout
    submitted = re.findall(r"SLURM jobid (\d+) \(log: \S*/rule_collect_rd/", done.stdout)
    assert [f"{job}.log" for job in submitted].index(log.name) == 0
    assert len(submitted) == 2
    same_as(study, finished)


def test_a_job_over_its_time_is_ended_named_and_can_be_run_again(study, finished, node):
    script = study.folder / "scripts/collect_rd.py"
    text = script.read_text()
    script.write_text("import time\ntime.sleep(900)\n")
    done = study.run(RD, "--set-resources", "collect_dataset:runtime=1", "--retries", "0", timeout=PATIENCE)
    assert done.returncode == 1
    (log,) = study.folder.glob(".snakemake/slurm_logs/rule_collect_dataset/**/*.log")
    assert "DUE TO TIME LIMIT" in log.read_text()
    assert log.name in done.stdout
    assert not study.path("rd.csv").exists()
    script.write_text(text)
    done = study.run(RD, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout
    same_as(study, finished)


def test_a_workflow_killed_on_the_login_node_is_continued(study, finished, node):
    running = study.start(RD)
    wait_for(lambda: processes(study, "code_scene.py"), running, PATIENCE)
    kill_session(running, signal.SIGKILL)
    # What docs/cluster.md says: end the jobs that nobody waits for any more, then go on.
    (run,) = set(re.findall(r"SLURM run ID: (\S+)", (study.folder / "run.log").read_text()))
    assert queue()
    subprocess.run(["scancel", "--name", run], check=True)
    wait_for(lambda: not queue(), timeout=PATIENCE)
    done = study.go_on(RD, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout
    same_as(study, finished)
