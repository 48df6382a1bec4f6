"""From signals to the exit status: drain on SIGTERM, end at once on a second one."""

import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import NoReturn

import gevent
from gevent.event import Event

from ..errors import InvalidSetting
from ..registry.registry import Registry
from ..server import Server

log = logging.getLogger(__name__)


Reread = Callable[[], None]  # raises WrongSetting and leaves what it had in force


def run_until_terminated(
    server: Server,
    catalog: Registry,
    sources: Mapping[str, Reread],
    drain_timeout: float,
) -> int:
    """Wait for SIGTERM or SIGINT, then drain; 0 when nothing in flight was lost.

    SIGHUP reads each of `sources` again; they are named for the log.
    """
    asked = Event()

    def terminate() -> None:
        if catalog.draining:
            exit_now(1)
        catalog.draining = True
        asked.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, terminate)
    gevent.signal_handler(signal.SIGHUP, _reread, sources)
    asked.wait()
    log.info("draining, at most %g s", drain_timeout)
    finished = server.drain(drain_timeout)
    log.info("%s", "drained" if finished else "the drain timed out")
    return 0 if finished else 1


def _reread(sources: Mapping[str, Reread]) -> None:
    """Each by itself: one that is broken stays as it was, and keeps no other back."""
    for what, read in sources.items():
        try:
            read()
        except InvalidSetting as error:
            log.error("%s: not read again, as before: %s", what, error)
        else:
            log.info("%s: read again", what)


def exit_now(status: int) -> NoReturn:
    """Leave without waiting for native threads: one may be importing TensorFlow."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
