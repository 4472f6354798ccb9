"""The tiny study through real Snakemake: made, made again, made in part, killed and gone on with."""

import math
import os
import signal

import pytest
from conftest import kill_session, wait_for

pytestmark = pytest.mark.workflow

RD = "results/tiny/rd.csv"


def test_rates_are_the_sizes_of_files_on_disk(finished):
    rows = finished.rd()
    assert len(rows) == len(finished.files("streams/**/*.bpk")) > 0
    for row in rows:
        size = (finished.folder / row["file"]).stat().st_size
        bands, samples, lines = {"south": (12, 48, 48), "east": (11, 48, 32)}[row["scene"]]
        assert int(row["bytes"]) == size
        assert math.isclose(float(row["bps"]), size * 8 / (bands * samples * lines), rel_tol=1e-12)
        assert math.isclose(float(row["psnr"]), 10 * math.log10(65535**2 / float(row["mse"])), rel_tol=1e-9)


def test_every_figure_and_table_is_there(finished):
    made = {path.name for path in finished.path("figures").iterdir()}
    assert {"rd_aviris.pdf", "rd_aviris.png", "rd_aviris.csv", "per_band_test.pdf"} <= made
    assert {"rates.csv", "bd.csv"} <= {path.name for path in finished.path("tables").iterdir()}
    assert all(path.stat().st_size > 0 for path in finished.path("figures").iterdir())


def test_a_second_run_has_nothing_to_do(finished):
    done = finished.run()
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout


def test_a_deleted_file_is_remade_with_its_dependents_and_nothing_else(finished, tmp_path):
    study = finished.copy(tmp_path / "copy")
    before = study.files("streams/**/*.bpk")
    kept = {path: path.stat().st_mtime_ns for path in study.path("streams").rglob("*.bpk")}
    gone = study.path("streams/test/south/rklt-k3/r1.bpk")
    for suffix in (".bpk", ".json", ".bands.csv"):
        gone.with_suffix(suffix).unlink()
    figure = study.path("figures/rd_aviris.pdf").stat().st_mtime_ns
    done = study.run(str(gone.relative_to(study.folder)), RD, "fig_rd_aviris")
    assert done.returncode == 0, done.stdout
    assert study.files("streams/**/*.bpk") == before
    assert study.rd() == finished.rd()
    assert study.path("figures/rd_aviris.pdf").stat().st_mtime_ns != figure
    remade = {path for path, time in kept.items() if path.stat().st_mtime_ns != time}
    assert remade == {gone}
    assert "prepare scene" not in done.stdout
    assert "train model" not in done.stdout
    assert "code scene" in done.stdout


@pytest.mark.slow
def test_a_workflow_killed_with_signal_9_continues_to_the_same_results(finished, tmp_path):
    study = finished.copy(tmp_path / "copy")
    expected = study.files("streams/**/*.bpk")
    for path in study.path("streams").rglob("*.*"):
        if "learned" not in path.parts[-2]:
            path.unlink()
    study.delete_tables()
    left = len(study.files("streams/**/*.bpk"))
    running = study.start(RD)
    wait_for(lambda: len(study.files("streams/**/*.bpk")) > left, running)
    kill_session(running, signal.SIGKILL)
    assert not study.path("rd.csv").exists()
    done = study.go_on(RD)
    assert done.returncode == 0, done.stdout
    assert study.files("streams/**/*.bpk") == expected
    assert study.rd() == finished.rd()
    assert not [path for path in study.path("").rglob("*") if ".part" in path.name]


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("figures:", "figurs:", "figurs"),
        ("rates: [1.0, 2.0]", "rates: [-1.0, 2.0]", "rates"),
        ("codec: jpeg2000,", "codec: jpeg3000,", "jpeg3000"),
    ],
)
def test_a_typo_in_a_study_is_refused_before_any_job(checkout, old, new, key):
    study = checkout.folder / checkout.study
    text = study.read_text()
    assert old in text
    study.write_text(text.replace(old, new, 1))
    done = checkout.run()
    assert done.returncode == 1
    assert "tiny.yaml:" in done.stdout
    assert key in done.stdout
    assert "Traceback" not in done.stdout
    assert not checkout.path("").exists()


def test_it_runs_from_another_folder_with_spaces_in_its_name(checkout, tmp_path):
    # Planned only: what a job is given is relative to the folder in which the checkout is.
    folder = tmp_path / "a folder's name"
    os.rename(checkout.folder, folder)
    checkout.folder = folder
    done = checkout.run("results/tiny/datasets/test.json")
    assert done.returncode == 0, done.stdout
