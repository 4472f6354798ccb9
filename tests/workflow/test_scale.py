"""Planning a large study takes a minute and two gigabytes at most; how both grow is printed (pytest -s)."""

import os
import subprocess
import time

import pytest

pytestmark = [pytest.mark.workflow, pytest.mark.long]

STUDY = """
study: scale
title: {scenes} scenes at 24 points
datasets:
  many:
    sensor: AVIRIS
    role: test
    licence: none
    citation: none
    source: {{path: many}}
    scenes:
{listed}
codecs:
  jpeg2000: {{codec: jpeg2000, rates: [0.1, 0.2, 0.3, 0.5, 0.7, 1.0]}}
  rklt-k3: {{codec: rklt-jpeg2000, bands_per_cluster: 3, rates: [0.1, 0.2, 0.3, 0.5, 0.7, 1.0]}}
  rklt-k7: {{codec: rklt-jpeg2000, bands_per_cluster: 7, rates: [0.1, 0.2, 0.3, 0.5, 0.7, 1.0]}}
  rklt-all: {{codec: rklt-jpeg2000, bands_per_cluster: all, rates: [0.1, 0.2, 0.3, 0.5, 0.7, 1.0]}}
figures: {{reference: rklt-k3, rate: 0.5}}
"""


def write_study(path, scenes):
    """Write a study of many scenes, each coded at 24 points."""
    listed = "\n".join(f"      scene{i:05d}: {{file: scene{i:05d}.raw}}" for i in range(scenes))
    path.write_text(STUDY.format(scenes=scenes, listed=listed))


@pytest.mark.parametrize("scenes", [10, 100, 1000])
def test_planning_stays_within_time_and_memory(checkout, scenes):
    write_study(checkout.folder / "scale.yaml", scenes)
    checkout.study = "scale.yaml"
    start = time.monotonic()
    with open(checkout.folder / "plan.log", "w") as log:
        planning = subprocess.Popen(
            checkout.command("-n", "--quiet", "rules"),
            cwd=checkout.folder,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(planning.pid, 0)
    planning.returncode = os.waitstatus_to_exitcode(status)
    seconds, processor = time.monotonic() - start, used.ru_utime + used.ru_stime
    said = (checkout.folder / "plan.log").read_text()
    print(
        f"\n{scenes} scenes: {seconds:.0f} s, {processor:.0f} s of processor, {used.ru_maxrss / 1024:.0f} MB"
    )
    assert planning.returncode == 0, said
    assert f"code_scene{24 * scenes:>20}".replace(" ", "") in said.replace(" ", "")
    # Of the processor, so that what else runs on the machine does not matter.
    assert processor <= 60
    assert used.ru_maxrss / 1024 <= 2048
