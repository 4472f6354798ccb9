"""The bar of a command: what it is at, how fast it is, how long it takes."""

import io
from functools import partial

import pytest
from rich.console import Console

from bandpress import stages
from bandpress.cli import progress


@pytest.fixture
def shown(monkeypatch):
    """Return the text shown on a terminal."""
    screen = io.StringIO()
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr(
        progress,
        "Console",
        lambda stderr: Console(file=screen, force_terminal=True, width=160, legacy_windows=False),
    )
    return screen


def test_a_search_says_at_which_step_it_is(shown):
    with progress.bands_bar("scene.hdr", 224, 1e8):
        stages.at_stage("search 3, step 12.5")
    assert "search 3, step 12.5" in shown.getvalue()
    stages.at_stage("nobody listens")


def test_the_rate_is_of_the_whole_time(shown, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress, "Progress", partial(progress.Progress, get_time=lambda: now[0]))
    with progress.bands_bar("scene.hdr", 200, 200e6) as done:
        now[0] += 10
        done(100)
        done(100)
    assert "100/200 bands" in shown.getvalue()
    assert "0:10  10 MB/s  0:10 left" in shown.getvalue()


def test_a_program_sees_no_bar(shown, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: False, raising=False)
    with progress.bands_bar("scene.hdr", 2, 1e6) as done:
        done(1)
    assert "scene.hdr" not in shown.getvalue()


def test_a_log_says_once_that_kernels_are_compiled(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: False, raising=False)
    with progress.bands_bar("scene.hdr", 2, 1e6):
        for stage in (stages.COMPILING, "search 3, step 12.5", stages.COMPILING):
            stages.at_stage(stage)
    assert capsys.readouterr().err == f"scene.hdr: {stages.COMPILING}\n"
