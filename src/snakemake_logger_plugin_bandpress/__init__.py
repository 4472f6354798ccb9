"""Snakemake logger that shows the progress of a study: ``logger: bandpress`` in profiles/default.

Snakemake finds the plugin by the name of this package. The view is in `bandpress.study.progress`.
"""

from logging import LogRecord

from snakemake.logging import DefaultFormatter
from snakemake_interface_logger_plugins.base import LogHandlerBase

from bandpress.study.progress import View, plan


class LogHandler(LogHandlerBase):
    """Handler that passes Snakemake's events to the view."""

    def __post_init__(self) -> None:
        self._view = View()
        self._outputs: list[str] = []
        self._reasons: list[str] = []
        self._plain = DefaultFormatter(self.common_settings.quiet, self.common_settings.show_failed_logs)

    def emit(self, record: LogRecord) -> None:
        """Show an event. A dry run is summarised, or with ``-p`` shown in Snakemake's form."""
        try:
            settings = self.common_settings
            if settings.dryrun and (settings.printshellcmds or settings.quiet):
                self._view.say(self._plain.format(record))
            elif settings.dryrun:
                self._planned(record)
            else:
                event = getattr(record, "event", None)
                self._view.take(str(event or ""), record.__dict__, record.levelname)
        except Exception:
            self.handleError(record)

    def _planned(self, record: LogRecord) -> None:
        """Collect the jobs of a dry run; summarise them after the last one."""
        event, fields = str(getattr(record, "event", None) or ""), record.__dict__
        if event == "job_info":
            self._outputs += fields["output"]
            self._reasons.append(fields["reason"])
        elif event == "run_info" and self._reasons:
            stats = {rule: number for rule, number in fields["stats"].items() if rule != "total"}
            self._view.say(plan(stats, self._outputs, self._reasons))
        elif event in ("", "error"):
            self._view.take(event, fields, record.levelname)

    def close(self) -> None:
        """Restore the terminal."""
        self._view.stop()
        super().close()

    @property
    def writes_to_stream(self) -> bool:
        """True: the view writes to standard error."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """False: Snakemake's own log is in .snakemake/log."""
        return False

    @property
    def has_filter(self) -> bool:
        """True: the view filters events."""
        return True

    @property
    def has_formatter(self) -> bool:
        """True: the view formats events."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """False: the view does not draw the graph of rules."""
        return False
