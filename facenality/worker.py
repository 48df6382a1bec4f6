"""gunicorn's worker around our own server: no monkey-patching, the same drain.

gunicorn's worker for gevent patches the process, and TensorFlow dies in one that is. So
this one only makes gevent sockets of the listeners that gunicorn hands over.
"""

import os
from typing import Any

import gevent
from gevent.socket import socket
from gunicorn.workers.base import Worker as Base

from .process import exit_now
from .service import Service

HEARTBEAT = 1.0  # seconds; gunicorn ends a worker that is silent for `timeout`


class Worker(Base):  # type: ignore[misc]  # untyped library
    """For `worker_class` in gunicorn.conf.py; `app:app` has to be a Service."""

    wsgi: Service

    def init_process(self) -> None:
        """After the fork; the hub of the parent is not ours."""
        gevent.reinit()
        super().init_process()

    def run(self) -> None:
        """Serve until gunicorn says SIGTERM, then drain."""
        servers = [self.wsgi.server(_cooperative(one)) for one in self.sockets]
        for server in servers:
            server.start()
        self.wsgi.begin()
        heart = gevent.spawn(self._beat)
        while self.alive:
            gevent.sleep(HEARTBEAT)
        self.wsgi.catalog.draining = True
        timeout = self.wsgi.settings.drain_timeout_s
        drains = [gevent.spawn(server.drain, timeout) for server in servers]
        gevent.joinall(drains)
        heart.kill()
        exit_now(0 if all(one.value for one in drains) else 1)

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
