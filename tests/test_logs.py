"""A log line cannot be forged, neither by a message nor by an exception's text."""

import json
import logging
import sys

from facenality.observability import logs
from facenality.observability.logs import _OneLine


def shown(message: str, error: Exception | None = None) -> str:
    raised = None
    if error:
        try:
            raise error
        except Exception:
            raised = sys.exc_info()
    record = logging.LogRecord("x", logging.INFO, "", 1, message, (), raised)
    return _OneLine("%(levelname)s %(message)s").format(record)


def test_what_would_begin_a_new_line_is_escaped():
    assert shown("a\nINFO b\x1b[31m\u2028") == r"INFO a\nINFO b\x1b[31m\u2028"


def test_a_tracebacks_lines_are_marked():
    lines = shown("failed", ValueError("bad\nINFO forged\r\x00")).splitlines()
    assert lines[0] == "INFO failed"
    assert all(line.startswith("  | ") for line in lines[1:])
    assert "ValueError: bad" in "".join(lines)


def test_what_ends_a_greenlet_is_one_event_of_the_log(capsys):
    import gevent

    log = logging.getLogger("facenality")
    handlers, level, propagate = log.handlers[:], log.level, log.propagate
    hub = gevent.get_hub()
    try:
        log.handlers.clear()
        logs.set_up("info", "json")
        logs.log_failed_greenlets(hub)
        gevent.spawn(int, "no\nnumber").join()
    finally:
        log.handlers[:], log.propagate = handlers, propagate
        log.setLevel(level)
        del hub.print_exception
    event = json.loads(capsys.readouterr().err)
    assert event["message"] == "a greenlet failed"
    assert "ValueError" in event["traceback"]
