"""Kernels give the same samples whatever instructions they are compiled to."""

import json
import os
import subprocess
import sys

import pytest

import golden_contexts as golden
from places import ROOT

DECODE = "import golden_contexts as g; print(*(g.samples_digest(name) for name in sorted(g.STREAMS)))"
#: What numba compiles for: the least that the libraries can be told to use, AVX2 with fused operations, AVX-512.
TARGETS = {
    "least": {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "OPENBLAS_CORETYPE": "Prescott"},
    "avx2": {
        "NUMBA_CPU_NAME": "haswell",
        "NUMBA_CPU_FEATURES": "+avx2,+fma,+bmi2",
        "OPENBLAS_CORETYPE": "Haswell",
    },
    "avx512": {"NUMBA_CPU_NAME": "skylake-avx512", "OPENBLAS_CORETYPE": "SkylakeX"},
}


def flags():
    try:
        return set(open("/proc/cpuinfo", encoding="utf-8").read().split())
    except OSError:
        return set()


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_golden_streams_decode_alike_with_other_instructions(target, tmp_path):
    needed = {
        "least": set(),
        "avx2": {"avx2", "fma"},
        "avx512": {"avx512f", "avx512vl", "avx512bw", "avx512dq"},
    }
    if needed[target] - flags():
        pytest.skip(f"this processor has no {target}")
    variables = {
        "NUMBA_CACHE_DIR": str(tmp_path),
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests/helpers")]),
    }
    done = subprocess.run(
        [sys.executable, "-c", DECODE],
        env=os.environ | TARGETS[target] | variables,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    facts = json.loads(golden.FACTS.read_text())
    assert done.stdout.split() == [facts[name]["samples"] for name in sorted(golden.STREAMS)]
