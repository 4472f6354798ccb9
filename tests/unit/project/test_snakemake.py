"""Undocumented parts of Snakemake that the rules use; these tests fail if one moves."""

import inspect
import re

import pytest

from places import ROOT

pytest.importorskip("snakemake.api", reason="Snakemake is in the other environment")
workflow = pytest.importorskip("snakemake.workflow")
types = pytest.importorskip("snakemake.settings.types")

#: Attributes of `workflow` that Snakemake's documentation does not promise, and where each is used.
INTERNALS = {
    "config_settings": "rules/common.smk",
    "global_resources": "rules/common.smk",
    "local_exec": "rules/common.smk",
}
DOCUMENTED = {"cores"}


def test_the_internals_that_are_used_are_those_named_here():
    used = {}
    for path in (ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk")):
        for name in re.findall(r"\bworkflow\.(\w+)", path.read_text("utf-8")):
            used[name] = path.relative_to(ROOT).as_posix()
    assert {name: file for name, file in used.items() if name not in DOCUMENTED} == INTERNALS


def test_the_internals_that_are_used_still_exist():
    source = inspect.getsource(workflow.Workflow)
    assert all(re.search(rf"\b{name}\b", source) for name in (*INTERNALS, *DOCUMENTED))
    settings = types.ConfigSettings(config={"study": "x"}, configfiles=[])
    assert settings.overwrite_config == {"study": "x"}
    assert list(settings.configfiles) == []
    assert settings.config == {"study": "x"}
