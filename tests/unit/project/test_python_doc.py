"""Every example of docs/python.md runs as written."""

import re
from pathlib import Path

import numpy as np
import pytest

from bandpress import Scene, write_scene

PAGE = (Path(__file__).resolve().parents[3] / "docs/python.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    draw = np.random.default_rng(3)
    base = draw.normal(0, 1, (3, 48, 56)).cumsum(1).cumsum(2) * 30
    cube = np.einsum("bk,kls->bls", draw.random((24, 3)), base) + 1500 + draw.normal(0, 2, (24, 48, 56))
    scene = Scene(
        cube.clip(0, 9000).astype("<u2"), "scene", wavelengths=tuple(400.0 + 10 * b for b in range(24))
    )
    write_scene(scene, tmp_path / "scene.hdr", interleave="bil")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_examples_of_the_page_run_in_their_order(folder, capsys):
    assert len(EXAMPLES) >= 7
    names: dict = {}
    for example in EXAMPLES:
        exec(compile(example, "docs/python.md", "exec"), names)
    assert names["measures"]["psnr"] > 50
    assert names["red"].shape == (48, 56)
    assert float(names["near"].wavelength) == 550
    assert "scene.hdr" in capsys.readouterr().out
