import pytest
from click.testing import CliRunner

pytestmark = pytest.mark.tensorflow


def test_the_forms_of_a_step_are_timed_and_compared_with_the_papers():
    from bandpress.cli import cli

    words = ["bench", "train", "--filters", "4", "8", "--patch", "32", "--batch", "1", "--steps", "1"]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert [line.split()[0] for line in lines[2:5]] == ["mixed", "float32", "paper"]
    assert [line.split()[0] for line in lines[5:]] == ["mixed:", "float32:"]
    assert all(line.endswith("times as fast as the paper's form") for line in lines[5:])
    alone = CliRunner().invoke(cli, [*words, "--form", "float32"])
    assert len(alone.output.splitlines()) == 3
