"""Remaking after changes, failure messages, and results of small studies."""

import re
import shutil
import zipfile

import pytest

pytestmark = pytest.mark.workflow


def planned(study) -> dict[str, int]:
    """Return the number of jobs of each rule in a dry run."""
    done = study.run("-n", "-p")
    assert done.returncode == 0, done.stdout
    if "Nothing to be done" in done.stdout:
        return {}
    stats = done.stdout.rpartition("Job stats:")[2]
    return {rule: int(number) for rule, number in re.findall(r"^(\w+) +(\d+)$", stats, re.MULTILINE)}


def touch(path, text="\n# changed\n"):
    path.write_text(path.read_text("utf-8") + text, encoding="utf-8")


@pytest.fixture
def study(finished, tmp_path):
    """The finished tiny study, to be changed."""
    return finished.copy(tmp_path / "copy")


def test_a_changed_script_of_a_figure_remakes_that_figure_and_the_page_that_shows_it(study):
    touch(study.folder / "scripts/fig_gain.py")
    assert set(planned(study)) == {"fig_gain", "index", "all", "total"}


def test_changed_code_of_a_codec_remakes_what_that_codec_made_and_what_shows_it(study):
    touch(study.folder / "src/bandpress/codecs/rklt_jpeg2000.py")
    plan = planned(study)
    assert plan["code_scene"] == 4
    assert {"collect_rd", "fig_rd_aviris", "index"} <= set(plan)
    for rule in ("code_scene_learned", "train_model", "prepare_scene"):
        assert rule not in plan
    listed = study.run("-n", "-p").stdout
    assert set(re.findall(r"rule code_scene:.*?codec=([\w-]+)", listed, re.DOTALL)) == {"rklt-k3"}


def test_changed_code_of_a_figure_recodes_nothing(study):
    touch(study.folder / "src/bandpress/study/figures/axes.py")
    plan = planned(study)
    assert {"fig_gain", "fig_throughput", "index"} <= set(plan)
    assert not [rule for rule in plan if rule.startswith(("code_", "time_", "prepare", "train", "collect"))]


@pytest.mark.slow
def test_a_replaced_scene_is_coded_again_and_no_other(study):
    """Scenes of a folder: the same names and sizes, new contents in one of them."""
    file = study.folder / study.study
    text = file.read_text()
    source = "package: tensorly\n      file: datasets/data/Indian_pines_corrected.npy"
    assert source in text
    text = text.replace(source, "path: scenes")
    for scene in ("south", "east"):
        (prepared,) = study.path(f"scenes/test/{scene}").glob("*.raw")
        (study.folder / "data/scenes").mkdir(parents=True, exist_ok=True)
        shutil.copy(prepared, study.folder / "data/scenes")
        text = re.sub(rf"      {scene}: .*", f"      {scene}: {{file: {prepared.name}}}", text)
    text = re.sub(r"      north: .*", f"      north: {{file: {prepared.name}}}", text)
    file.write_text(re.sub(r"  learned-k3.*\n", "", text.replace("role: train", "role: test")))
    target = "results/tiny/rd/test.csv"
    assert study.run(target).returncode == 0
    before = study.files("streams/test/*/*/*.bpk")
    assert "Nothing to be done" in study.run(target).stdout
    replaced = next((study.folder / "data/scenes").glob("east.*"))
    replaced.write_bytes(replaced.read_bytes()[::-1])
    done = study.run(target)
    assert done.returncode == 0, done.stdout
    after = study.files("streams/test/*/*/*.bpk")
    changed = {name.split("/")[2] for name in after if before[name] != after[name]}
    assert changed == {"east"}
    assert "south" not in done.stdout


def test_a_changed_parameter_of_a_codec_remakes_its_points_and_what_shows_them(study):
    file = study.folder / study.study
    text = file.read_text()
    old = "jpeg2000: {codec: jpeg2000, rates"
    assert old in text
    file.write_text(text.replace(old, "jpeg2000: {codec: jpeg2000, allocation: shared, rates"))
    plan = planned(study)
    assert plan["code_scene"] == 4  # two rates of two scenes
    for rule in ("code_scene_learned", "train_model", "prepare_scene", "fetch_dataset"):
        assert rule not in plan
    for rule in ("fig_training", "fig_complexity", "table_models", "table_datasets"):
        assert rule not in plan
    assert {"collect_rd", "fig_rd_aviris", "table_rates", "index", "provenance"} <= set(plan)
    listed = study.run("-n", "-p").stdout
    assert set(re.findall(r"rule code_scene:.*?codec=([\w-]+)", listed, re.DOTALL)) == {"jpeg2000"}


@pytest.mark.slow
def test_an_added_point_leaves_the_others(study):
    file = study.folder / study.study
    file.write_text(
        file.read_text().replace(
            "jpeg2000: {codec: jpeg2000, rates: [1.0, 2.0]}",
            "jpeg2000: {codec: jpeg2000, rates: [1.0, 2.0, 3.0]}",
        )
    )
    assert planned(study)["code_scene"] == 2


@pytest.mark.slow
def test_a_failed_job_shows_the_end_of_its_log_and_the_command_to_run_it_alone(study):
    script = study.folder / "scripts/fig_gain.py"
    script.write_text('import sys\nprint("\\n".join(map(str, range(50))))\nsys.exit("the ink is used up")\n')
    done = study.run()
    assert done.returncode == 1
    assert "the ink is used up" in done.stdout
    (command,) = set(re.findall(r"snakemake (results/\S+) --cores 1 --configfile tiny.yaml", done.stdout))
    assert command.startswith("results/tiny/figures/gain.")
    assert "Failed: fig gain (fig_gain)" in done.stdout
    assert "| 49" in done.stdout
    assert "| 12" not in done.stdout
    shutil.copy(script.with_name("fig_rd.py"), script)  # whatever: it works again, and alone
    again = study.run(command)
    assert again.returncode == 0, again.stdout
    assert "[1/1]" in again.stdout


@pytest.mark.slow
def test_the_page_and_the_report_hold_what_was_made(finished, study):
    page = finished.path("index.html").read_text("utf-8")
    for figure in finished.path("figures").glob("*.svg"):
        assert f'id="fig-{figure.stem}"' in page
    done = study.run("--report", "results/tiny/report.zip")
    assert done.returncode == 0, done.stdout
    with zipfile.ZipFile(study.path("report.zip")) as archive:
        text = "".join(
            archive.read(name).decode("utf-8", "replace")
            for name in archive.namelist()
            if name.endswith(".html")
        )
    assert "Bits per sample of each cluster in the file" in text


SMALL = """
study: tiny
title: As little as there can be
datasets:
  test:
    sensor: AVIRIS
    role: test
    licence: CC BY 3.0
    citation: Baumgardner, Biehl, Landgrebe, doi:10.4231/R7RX991C
    source: {package: tensorly, file: datasets/data/Indian_pines_corrected.npy}
    scenes:
      south: {lines: 98-145, samples: 1-48, bands: 21-32}
codecs:
  jpeg2000: {codec: jpeg2000, rates: [1.0]}
figures:
  reference: jpeg2000
  rate: 1.0
  false_colour:
    test: {bands: [3, 2, 1], points: {jpeg2000: r1}}
"""


@pytest.mark.slow
def test_a_study_of_one_codec_one_point_and_one_scene_makes_its_figures_or_says_why_not(checkout):
    (checkout.folder / checkout.study).write_text(SMALL)
    done = checkout.run()
    assert done.returncode == 0, done.stdout
    notes = {
        path.stem: path.read_text().splitlines()[1]
        for path in checkout.path("figures").glob("*.csv")
        if path.read_text().startswith("note\n")
    }
    assert set(notes) == {"gain"}
    assert notes["gain"].endswith(".")
    made = {path.stem for path in checkout.path("figures").glob("*.svg")}
    assert made == {
        "gain",
        "throughput",
        "rd_aviris",
        "per_band_test",
        "rate_map_test",
        "false_colour_test",
        "spectra_test",
    }
    page = checkout.path("index.html").read_text("utf-8")
    assert notes["gain"] in page
    assert "no learned codec" in page
