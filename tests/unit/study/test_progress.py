"""What a person sees of a running workflow, and of a failed job."""

import io

import pytest

from bandpress.study.progress import View, again, failure, failures_of_log, last_lines, left, what


class Terminal(io.StringIO):
    def isatty(self):
        return True


def job(number, rule, wildcards, log, output=("out.bpk",)):
    return {
        "jobid": number,
        "rule_name": rule,
        "wildcards": wildcards,
        "output": list(output),
        "log": [str(log)],
    }


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "job.log"
    path.write_text("\n".join(f"line {i}" for i in range(40)) + "\n")
    return path


def test_a_line_for_each_finished_job_where_nobody_watches(log):
    stream = io.StringIO()
    view = View(stream, ["snakemake"])
    view.take("run_info", {"stats": {"code_scene": 2, "all": 1, "total": 3}}, "INFO")
    view.take("job_info", job(1, "code_scene", {"scene": "south", "codec": "rklt-k3"}, log), "INFO")
    view.take("", {"msg": "Select jobs to execute..."}, "INFO")
    view.take("job_finished", {"job_id": 1}, "INFO")
    view.take("progress", {"done": 1, "total": 3}, "INFO")
    view.take("", {"msg": "Something is odd"}, "WARNING")
    assert stream.getvalue().splitlines() == [
        "3 jobs: 2 code_scene, 1 all",
        "[1/3] coding south rklt-k3 (0 s)",
        "Something is odd",
    ]


def test_a_person_sees_stage_jobs_time_left_and_the_running_jobs_own_progress(log):
    view = View(Terminal(), ["snakemake"])
    view.take("run_info", {"stats": {"train_model": 1, "total": 8}}, "INFO")
    view.take("job_info", job(1, "train_model", {"family": "k3", "member": "q1"}, log), "INFO")
    view.take("progress", {"done": 4, "total": 8}, "INFO")
    view.began -= 600
    view.stop()
    with view.console.capture() as shown:
        view.console.print(view._picture())
    text = shown.get()
    assert "4 of 8 jobs  about 10 min left" in text
    assert "training k3 q1" in text
    assert "line 39" in text


def test_a_failure_is_its_jobs_log_and_the_command_to_run_it_alone(log):
    stream = io.StringIO()
    argv = ["snakemake", "fig_gain", "--cores", "8", "--configfile", "studies/a b.yaml", "--keep-going"]
    view = View(stream, argv)
    view.take("job_info", job(7, "code_scene", {"scene": "south"}, log), "INFO")
    view.take("job_error", job(7, "code_scene", None, log), "ERROR")
    text = stream.getvalue()
    assert text.startswith("Failed: coding south (code_scene)\n")
    assert "    | line 39\n" in text
    assert "line 27" not in text
    assert "To run it alone:  snakemake out.bpk --cores 1 --configfile 'studies/a b.yaml'\n" in text


def test_a_job_without_a_log_says_so(tmp_path):
    text = failure("table_bd", {}, ["tables/bd.csv"], [str(tmp_path / "none.log")], [])
    assert text.startswith("Failed: table bd (table_bd)")
    assert "none.log is empty" in text


def test_logs_are_read_from_their_end_and_without_control_characters(tmp_path):
    path = tmp_path / "long.log"
    path.write_bytes(b"x" * 10_000_000 + b"\n10 %\r20 %\r\x1b[31mlast\x1b[0m\xff\n\n")
    assert last_lines(str(path), 1) == ["last\N{REPLACEMENT CHARACTER}"]


@pytest.mark.parametrize(
    ("rule", "wildcards", "said"),
    [
        ("code_scene_learned", {"scene": "s", "codec": "c", "point": "q1"}, "coding s c q1"),
        ("fig_rd_aviris", {}, "figure rd_aviris"),
        ("table_bd", {}, "table bd"),
        ("index", {}, "writing index.html"),
        ("something", {}, "something index.html"),
    ],
)
def test_jobs_are_named_in_words(rule, wildcards, said):
    assert what(rule, wildcards, ["results/demo/index.html"]) == said


def test_the_command_keeps_what_the_job_needs():
    argv = [
        "snakemake",
        "--profile",
        "profiles/slurm",
        "--sdm=conda",
        "--config",
        "tensorflow=tensorflow-gpu",
    ]
    assert again(["a", "b"], argv) == (
        "snakemake a --cores 1 --profile profiles/slurm --sdm=conda --config tensorflow=tensorflow-gpu"
    )


def test_commands_are_found_in_snakemakes_own_log():
    text = (
        "[Sun]\nError in rule fig_gain:\n    message: None\n    jobid: 3\n    input: a, b\n"
        "    output: f/gain.png, f/gain.pdf\n    log: gain.log (check log file(s) for error details)\n"
        "Exiting\nError in rule fig_gain:\n    jobid: 3\n    output: f/gain.png, f/gain.pdf\n"
    )
    assert failures_of_log(text, ["snakemake"]) == (
        "To run what failed alone:\n  fig_gain:  snakemake f/gain.png --cores 1"
    )
    assert failures_of_log("all is well", []) == ""


def test_time_left_is_said_as_soon_as_it_can_be_estimated():
    assert left(1, 10, 60) == ""
    assert left(5, 10, 600) == "about 10 min left"
    assert left(9, 10, 90) == "about a minute left"
    assert left(10, 10, 90) == ""
