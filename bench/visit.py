"""One server started, measured and ended."""

import http.client
import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from . import processes, wrk
from .contenders import Contender
from .processes import Tree
from .workload import RESULTS, Network, Photograph
from .wrk import Load, Sent

CLIENTS = 32
READY_WITHIN = 180.0  # seconds; a first start may convert a model
IDLE_SECONDS = 2.0
SETTLE_SECONDS = 8.0
LIVE = Sent(every_ms=10)
LEAD_SECONDS = 1.0  # until as many are under way as there will be
_ANSWERED = re.compile(
    r'^facenality_request_total\{(?=.*route="/predict")(?=.*code="200").*\} (\S+)$',
    re.M,
)


class CannotServe(Exception):
    """Why a contender has no figures."""


@dataclass(frozen=True)
class Server:
    """A contender that answers."""

    contender: Contender
    tree: Tree
    port: int
    ready_seconds: float

    def url(self, path: str = "") -> str:
        """Of `path`, or of what predicts."""
        return f"http://127.0.0.1:{self.port}{path or self.contender.path}"

    def sent(self, photograph: Photograph) -> Sent:
        """The photograph as this contender takes it."""
        return photograph.raw() if self.contender.raw else photograph.form()

    def load(
        self, photograph: Photograph, seconds: float, clients: int = CLIENTS
    ) -> Load:
        """Send it for so long."""
        self._settle()
        return wrk.run(self.url(), self.sent(photograph), clients, seconds)

    def live_meanwhile(self, photograph: Photograph, seconds: float) -> Load:
        """/livez every 10 ms while predictions saturate the machine."""
        self._settle()
        busy = wrk.start(self.url(), self.sent(photograph), CLIENTS, seconds + 1)
        time.sleep(0.5)
        live = wrk.run(self.url("/livez"), LIVE, 1, seconds)
        wrk.result(busy)
        return live

    def steady_rate(self, photograph: Photograph, seconds: float) -> float:
        """Predictions per second of one of ours, once the load is under way.

        wrk counts from its first connection on, and not what is under way at its end:
        32 photographs, a tenth of what is answered in 2 s.
        """
        self._settle()
        more = 2 * LEAD_SECONDS + seconds
        busy = wrk.start(self.url(), self.sent(photograph), CLIENTS, more)
        time.sleep(LEAD_SECONDS)
        started, before = time.monotonic(), self._answered()
        time.sleep(seconds)
        count, took = self._answered() - before, time.monotonic() - started
        wrk.result(busy)
        if not count:
            raise RuntimeError("its metrics count no predictions")
        return count / took

    def _answered(self) -> float:
        return answered(_ask(self.port, "GET", "/metrics")[1].decode())

    def _settle(self) -> None:
        """Let it finish what an earlier load has left behind: wrk does not wait."""
        until = time.monotonic() + SETTLE_SECONDS
        while self._busy(0.2) > 0.3 and time.monotonic() < until:
            pass

    def _busy(self, seconds: float) -> float:
        """Cores in use."""
        before = self.tree.cpu_seconds()
        time.sleep(seconds)
        return (self.tree.cpu_seconds() - before) / seconds

    def idle_cpu(self) -> float:
        """Cores in use while nobody asks, once it has finished its start."""
        self._settle()
        return self._busy(IDLE_SECONDS)


@contextmanager
def started(
    contender: Contender, network: Network, photograph: Photograph
) -> Iterator[Server]:
    """`contender` serving `network`. Raises CannotServe."""
    port = _free_port()
    words, more = contender.command(port, network), contender.environment(network)
    log = RESULTS / "logs" / f"{contender.name.replace(' ', '-')}.log"
    began = time.monotonic()
    with processes.running(words, log, contender.folder(), more) as tree:
        if contender.kind == "ours":
            _wait(tree, lambda: _status(port, "GET", "/readyz") == 200)
            ready = time.monotonic() - began
            _wait(
                tree, lambda: _runs_on(port) == (contender.engine, contender.precision)
            )
        else:
            sent = photograph.raw() if contender.raw else photograph.form()
            _wait(tree, lambda: _status(port, "POST", contender.path, sent) == 200)
            ready = time.monotonic() - began
        yield Server(contender, tree, port, ready)


def answered(metrics: str) -> float:
    """How many predictions were answered with 200, by the exposition of /metrics."""
    return sum(map(float, _ANSWERED.findall(metrics)))


def _wait(tree: Tree, done: Callable[[], bool]) -> None:
    until = time.monotonic() + READY_WITHIN
    while not done():
        ended = tree.root.poll() is not None
        if ended or time.monotonic() > until:
            what = "it ended" if ended else f"not ready in {READY_WITHIN:.0f} s"
            last = [line for line in tree.log().splitlines() if line.strip()][-1:]
            raise CannotServe(f"{what}: {''.join(last)[:200]}")
        time.sleep(0.02)


def _status(port: int, method: str, path: str, sent: Sent | None = None) -> int:
    """The status; 0 while nobody answers."""
    return _ask(port, method, path, sent)[0]


def _runs_on(port: int) -> tuple[str, str]:
    """Engine and precision of the only model: a faster one may take over later."""
    models = json.loads(_ask(port, "GET", "/models")[1] or "{}").get("models")
    return (models[0]["engine"], models[0]["precision"]) if models else ("", "")


def _ask(
    port: int, method: str, path: str, sent: Sent | None = None
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    body = sent.file.read_bytes() if sent and sent.file else None
    try:
        connection.request(
            method, path, body, {"Content-Type": sent.kind} if sent else {}
        )
        reply = connection.getresponse()
        return reply.status, reply.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    return port
