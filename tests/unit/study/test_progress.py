"""Progress display of a running workflow and of a failed job."""

import io

import pytest

from bandpress.study.progress import Times, View, again, failure, last_lines, plan, what


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


def test_a_line_is_written_per_finished_job_without_a_terminal(log):
    stream = io.StringIO()
    view = View(stream, ["snakemake"])
    view.take("run_info", {"stats": {"code_scene": 2, "all": 1, "total": 3}}, "INFO")
    view.take("job_info", job(1, "code_scene", {"scene": "south", "codec": "rklt-k3"}, log), "INFO")
    view.take("", {"msg": "Select jobs to execute..."}, "INFO")
    view.take("job_finished", {"job_id": 1}, "INFO")
    view.take("progress", {"done": 1, "total": 3}, "INFO")
    view.take("", {"msg": "Something is odd"}, "WARNING")
    assert stream.getvalue().splitlines() == [
        "3 jobs",
        "[1/3] code scene south rklt-k3 (0 s)",
        "Something is odd",
    ]


def test_a_person_sees_stage_jobs_time_left_and_the_running_jobs_own_progress(log):
    view = View(Terminal(), ["snakemake"])
    view.take("run_info", {"stats": {"train_model": 8, "total": 8}}, "INFO")
    view.take("job_info", job(1, "train_model", {"family": "k3", "member": "q1"}, log), "INFO")
    view.take("progress", {"done": 4, "total": 8}, "INFO")
    view.times.taken["train_model"] = [150.0] * 4
    view.began -= 600
    view.stop()
    with view.console.capture() as shown:
        view.console.print(view._picture())
    text = shown.get()
    assert "4 of 8 jobs  about 10 min left" in text
    assert "train model k3 q1" in text
    assert "line 39" in text


def test_a_failure_is_its_jobs_log_and_the_command_to_run_it_alone(log):
    stream = io.StringIO()
    argv = ["snakemake", "fig_gain", "--cores", "8", "--configfile", "studies/a b.yaml", "--keep-going"]
    view = View(stream, argv)
    view.take("job_info", job(7, "code_scene", {"scene": "south"}, log), "INFO")
    view.take("job_error", job(7, "code_scene", None, log), "ERROR")
    view.take(
        "",
        {"msg": "RuleException:\nCalledProcessError in file rules/codecs.smk, line 9:\nCommand …"},
        "ERROR",
    )
    text = stream.getvalue()
    assert text.startswith("Failed: code scene south (code_scene)\n")
    assert "    | line 39\n" in text
    assert "line 27" not in text
    assert "CalledProcessError" not in text
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
        ("code_scene", {"scene": "s", "codec": "c", "point": "q1"}, "code scene s c q1"),
        ("fig_rd_aviris", {}, "fig rd aviris"),
        ("index", {}, "index index.html"),
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


def times(**taken):
    made = Times()
    made.taken = taken
    return made


def test_time_left_comes_from_the_mean_times_of_each_rule():
    done = times(code=[2.0] * 90 + [120.0] * 10, fig=[1.0] * 30)
    done.expected.update(code=200, fig=60)
    # A hundred jobs of 13.8 s, the rare long ones included, and thirty of a second; two ran side by side.
    assert done.left([], 705) == "about 12 min left"
    assert done.left([("code", 60.0), ("code", 60.0)], 705) == "about 12 min left"


def test_time_left_is_not_said_before_three_jobs_nor_while_the_first_long_one_of_its_kind_runs():
    early = times(prepare=[2.0, 2.0])
    early.expected.update(prepare=5)
    assert early.left([], 4) == ""
    training = times(prepare=[2.0, 2.0, 2.0])
    training.expected.update(prepare=3, train=1, code=20)
    assert training.left([("train", 60.0)], 66) == ""
    assert training.left([("train", 1.0)], 7) == "about a minute left"


def test_time_left_is_not_said_when_nothing_is_left():
    done = times(code=[60.0] * 4)
    done.expected.update(code=4)
    assert done.left([], 240) == ""


def test_a_dry_run_is_less_than_a_screen():
    stats = {"code_scene": 200, "prepare_scene": 4, "all": 1, "index": 1}
    stats |= {f"fig_{i}": 1 for i in range(20)} | {f"table_{i}": 1 for i in range(9)}
    reasons = ["Missing output files: a", "Code has changed since last execution; Missing output files: b"]
    said = plan(stats, ["results/open/a", "results/open/tables/b"], reasons)
    assert said.count("\n") < 12
    assert said.startswith("235 jobs would run, into results/open:\n    200  code_scene\n")
    assert "\n     20  fig 0, 1, 2" in said
    assert "Why: 2 missing output files, 1 code has changed since last execution" in said
