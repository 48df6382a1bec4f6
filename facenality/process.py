"""From signals to the exit status: drain on SIGTERM, end at once on a second one."""

import logging
import os
import signal
import sys
from typing import NoReturn

import gevent
from gevent.event import Event

from .catalog import Catalog
from .errors import WrongSetting
from .server import Server, Tls
from .tokens import Tokens

log = logging.getLogger(__name__)


def run_until_terminated(
    server: Server, catalog: Catalog, tokens: Tokens, drain_timeout: float
) -> int:
    """Wait for SIGTERM or SIGINT, then drain; 0 when nothing in flight was lost."""
    asked = Event()

    def terminate() -> None:
        if catalog.draining:
            exit_now(1)
        catalog.draining = True
        asked.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, terminate)
    gevent.signal_handler(signal.SIGHUP, _reread, catalog, tokens, server.tls)
    asked.wait()
    log.info("draining, at most %g s", drain_timeout)
    finished = server.drain(drain_timeout)
    log.info("%s", "drained" if finished else "the drain timed out")
    return 0 if finished else 1


def _reread(catalog: Catalog, tokens: Tokens, tls: Tls | None) -> None:
    """SIGHUP: the models folder, the tokens' file and the certificate, as they are."""
    catalog.rescan()
    sources = {"tokens": tokens.read} | ({"certificate": tls.read} if tls else {})
    for what, read in sources.items():
        try:
            read()
        except WrongSetting as error:
            log.error("%s: not read again, as before: %s", what, error)
        else:
            log.info("%s: read again", what)


def exit_now(status: int) -> NoReturn:
    """Leave without waiting for native threads: one may be importing TensorFlow."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
