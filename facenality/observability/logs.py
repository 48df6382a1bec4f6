"""Logs one line per event to stderr, as text or as JSON.

An event is a sentence, or a dict of fields whose str() is the sentence.
"""

import json
import logging
import sys
import warnings
from datetime import UTC, datetime
from typing import Any

log = logging.getLogger(__name__)


def set_up(level: str, form: str = "text") -> None:
    """Log the package's events of at least `level` to stderr. Idempotent."""
    # Pillow warns about clients' broken files, which the reply reports anyway.
    warnings.filterwarnings("ignore", module="PIL")
    # Our lines contain none of these. Source: logging HOWTO, section "Optimization".
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # as that section says
    package = logging.getLogger("facenality")
    package.setLevel(level.upper())
    package.propagate = False
    if not package.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_Json() if form == "json" else _text())
        package.addHandler(handler)


def log_failed_greenlets(hub: Any) -> None:
    """Log exceptions that end a greenlet of gevent's `hub`."""

    def report(_context: object, *error: Any) -> None:
        log.error("a greenlet failed", exc_info=error)

    hub.print_exception = report


def _text() -> logging.Formatter:
    return _OneLine("%(asctime)s %(levelname)-7s %(message)s")


class _OneLine(logging.Formatter):
    """Escapes characters that could forge a second line; marks a traceback's lines."""

    def formatException(self, ei: Any) -> str:  # noqa: N802  stdlib's name
        lines = super().formatException(ei).splitlines()
        return "\n".join("  | " + _printable(line) for line in lines)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  stdlib's name
        record.message = _printable(record.message)
        return super().formatMessage(record)


class _Json(logging.Formatter):
    """One JSON object per line, in ASCII so that no value can start another line."""

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, UTC)
        event: dict[str, Any] = {
            "time": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
        }
        fields = record.msg
        event |= (
            fields if isinstance(fields, dict) else {"message": record.getMessage()}
        )
        if record.exc_info:
            event["traceback"] = self.formatException(record.exc_info)
        return json.dumps(event)


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in text
    )
