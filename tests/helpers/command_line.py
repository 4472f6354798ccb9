"""The command line, run in this process as a person would type it."""

from bandpress.cli import main


def status(*words):
    """Return the exit status of a command line."""
    try:
        main([str(word) for word in words])
    except SystemExit as stop:
        return stop.code
    return 0


def run(capsys, *words):
    """Return exit status, output and errors of a command line."""
    code = status(*words)
    captured = capsys.readouterr()
    return code, captured.out, captured.err
