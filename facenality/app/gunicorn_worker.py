"""gunicorn's worker around our own server: no monkey-patching, the same drain.

gunicorn's worker for gevent patches the process, and TensorFlow dies in one that is. So
this one only makes gevent sockets of the listeners that gunicorn hands over.

A reload loses nothing: gunicorn starts new workers and ends the old ones in one breath,
while models take seconds to load. So new ones accept when they have loaded, and old
ones go on until one of the new has.
"""

import mmap
import os
import time
from collections.abc import Callable
from typing import Any

import gevent
from gevent.socket import socket
from gunicorn.workers.base import Worker as Base

from .compose import Service
from .signals import exit_now

HEARTBEAT = 1.0  # seconds; gunicorn ends a worker that is silent for `timeout`
LOOK = 0.1  # seconds; how often to see whether something has loaded

# Mapped before gunicorn forks, and so shared by all: the age (gunicorn's number, which
# grows) of the newest worker that was started, and of the newest that has loaded.
STARTED, LOADED = 0, 1
_ages = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("Q")


class Worker(Base):  # type: ignore[misc]  # untyped library
    """For `worker_class` in gunicorn.conf.py; `app:app` has to be a Service."""

    wsgi: Service

    def __init__(self, age: int, *more: Any) -> None:
        """In gunicorn itself, before the fork: those that it ends then can see it."""
        super().__init__(age, *more)
        _ages[STARTED] = age

    def init_process(self) -> None:
        """After the fork; the hub of the parent is not ours."""
        gevent.reinit()
        super().init_process()

    def run(self) -> None:
        """Serve until gunicorn says SIGTERM, then drain."""
        servers = [self.wsgi.server(_cooperative(one)) for one in self.sockets]
        catalog, timeout = self.wsgi.catalog, self.wsgi.settings.drain_timeout_s
        heart = gevent.spawn(self._beat)
        self.wsgi.begin()
        if _ages[LOADED]:  # others serve meanwhile
            _wait(lambda: self.alive and not catalog.loaded, timeout)
        for server in servers:
            server.start()
        gevent.spawn(self._tell_when_loaded)
        while self.alive:
            gevent.sleep(HEARTBEAT)
        _wait(lambda: _ages[LOADED] <= self.age < _ages[STARTED], timeout)
        catalog.draining = True
        drains = [gevent.spawn(server.drain, timeout) for server in servers]
        gevent.joinall(drains)
        heart.kill()
        exit_now(0 if all(one.value for one in drains) else 1)

    def _tell_when_loaded(self) -> None:
        _wait(lambda: not self.wsgi.catalog.loaded)
        _ages[LOADED] = max(_ages[LOADED], self.age)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM drains; a second one ends at once."""
        if not self.alive:
            exit_now(1)
        super().handle_exit(sig, frame)

    def handle_quit(self, _sig: int, _frame: Any) -> None:
        """SIGQUIT and SIGINT end at once."""
        exit_now(0)

    def _beat(self) -> None:
        while True:
            if self.ppid != os.getppid():  # gunicorn itself has gone
                self.alive = False
            self.notify()
            gevent.sleep(HEARTBEAT)


def _cooperative(listener: Any) -> socket:
    """One of gevent's sockets for what gunicorn listens on."""
    family, kind = listener.sock.family, listener.sock.type
    return socket(family, kind, fileno=listener.sock.detach())


def _wait(while_: Callable[[], bool], timeout: float = float("inf")) -> None:
    """Sleep as long as that is so, and no longer than `timeout` seconds."""
    until = time.monotonic() + timeout
    while while_() and time.monotonic() < until:
        gevent.sleep(LOOK)
