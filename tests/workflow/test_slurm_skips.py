"""Where no Slurm can be installed or started, its tests are skipped with a sentence that says why."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.workflow

NODE = Path(__file__).parent / "slurm/node"
CANNOT = 77


def start(state, *before, **env):
    return subprocess.run(
        [*before, NODE, "start", state], capture_output=True, text=True, env={**os.environ, **env}
    )


def said_why(done, words):
    assert done.returncode == CANNOT, done.stderr
    assert done.stderr.count("\n") == 1
    assert words in done.stderr


def only(folder, *names):
    """A folder of links to some programmes and to no others."""
    for name in names:
        (folder / name).symlink_to(shutil.which(name))
    return str(folder)


def test_a_user_who_is_not_root_is_told(tmp_path):
    before = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("setpriv is needed to be somebody else")
        before = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    done = subprocess.run(
        [*before, "/bin/sh", "-s", "start", "/nowhere/state"],
        input=NODE.read_text(),
        capture_output=True,
        text=True,
    )
    said_why(done, "root is needed")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is asked for packages")
def test_a_machine_without_slurm_and_apt_get_is_named(tmp_path):
    (tmp_path / "bin").mkdir()
    path = only(tmp_path / "bin", "sh", "id", "mkdir")
    done = start(tmp_path / "state", PATH=path)
    said_why(done, "there is no apt-get")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs packages")
def test_a_failed_installation_is_named(tmp_path):
    (tmp_path / "bin").mkdir()
    path = only(tmp_path / "bin", "sh", "id", "mkdir", "tail", "rm", "chmod")
    (tmp_path / "bin/apt-get").write_text(
        "#!/bin/sh\necho 'E: Unable to locate package slurm-wlm'\nexit 100\n"
    )
    (tmp_path / "bin/apt-get").chmod(0o755)
    before = Path("/usr/sbin/policy-rc.d").exists()
    done = start(tmp_path / "state", PATH=path)
    said_why(done, "could not be installed: E: Unable to locate package slurm-wlm")
    assert Path("/usr/sbin/policy-rc.d").exists() == before
