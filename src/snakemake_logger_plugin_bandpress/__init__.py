"""What a person sees while a study runs: ``snakemake --logger bandpress``, which ``make demo`` uses.

Snakemake finds the plugin by the name of this package. The view is in `bandpress.study.progress`.
"""

from logging import LogRecord

from snakemake.logging import DefaultFormatter
from snakemake_interface_logger_plugins.base import LogHandlerBase

from bandpress.study.progress import View


class LogHandler(LogHandlerBase):
    """Hands Snakemake's events to the view."""

    def __post_init__(self) -> None:
        self._view = View()
        self._plain = DefaultFormatter(self.common_settings.quiet, self.common_settings.show_failed_logs)

    def emit(self, record: LogRecord) -> None:
        """Show one event; a dry run is shown as Snakemake shows it."""
        try:
            if self.common_settings.dryrun:
                self._view.say(self._plain.format(record))
            else:
                event = getattr(record, "event", None)
                self._view.take(str(event or ""), record.__dict__, record.levelname)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._view.stop()
        super().close()

    @property
    def writes_to_stream(self) -> bool:
        """It does."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """It does not; Snakemake's own log is in .snakemake/log."""
        return False

    @property
    def has_filter(self) -> bool:
        """The view chooses."""
        return True

    @property
    def has_formatter(self) -> bool:
        """The view writes."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """It does not."""
        return False
