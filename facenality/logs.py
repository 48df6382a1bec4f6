"""One line per event on stderr, with the time in front."""

import logging
import sys
import warnings


def set_up(level: str) -> None:
    """Send the package's log to stderr from `level` on. Idempotent."""
    # Pillow warns about clients' broken files; their answer says it, the log need not.
    warnings.filterwarnings("ignore", module="PIL")
    log = logging.getLogger("facenality")
    log.setLevel(level.upper())
    log.propagate = False
    if not log.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_OneLine("%(asctime)s %(levelname)-7s %(message)s"))
        log.addHandler(handler)


class _OneLine(logging.Formatter):
    """Escape what could forge a second line; tracebacks keep theirs."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  stdlib's name
        record.message = "".join(
            c if c.isprintable() else c.encode("unicode_escape").decode()
            for c in record.message
        )
        return super().formatMessage(record)
