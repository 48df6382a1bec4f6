"""One line per event on stderr, with the time in front: as text, or as JSON.

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
    """Send the package's log to stderr from `level` on. Idempotent."""
    # Pillow warns about clients' broken files; their answer says it, the log need not.
    warnings.filterwarnings("ignore", module="PIL")
    # None of these is in a line of ours; the stdlib's HOWTO, "Optimization".
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # named there
    ours = logging.getLogger("facenality")
    ours.setLevel(level.upper())
    ours.propagate = False
    if not ours.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_Json() if form == "json" else _text())
        ours.addHandler(handler)


def of_greenlets(hub: Any) -> None:
    """Send what ends a greenlet of gevent's `hub` through the log as well."""

    def report(_context: object, *error: Any) -> None:
        log.error("a greenlet failed", exc_info=error)

    hub.print_exception = report


def _text() -> logging.Formatter:
    return _OneLine("%(asctime)s %(levelname)-7s %(message)s")


class _OneLine(logging.Formatter):
    """Escape what could forge a second line; a traceback's lines are marked."""

    def formatException(self, ei: Any) -> str:  # noqa: N802  stdlib's name
        lines = super().formatException(ei).splitlines()
        return "\n".join("  | " + _printable(line) for line in lines)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  stdlib's name
        record.message = _printable(record.message)
        return super().formatMessage(record)


class _Json(logging.Formatter):
    """An object a line, in ASCII: nothing in it can begin another."""

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
