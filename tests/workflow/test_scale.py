"""Planning a large study: time in proportion to its jobs, and at most two gigabytes; printed by pytest -s."""

import os
import subprocess

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


def plan(checkout, scenes):
    """Plan a study of many scenes; return seconds of processor and MB."""
    write_study(checkout.folder / "scale.yaml", scenes)
    checkout.study = "scale.yaml"
    with open(checkout.folder / "plan.log", "w") as log:
        planning = subprocess.Popen(
            checkout.command("-n", "--quiet", "rules"),
            cwd=checkout.folder,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(planning.pid, 0)
    planning.returncode = os.waitstatus_to_exitcode(status)
    said = (checkout.folder / "plan.log").read_text()
    assert planning.returncode == 0, said
    assert f"code_scene{24 * scenes:>20}".replace(" ", "") in said.replace(" ", "")
    processor, memory = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    print(f"\n{scenes} scenes: {processor:.0f} s of processor, {memory:.0f} MB")
    return processor, memory


def test_planning_takes_time_in_proportion_to_the_jobs_and_2_gb_at_most(checkout):
    """Limits in seconds would depend on the machine."""
    (base, _), (few, _), (many, memory) = (plan(checkout, scenes) for scenes in (10, 100, 1000))
    assert (many - base) / 990 <= 1.5 * (few - base) / 90
    assert memory <= 2048
