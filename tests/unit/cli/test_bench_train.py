import pytest
from click.testing import CliRunner

pytestmark = pytest.mark.tensorflow

WORDS = ["bench", "train", "--filters", "4", "8", "--patch", "32", "--batch", "1", "--steps", "1"]


@pytest.fixture
def lines(monkeypatch):
    """The lines that the command prints, for words that follow the usual ones."""
    from bandpress.cli import cli
    from bandpress.hyperprior.training import bench

    monkeypatch.setattr(bench, "_SIDE", 64)

    def of(*words):
        done = CliRunner().invoke(cli, [*WORDS, *words])
        assert done.exit_code == 0, done.output
        return done.output.splitlines()

    return of


@pytest.mark.slow
def test_the_forms_of_a_step_that_were_asked_for_are_timed(lines):
    found = lines("--form", "float32", "--form", "mixed")
    assert [line.split()[0] for line in found[2:]] == ["float32", "mixed"]


@pytest.mark.slow
def test_steps_are_compared_with_the_papers(lines):
    found = lines()
    assert [line.split()[0] for line in found[2:5]] == ["mixed", "float32", "paper"]
    assert [line.split()[0] for line in found[5:]] == ["mixed:", "float32:"]
    assert all(line.endswith("times as fast as the paper's form") for line in found[5:])
