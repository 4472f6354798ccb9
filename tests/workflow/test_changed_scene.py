"""A scene that changes while points are missing: every point is of the scene as the study has it now."""

import numpy as np
import pytest

from bandpress import Scene, write_scene
from bandpress.container.bitstream import Reader

pytestmark = pytest.mark.workflow

STUDY = """
study: mine
title: mine
datasets:
  Flights:
    sensor: synthetic
    role: test
    licence: own
    citation: none
    source: {{path: flights}}
    scenes:
      synthetic-north: {{file: flight.4_40_64_2_1_0.raw, lines: 1-{lines}}}
codecs:
  jpeg2000: {{codec: jpeg2000, allocation: shared, rates: {rates}}}
"""


@pytest.mark.slow
def test_new_points_wait_for_the_scene_that_the_study_has_now(checkout, tmp_path):
    draw = np.random.default_rng(1)
    (tmp_path / "data/flights").mkdir(parents=True)
    cube = draw.integers(0, 4000, (4, 64, 40)).astype("<u2")
    write_scene(Scene(cube, "flight"), tmp_path / "data/flights/flight.4_40_64_2_1_0.raw")
    checkout.study = "mine.yaml"
    for lines, rates in ((48, [1.0, 2.0]), (56, [1.0, 2.0, 4.0])):
        (checkout.folder / "mine.yaml").write_text(STUDY.format(lines=lines, rates=rates))
        done = checkout.run("results/mine/rd.csv", BANDPRESS_DATA=str(tmp_path / "data"))
        assert done.returncode == 0, done.stdout
        found = {}
        for file in checkout.folder.glob("results/mine/streams/**/*.bpk"):
            with Reader(file) as reader:
                found[file.stem] = reader.header.lines
        assert found == {f"r{rate:g}": lines for rate in rates}
