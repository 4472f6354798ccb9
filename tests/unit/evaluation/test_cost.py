"""What coding a scene costs: wall clock, processor seconds, memory."""

import time
from types import SimpleNamespace

import numpy as np

from bandpress import Scene
from bandpress.codecs import make_codec
from bandpress.evaluation import evaluate as module


def test_processor_seconds_leave_out_waiting(monkeypatch, tmp_path):
    def wait(*_, **__):
        time.sleep(0.4)
        return 1

    def work(*_, **__):
        end = time.process_time() + 0.4
        while time.process_time() < end:
            pass
        return SimpleNamespace(scene=scene)

    scene = Scene(np.zeros((1, 8, 8), "<u2"), name="zeros")
    monkeypatch.setattr(module, "compress", wait)
    monkeypatch.setattr(module, "decompress", work)
    cost = module.there_and_back(scene, make_codec("jpeg2000", rate=1.0), tmp_path / "s.bpk").cost
    assert cost["encode_s"] >= 0.4 > 0.2 > cost["encode_cpu_s"]
    assert 0.39 <= cost["decode_cpu_s"] < 0.6
