"""Progress display of the workflow: running jobs, time left, failures and the command to rerun one.

It receives Snakemake's events and depends on nothing else in Snakemake.
"""

import os
import re
import shlex
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

LAST_LINES = 12

#: Messages of Snakemake to pass on.
_PASSED_ON = ("Nothing to be done", "Complete log", "Exiting because", "Unlocking", "Trying to restart")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f]")


def what(rule: str, wildcards: Mapping[str, str], output: Sequence[str] = ()) -> str:
    """Return a short description of a job: its rule and its wildcards, or its file if it has none."""
    subject = " ".join(str(value) for value in wildcards.values())
    if not subject and "_" not in rule and output:
        subject = Path(output[0]).name
    return f"{rule.replace('_', ' ')} {subject}".rstrip()


def plan(stats: Mapping[str, int], outputs: Sequence[str], reasons: Sequence[str]) -> str:
    """Return a summary of a dry run that fits on one screen.

    Parameters
    ----------
    stats
        Number of jobs by rule.
    outputs
        Files of all jobs.
    reasons
        Why Snakemake runs each job, in its words: ``"Missing output files: a, b; Code has changed …"``.
    """
    total = sum(stats.values())
    parts = [Path(path).parts[:2] for path in outputs]
    where = f", into {'/'.join(parts[0])}" if parts and len(set(parts)) == 1 else ""
    lines = [f"{total} job{'s' * (total != 1)} would run{where}:"]
    lines += [f"{number:7d}  {rule}" for rule, number in stats.items() if number > 1]
    single: dict[str, list[str]] = {}
    for rule in (rule for rule, number in stats.items() if number == 1):
        family, _, name = rule.partition("_")
        single.setdefault(family, []).append(name or rule)
    for family, names in single.items():
        title = f"{family} " if family not in names else ""
        lines.append(f"{len(names):7d}  {title}{', '.join(names)}")
    why = Counter(
        part.partition(":")[0].strip().lower() for text in reasons for part in text.split("; ") if part
    )
    lines += (
        [f"Why: {', '.join(f'{number} {reason}' for reason, number in why.most_common(5))}"] if why else []
    )
    return "\n".join([*lines, "Each job with its reason and command: -n -p"])


def last_lines(log: str, count: int = LAST_LINES) -> list[str]:
    """Return the last lines of a job's log, without control characters; empty if there is no such file."""
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
        The command line of Snakemake, whose study, profile and deployment are kept.
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
    """Return the message about a failed job: its name, the end of its log, the command to run it alone."""
    lines = [f"Failed: {what(rule, wildcards, output)} ({rule})"]
    for log in logs:
        said = last_lines(log)
        lines.append(f"  {log}{', its last lines:' if said else ' is empty'}")
        lines += [f"    | {line}" for line in said]
    if output:
        lines.append(f"  To run it alone:  {again(output, argv)}")
    return "\n".join(lines)


class Times:
    """Durations of finished jobs by rule, and estimates for the others."""

    def __init__(self) -> None:
        self.expected: Counter[str] = Counter()
        self.taken: dict[str, list[float]] = {}

    def left(self, running: Iterable[tuple[str, float]], seconds: float) -> str:
        """Return the estimated time left, from the mean times of finished jobs; empty if unknown.

        Parameters
        ----------
        running
            Rule and seconds so far of each job that runs.
        seconds
            Seconds since the first job began.
        """
        done = [time for times in self.taken.values() for time in times]
        waiting = self.expected - Counter({rule: len(times) for rule, times in self.taken.items()})
        if len(done) < 3 or not waiting or seconds <= 0:
            return ""
        usual = fmean(done)
        work = sum(number * fmean(self.taken.get(rule, [usual])) for rule, number in waiting.items())
        for rule, so_far in running:
            if rule not in self.taken and so_far > 3 * usual:
                return ""  # a long job, the first of its rule
            work -= min(so_far, fmean(self.taken.get(rule, [usual])))
        minutes = work / max(sum(done) / seconds, 1) / 60
        return f"about {minutes:.0f} min left" if minutes >= 1.5 else "about a minute left"


class View:
    """View on the terminal: a live display, or, if the output is not a terminal, a line per finished job.

    Parameters
    ----------
    stream
        Output stream. Default: standard error.
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
        self.times = Times()
        self.last = ""
        self.live: Live | None = None

    def say(self, text: str) -> None:
        """Write text above the live display."""
        if text:
            self.console.print(Text(text))

    def take(self, event: str, fields: Mapping[str, Any], level: str) -> None:
        """Show a Snakemake event.

        Parameters
        ----------
        event
            Name of the event; empty for a plain message.
        fields
            Its data.
        level
            Level of the message: INFO, WARNING, ERROR.
        """
        handler = getattr(self, f"_{event}", None)
        if handler is not None:
            handler(fields)
        elif event in ("", "error"):
            message = str(fields.get("msg") or "")
            serious = level in ("WARNING", "ERROR", "CRITICAL")
            # The report of the failed job covers this message.
            repeated = "CalledProcessError" in message or "At least one job did not complete" in message
            if (serious and not repeated) or message.startswith(_PASSED_ON) or "SLURM" in message:
                self.say(message.strip())
        self._refresh()

    def stop(self) -> None:
        """End the live display."""
        if self.live is not None:
            self.live.stop()
            self.live = None

    def _run_info(self, fields: Mapping[str, Any]) -> None:
        stats = dict(fields.get("stats") or {})
        self.total = int(stats.pop("total", 0))
        self.times.expected = Counter(stats)
        self.began = time.monotonic()
        self.say(f"{self.total} job{'s' * (self.total != 1)}")

    def _job_info(self, fields: Mapping[str, Any]) -> None:
        self.wildcards[fields["jobid"]] = dict(fields["wildcards"] or {})
        self.running[fields["jobid"]] = {
            "rule": fields["rule_name"],
            "what": what(fields["rule_name"], fields["wildcards"] or {}, fields["output"]),
            "logs": list(fields["log"] or []),
            "since": time.monotonic(),
        }

    def _job_finished(self, fields: Mapping[str, Any]) -> None:
        job = self.running.pop(fields.get("job_id", fields.get("jobid")), None)
        if job is None:
            return
        job_seconds = time.monotonic() - job["since"]
        self.times.taken.setdefault(job["rule"], []).append(job_seconds)
        self.last = f"{job['what']} ({job_seconds:.0f} s)"

    def _progress(self, fields: Mapping[str, Any]) -> None:
        self.done, self.total = fields["done"], fields["total"]
        if not self.console.is_terminal:
            ahead = self._left()
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

    def _left(self) -> str:
        now = time.monotonic()
        running = [(job["rule"], now - job["since"]) for job in self.running.values()]
        return self.times.left(running, now - self.began)

    def _refresh(self) -> None:
        if not self.console.is_terminal or not self.total:
            return
        if self.live is None:
            self.live = Live(
                console=self.console, get_renderable=self._picture, refresh_per_second=2, transient=True
            )
            self.live.start()

    def _picture(self) -> Table:
        """Return the live display: a bar over all jobs, and a line per running job with the last line of its log."""
        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        width = 24
        full = round(width * self.done / max(self.total, 1))
        bar = "━" * full + "╌" * (width - full)
        table.add_row(f"{bar} {self.done} of {self.total} jobs  {self._left()}".rstrip())
        for job in list(self.running.values()):
            said = next((lines[-1] for log in job["logs"] if (lines := last_lines(log, 1))), "")
            line = f"  {job['what']}  {time.monotonic() - job['since']:.0f} s"
            table.add_row(Text(f"{line}  {said}".rstrip(), overflow="ellipsis", no_wrap=True))
        return table
