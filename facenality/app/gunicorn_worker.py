"""A gunicorn worker that runs our own server: no monkey-patching, the same drain.

gunicorn's gevent worker monkey-patches the process, and TensorFlow crashes in a patched
process. This worker only turns gunicorn's listeners into gevent sockets.

A reload loses no request. gunicorn starts new workers and stops the old ones at once,
but models take seconds to load. So new workers accept connections only when they have
loaded, and old workers go on until one of the new workers has.
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
POLL = 0.1  # seconds; how often to check whether a worker has loaded

# Shared memory, mapped before gunicorn forks: the age (gunicorn's increasing number) of
# the newest worker that was started, and of the newest that has loaded.
STARTED, LOADED = 0, 1
_ages = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("Q")


class Worker(Base):  # type: ignore[misc]  # untyped library
    """For `worker_class` in gunicorn.conf.py; `app:app` must be a Service."""

    wsgi: Service

    def __init__(self, age: int, *more: Any) -> None:
        """Record the new worker before the fork, so that old workers can see it."""
        super().__init__(age, *more)
        _ages[STARTED] = age

    def init_process(self) -> None:
        """Make a hub of our own after the fork: the parent's hub is not usable."""
        gevent.reinit()
        super().init_process()

    def run(self) -> None:
        """Serve until gunicorn sends SIGTERM, then drain."""
        servers = [self.wsgi.server(_cooperative(one)) for one in self.sockets]
        registry, timeout = self.wsgi.registry, self.wsgi.settings.drain_timeout_s
        heartbeat = gevent.spawn(self._beat)
        self.wsgi.begin()
        if _ages[LOADED]:  # older workers serve meanwhile
            _wait(lambda: self.alive and not registry.loaded, timeout)
        for server in servers:
            server.start()
        gevent.spawn(self._record_when_loaded)
        while self.alive:
            gevent.sleep(HEARTBEAT)
        _wait(lambda: _ages[LOADED] <= self.age < _ages[STARTED], timeout)
        registry.draining = True
        drains = [gevent.spawn(server.drain, timeout) for server in servers]
        gevent.joinall(drains)
        heartbeat.kill()
        exit_now(0 if all(one.value for one in drains) else 1)

    def _record_when_loaded(self) -> None:
        _wait(lambda: not self.wsgi.registry.loaded)
        _ages[LOADED] = max(_ages[LOADED], self.age)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Drain on SIGTERM; exit at once on a second one."""
        if not self.alive:
            exit_now(1)
        super().handle_exit(sig, frame)

    def handle_quit(self, _sig: int, _frame: Any) -> None:
        """Exit at once on SIGQUIT and SIGINT."""
        exit_now(0)

    def _beat(self) -> None:
        while True:
            if self.ppid != os.getppid():  # gunicorn's master process has died
                self.alive = False
            self.notify()
            gevent.sleep(HEARTBEAT)


def _cooperative(listener: Any) -> socket:
    """A gevent socket for one of gunicorn's listeners."""
    family, kind = listener.sock.family, listener.sock.type
    return socket(family, kind, fileno=listener.sock.detach())


def _wait(condition: Callable[[], bool], timeout: float = float("inf")) -> None:
    """Sleep while `condition` holds, but no longer than `timeout` seconds."""
    until = time.monotonic() + timeout
    while condition() and time.monotonic() < until:
        gevent.sleep(POLL)
