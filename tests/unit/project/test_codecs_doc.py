"""The worked example of docs/codecs.md works."""

import re
import sys
import types

import numpy as np

from bandpress import codecs
from bandpress.coding import compress, decompress
from baseline_scenes import smooth_scene
from places import ROOT

DOC = ROOT / "docs" / "codecs.md"


def test_the_codec_of_the_documentation(tmp_path, monkeypatch):
    (block,) = re.findall(r"```python\n(.*?)```", DOC.read_text(), re.S)
    module = types.ModuleType("example_codec")
    monkeypatch.setitem(sys.modules, "example_codec", module)
    exec(block, module.__dict__)
    monkeypatch.setitem(codecs.REGISTRY, "zlib", "example_codec:Zlib")
    scene = smooth_scene()
    compress(scene, tmp_path / "s.bpk", codecs.make_codec("zlib", level=6))
    assert np.array_equal(decompress(tmp_path / "s.bpk").scene.cube, scene.cube)


def test_every_codec_is_documented():
    for name in codecs.REGISTRY:
        assert f"| `{name}` |" in DOC.read_text()
