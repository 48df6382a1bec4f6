"""Signals: drain on SIGTERM, exit at once on a second one, reload on SIGHUP."""

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


Reload = Callable[[], None]  # raises InvalidSetting and keeps the old value in force


def run_until_terminated(
    server: Server,
    registry: Registry,
    sources: Mapping[str, Reload],
    drain_timeout: float,
) -> int:
    """Wait for SIGTERM or SIGINT, then drain; return 0 if no request was lost.

    SIGHUP reloads each of `sources`; the keys are their names in the log.
    """
    terminated = Event()

    def terminate() -> None:
        if registry.draining:
            exit_now(1)
        registry.draining = True
        terminated.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, terminate)
    gevent.signal_handler(signal.SIGHUP, _reload, sources)
    terminated.wait()
    log.info("draining for at most %g s", drain_timeout)
    finished = server.drain(drain_timeout)
    log.info("%s", "drained" if finished else "the drain timed out")
    return 0 if finished else 1


def _reload(sources: Mapping[str, Reload]) -> None:
    """Reload each source; one that fails keeps its old value, the others go on."""
    for name, reload in sources.items():
        try:
            reload()
        except InvalidSetting as error:
            log.error("%s: not reloaded, the old value stays in force: %s", name, error)
        else:
            log.info("%s: reloaded", name)


def exit_now(status: int) -> NoReturn:
    """Leave without waiting for native threads: one may be importing TensorFlow."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
