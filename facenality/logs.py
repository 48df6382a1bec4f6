"""One line per event on stderr, with the time in front."""

import logging
import sys
import warnings
from typing import Any


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
    """Escape what could forge a second line; a traceback's lines are marked."""

    def formatException(self, ei: Any) -> str:  # noqa: N802  stdlib's name
        lines = super().formatException(ei).splitlines()
        return "\n".join("  | " + _printable(line) for line in lines)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  stdlib's name
        record.message = _printable(record.message)
        return super().formatMessage(record)


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in text
    )
