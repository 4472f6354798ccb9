"""Kernels are kept on disk, wherever there is room, and made anew when their code changes."""

import os
import subprocess
import sys
import tempfile
import textwrap

from places import ROOT

KERNEL = """
from bandpress.compiled import helper, kernel
from helped import FACTOR, times

@kernel("int64(int64)")
def code(value):
    return times(value)
"""
HELPED = """
from bandpress.compiled import helper
FACTOR = {}

@helper
def times(value):
    return value * FACTOR
"""


def answer(folder, factor, **variables):
    (folder / "helped.py").write_text(HELPED.format(factor))
    (folder / "coded.py").write_text(KERNEL)
    os.utime(folder / "coded.py", (1e9, 1e9))
    # Bytecode knows its source by second and size, which are the same here.
    words = [
        sys.executable,
        "-B",
        "-c",
        "import coded; print(coded.code(7), len(coded.code.stats.cache_hits))",
    ]
    path = os.pathsep.join([str(ROOT / "src"), str(folder)])
    done = subprocess.run(
        words,
        env=os.environ | {"PYTHONPATH": path, "NUMBA_CACHE_DIR": str(folder / "kept")} | variables,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return [int(word) for word in done.stdout.split()]


def test_a_kernel_is_compiled_once_and_again_when_its_helper_changes(tmp_path):
    assert answer(tmp_path, 2) == [14, 0]
    assert answer(tmp_path, 2) == [14, 1]
    assert answer(tmp_path, 3) == [21, 0]


def test_a_kernel_kept_by_another_processor_is_compiled_for_this_one(tmp_path):
    assert answer(tmp_path, 2) == [14, 0]
    other = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    assert answer(tmp_path, 2, **other) == [14, 0]
    assert answer(tmp_path, 2, **other) == [14, 1]
    assert answer(tmp_path, 2) == [14, 1]


def test_the_first_call_says_that_it_compiles_and_later_ones_do_not(tmp_path):
    (tmp_path / "helped.py").write_text(HELPED.format(2))
    (tmp_path / "coded.py").write_text(KERNEL)
    said = "from bandpress.stages import heard\nwith heard(print):\n    import coded"
    path = os.pathsep.join([str(ROOT / "src"), str(tmp_path)])
    variables = os.environ | {"PYTHONPATH": path, "NUMBA_CACHE_DIR": str(tmp_path / "kept")}
    for expected in ("compiling, once only\n", ""):
        assert subprocess.check_output([sys.executable, "-c", said], env=variables, text=True) == expected


def test_a_kernel_loads_without_what_compiles_and_others_compile_after_it(tmp_path):
    answer(tmp_path, 2)
    code = """
        import sys, coded, numpy, numba
        assert coded.code.stats.cache_hits
        print("numba.np.linalg" in sys.modules, coded.code(7))
        print(int(numba.njit(lambda values: values.sum())(numpy.arange(4.0))))
    """
    path = os.pathsep.join([str(ROOT / "src"), str(tmp_path)])
    variables = os.environ | {"PYTHONPATH": path, "NUMBA_CACHE_DIR": str(tmp_path / "kept")}
    words = [sys.executable, "-c", textwrap.dedent(code)]
    assert subprocess.check_output(words, env=variables, text=True).split() == ["False", "14", "6"]


def test_make_env_compiles_every_kernel():
    using = [p for p in (ROOT / "src/bandpress").rglob("*.py") if "import helper, kernel" in p.read_text()]
    code = "import sys, bandpress.kernels; print(*sys.modules)"
    imported = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert {".".join(p.relative_to(ROOT / "src").with_suffix("").parts) for p in using} <= set(imported)


def test_the_folder_for_temporary_files_is_the_last_resort(tmp_path, monkeypatch):
    from bandpress import compiled

    monkeypatch.setattr(
        os, "environ", {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    )
    monkeypatch.setattr(os, "access", lambda *_: True)
    compiled._find_cache()
    assert "NUMBA_CACHE_DIR" not in os.environ
    monkeypatch.setattr(os, "access", lambda *_: False)
    compiled._find_cache()
    assert os.path.dirname(os.environ["NUMBA_CACHE_DIR"]) == tempfile.gettempdir()
    os.environ["NUMBA_CACHE_DIR"] = "given"
    compiled._find_cache()
    assert os.environ["NUMBA_CACHE_DIR"] == "given"
