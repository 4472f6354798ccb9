"""Other ways to start a study: keys set on the command line, from another folder, as a module of another workflow."""

import os
import subprocess

import pytest

pytestmark = pytest.mark.workflow


def snakemake(folder, checkout, *words):
    """Run Snakemake in a folder, with the environment of a checkout."""
    return subprocess.run(
        [checkout.folder / "envs/run", "workflow", "snakemake", *map(str, words), "--cores", "1"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )


def test_any_key_of_the_study_is_set_on_the_command_line(checkout):
    changes = ["study=other", "codecs={jpeg2000: {rates: [0.75, 3]}}", "figures={rate: 0.75}"]
    done = checkout.run("-np", "--config", *changes)
    assert done.returncode == 0, done.stdout
    assert "results/other/streams/test/south/jpeg2000/r0.75.bpk" in done.stdout
    assert "results/other/streams/test/south/jpeg2000/r1.bpk" not in done.stdout
    assert "results/other/streams/test/south/rklt-k3/r1.bpk" in done.stdout
    assert "--rate 0.75" in done.stdout
    assert "results/tiny" not in done.stdout


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("titel=x", "--config titel: unknown key; expected one of study, title, datasets"),
        ("codecs={jpeg2000: {rates: [-1]}}", "--config: codecs.jpeg2000.rates.0: -1 was found"),
        ("figures={reference: nothing}", "--config: figures.reference: codec 'nothing' is not defined"),
    ],
)
def test_a_key_that_cannot_be_set_is_refused_before_any_job(checkout, change, said):
    done = checkout.run("--config", change)
    assert done.returncode == 1
    assert said in done.stdout
    assert "Traceback" not in done.stdout
    assert not (checkout.folder / "results/tiny").exists()


@pytest.mark.slow
def test_results_go_where_directory_says(checkout, tmp_path):
    elsewhere = tmp_path / "another folder"
    elsewhere.mkdir()
    words = ["-s", checkout.folder / "Snakefile", "--configfile", checkout.folder / "tiny.yaml"]
    done = snakemake(
        checkout.folder, checkout, "results/tiny/scenes/test/south", *words, "--directory", elsewhere
    )
    assert done.returncode == 0, done.stdout
    assert list((elsewhere / "results/tiny/scenes/test/south").glob("*.raw"))
    assert not (checkout.folder / "results/tiny").exists()


def test_another_workflow_uses_it_as_a_module(checkout, tmp_path):
    outer = tmp_path / "outer"
    outer.mkdir()
    (outer / "Snakefile").write_text(
        f"""
import yaml

module bandpress:
    snakefile: {str(checkout.folder / "Snakefile")!r}
    config: yaml.safe_load(open({str(checkout.folder / "tiny.yaml")!r}))

use rule * from bandpress as bandpress_*

rule size:
    input: "results/tiny/streams/test/south/jpeg2000/r1.bpk"
    output: "size.txt"
    shell: "wc -c < {{input}} > {{output}}"
"""
    )
    done = snakemake(outer, checkout, "size.txt")
    assert done.returncode == 0, done.stdout
    coded = outer / "results/tiny/streams/test/south/jpeg2000/r1.bpk"
    assert int((outer / "size.txt").read_text()) == os.path.getsize(coded) > 0


@pytest.mark.slow
def test_figures_of_one_sensor_need_only_its_data(checkout):
    (checkout.folder / "hand.yaml").write_text(BY_HAND)
    checkout.study = "hand.yaml"
    (checkout.folder / "data/First").mkdir(parents=True)
    (checkout.folder / "data/First/a.6_48_40_2_1_0.raw").write_bytes(bytes(23040))
    planned = checkout.run("fig_rd_aviris", "-n")
    assert planned.returncode == 0, planned.stdout
    fetched = checkout.run("results/hand/datasets/First.json")
    assert fetched.returncode == 0, fetched.stdout
    for targets in ((), ("fig_rd_hyperion",)):
        refused = checkout.run(*targets)
        assert refused.returncode == 1
        assert "hand: 1 sources are not on this machine; nothing was started." in refused.stdout
        assert "data/Second" in refused.stdout
        assert "https://example.org/scenes" in refused.stdout
        assert refused.stdout.count("\n") <= 15
        assert not checkout.folder.joinpath("results/hand/datasets/Second.json").exists()


def test_a_study_whose_pages_cannot_be_reached_starts_nothing(checkout):
    study = BY_HAND.replace("{path: First, page: ", "{match: [First], page: ")
    (checkout.folder / "hand.yaml").write_text(study.replace("https://example.org", "http://127.0.0.1:9"))
    checkout.study = "hand.yaml"
    refused = checkout.run()
    assert refused.returncode == 1
    assert "; nothing was started." in refused.stdout
    assert "http://127.0.0.1:9/scenes: the connection failed" in refused.stdout
    assert refused.stdout.count("\n") <= 15
    assert not (checkout.folder / "results/hand/logs").exists()


BY_HAND = """
study: hand
title: Two sensors
datasets:
  First: &set
    sensor: AVIRIS
    role: test
    licence: none
    citation: none
    source: {path: First, page: "https://example.org/scenes"}
  Second: {<<: *set, sensor: Hyperion, source: {path: Second, page: "https://example.org/scenes"}}
codecs:
  jpeg2000: {codec: jpeg2000, rates: [1.0]}
"""
