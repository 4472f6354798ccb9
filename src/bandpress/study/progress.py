"""The workflow as a person sees it: what runs and how far it is, what failed, why, and how to run it alone.

Fed with Snakemake's events; knows nothing else of Snakemake.
"""

import os
import re
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

#: What a rule does, in words, by the beginning of its name.
STAGES = {
    "fetch_dataset": "fetching",
    "prepare_scene": "preparing",
    "train_model": "training",
    "fetch_models": "fetching",
    "import_model": "importing",
    "code_scene": "coding",
    "decode_scene": "decoding",
    "collect_rd": "collecting",
    "table_": "table",
    "fig_": "figure",
    "provenance": "writing",
    "index": "writing",
    "compare": "comparing",
}
LAST_LINES = 12

#: Sentences of Snakemake's that are passed on.
_PASSED_ON = ("Nothing to be done", "Complete log", "Exiting because", "Unlocking", "Trying to restart")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f]")


def what(rule: str, wildcards: Mapping[str, str], output: Sequence[str] = ()) -> str:
    """Say in a few words what a job is: its stage and its wildcards."""
    stage = next((word for name, word in STAGES.items() if rule.startswith(name)), rule)
    subject = " ".join(str(value) for value in wildcards.values())
    if not subject:
        subject = rule.partition("_")[2] if rule.startswith(("table_", "fig_")) else rule
        subject = Path(output[0]).name if output and subject == rule else subject
    return f"{stage} {subject}".rstrip() if subject != stage else stage


def last_lines(log: str, count: int = LAST_LINES) -> list[str]:
    """Return the last lines of a job's log, without control characters; none if there is no such file."""
    try:
        with open(log, "rb") as file:
            file.seek(max(0, os.path.getsize(log) - 200 * count - 2000))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    lines = (_CONTROL.sub("", line.rsplit("\r", 1)[-1]).rstrip() for line in text.splitlines())
    return [line for line in lines if line][-count:]


def again(output: Sequence[str], argv: Sequence[str]) -> str:
    """Return the command that runs one failed job alone.

    Parameters
    ----------
    output
        Files of the job.
    argv
        The command line of Snakemake, from which study, profile and deployment are taken over.
    """
    words = ["snakemake", *output[:1], "--cores", "1"]
    for i, word in enumerate(argv):
        for option in ("--configfile", "--profile", "--sdm", "--config"):
            if word == option and i + 1 < len(argv):
                words += [option, argv[i + 1]]
            elif word.startswith(f"{option}="):
                words.append(word)
    return shlex.join(words)


def failure(
    rule: str, wildcards: Mapping[str, str], output: Sequence[str], logs: Sequence[str], argv: Sequence[str]
) -> str:
    """Return what is to be said of a failed job: what it was, the end of its log, the command to run it alone."""
    lines = [f"Failed: {what(rule, wildcards, output)} ({rule})"]
    for log in logs:
        said = last_lines(log)
        lines.append(f"  {log}{', its last lines:' if said else ' is empty'}")
        lines += [f"    | {line}" for line in said]
    if output:
        lines.append(f"  To run it alone:  {again(output, argv)}")
    return "\n".join(lines)


def failures_of_log(text: str, argv: Sequence[str]) -> str:
    """Return, from the text of Snakemake's own log, the command for each failed job; empty if there is none."""
    found = re.findall(r"^ *Error in rule (\w+):\n((?: {4,}.*\n?)*)", text, re.MULTILINE)
    commands = []
    for rule, block in found:
        output = re.search(r"^ +output: (\S+?),?(?: |$)", block, re.MULTILINE)
        if output:
            commands.append(f"  {rule}:  {again([output[1]], argv)}")
    return "\n".join(["To run what failed alone:", *dict.fromkeys(commands)]) if commands else ""


def left(done: int, total: int, seconds: float) -> str:
    """Say how long it will take, reckoned from the jobs so far; empty while too few are done to say."""
    if done < 3 or done >= total:
        return ""
    minutes = seconds / done * (total - done) / 60
    return f"about {minutes:.0f} min left" if minutes >= 1.5 else "about a minute left"


class View:
    """The terminal. A live picture for a person, a line for each finished job where nobody watches.

    Parameters
    ----------
    stream
        Where to write. Default: standard error.
    argv
        The command line of Snakemake. Default: this process's.
    """

    def __init__(self, stream: TextIO | None = None, argv: Sequence[str] | None = None):
        self.argv = list(sys.argv if argv is None else argv)
        self.console = Console(file=stream or sys.stderr, highlight=False, soft_wrap=True)
        self.running: dict[int, dict[str, Any]] = {}
        self.wildcards: dict[int, Mapping[str, str]] = {}
        self.done = self.total = 0
        self.began = time.monotonic()
        self.last = ""
        self.live: Live | None = None

    def say(self, text: str) -> None:
        """Write text above the live picture."""
        if text:
            self.console.print(Text(text))

    def take(self, event: str, fields: Mapping[str, Any], level: str) -> None:
        """Show an event of Snakemake's.

        Parameters
        ----------
        event
            Its name, or nothing for a plain message.
        fields
            What comes with it.
        level
            Of the message: INFO, WARNING, ERROR.
        """
        handler = getattr(self, f"_{event}", None)
        if handler is not None:
            handler(fields)
        elif event in ("", "error"):
            message = str(fields.get("msg") or "")
            if level in ("WARNING", "ERROR", "CRITICAL") or message.startswith(_PASSED_ON):
                self.say(message.strip())
        self._refresh()

    def stop(self) -> None:
        """End the live picture."""
        if self.live is not None:
            self.live.stop()
            self.live = None

    def _run_info(self, fields: Mapping[str, Any]) -> None:
        stats = dict(fields.get("stats") or {})
        self.total = int(stats.pop("total", 0))
        self.began = time.monotonic()
        self.say(
            f"{self.total} job{'s' * (self.total != 1)}: "
            + ", ".join(f"{number} {rule}" for rule, number in stats.items())
        )

    def _job_info(self, fields: Mapping[str, Any]) -> None:
        self.wildcards[fields["jobid"]] = dict(fields["wildcards"] or {})
        self.running[fields["jobid"]] = {
            "what": what(fields["rule_name"], fields["wildcards"] or {}, fields["output"]),
            "logs": list(fields["log"] or []),
            "since": time.monotonic(),
        }

    def _job_finished(self, fields: Mapping[str, Any]) -> None:
        job = self.running.pop(fields.get("job_id", fields.get("jobid")), None)
        if job is None:
            return
        job_seconds = time.monotonic() - job["since"]
        self.last = f"{job['what']} ({job_seconds:.0f} s)"

    def _progress(self, fields: Mapping[str, Any]) -> None:
        self.done, self.total = fields["done"], fields["total"]
        if not self.console.is_terminal:
            seconds = time.monotonic() - self.began
            ahead = left(self.done, self.total, seconds)
            self.say(f"[{self.done}/{self.total}] {self.last}" + (f", {ahead}" if ahead else ""))

    def _job_error(self, fields: Mapping[str, Any]) -> None:
        self.running.pop(fields["jobid"], None)
        wildcards = self.wildcards.get(fields["jobid"], {})
        self.say(
            failure(fields["rule_name"], wildcards, fields["output"] or [], fields["log"] or [], self.argv)
        )

    def _group_error(self, fields: Mapping[str, Any]) -> None:
        for log in fields.get("aux_logs") or []:
            self.say("\n".join([f"  {log}, its last lines:", *(f"    | {line}" for line in last_lines(log))]))

    def _refresh(self) -> None:
        if not self.console.is_terminal or not self.total:
            return
        if self.live is None:
            self.live = Live(
                console=self.console, get_renderable=self._picture, refresh_per_second=2, transient=True
            )
            self.live.start()

    def _picture(self) -> Table:
        """Return the live picture: a bar over all jobs, a line for each that runs with the last of its log."""
        seconds = time.monotonic() - self.began
        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        width = 24
        full = round(width * self.done / max(self.total, 1))
        bar = "━" * full + "╌" * (width - full)
        table.add_row(
            f"{bar} {self.done} of {self.total} jobs  {left(self.done, self.total, seconds)}".rstrip()
        )
        for job in list(self.running.values()):
            said = next((lines[-1] for log in job["logs"] if (lines := last_lines(log, 1))), "")
            line = f"  {job['what']}  {time.monotonic() - job['since']:.0f} s"
            table.add_row(Text(f"{line}  {said}".rstrip(), overflow="ellipsis", no_wrap=True))
        return table
