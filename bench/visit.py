"""One server started, measured and ended."""

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests

from . import processes, wrk
from .contenders import Contender
from .processes import Tree
from .workload import RESULTS, Network, Photograph
from .wrk import Load, Sent

CLIENTS = 32
READY_WITHIN = 180.0  # seconds; a first start may convert a model
IDLE_SECONDS = 2.0
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
    url: str
    ready_seconds: float

    def _start(self, photograph: Photograph, clients: int, seconds: float) -> wrk.Run:
        """Send it for so long, once nothing of an earlier load is left."""
        processes.settle(self.tree.cpu_seconds)
        sent = photograph.sent(self.contender.raw)
        return wrk.start(self.url + self.contender.path, sent, clients, seconds)

    def load(
        self, photograph: Photograph, seconds: float, clients: int = CLIENTS
    ) -> Load:
        """What came back of that."""
        return wrk.result(self._start(photograph, clients, seconds))

    def live_meanwhile(self, photograph: Photograph, seconds: float) -> Load:
        """/livez every 10 ms while predictions saturate the machine."""
        busy = self._start(photograph, CLIENTS, seconds + 1)
        time.sleep(0.5)
        live = wrk.run(f"{self.url}/livez", Sent(every_ms=10), 1, seconds)
        wrk.result(busy)
        return live

    def steady_rate(self, photograph: Photograph, seconds: float) -> float:
        """Predictions per second of one of ours, once the load is under way.

        wrk counts from its first connection on, and not what is under way at its end:
        32 photographs, a tenth of what is answered in 2 s.
        """
        busy = self._start(photograph, CLIENTS, 2 * LEAD_SECONDS + seconds)
        time.sleep(LEAD_SECONDS)
        started, before = time.monotonic(), self._answered()
        time.sleep(seconds)
        count, took = self._answered() - before, time.monotonic() - started
        wrk.result(busy)
        if not count:
            raise RuntimeError("its metrics count no predictions")
        return count / took

    def _answered(self) -> float:
        return answered(requests.get(f"{self.url}/metrics", timeout=30).text)

    def idle_cpu(self) -> float:
        """Cores in use while nobody asks, once it has finished its start."""
        processes.settle(self.tree.cpu_seconds)
        before = self.tree.cpu_seconds()
        time.sleep(IDLE_SECONDS)
        return (self.tree.cpu_seconds() - before) / IDLE_SECONDS


@contextmanager
def started(
    contender: Contender, network: Network, photograph: Photograph
) -> Iterator[Server]:
    """`contender` serving `network`. Raises CannotServe."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    words, more = contender.command(port, network), contender.environment(network)
    log = RESULTS / "logs" / f"{contender.name.replace(' ', '-')}.log"
    url, began = f"http://127.0.0.1:{port}", time.monotonic()
    sent, ours = photograph.sent(contender.raw), contender.kind == "ours"

    def answers() -> bool:
        if ours:
            return requests.get(f"{url}/readyz", timeout=30).ok
        return wrk.once(url + contender.path, sent).ok

    def runs_as_wanted() -> bool:
        """Engine and precision of the only model: a faster one may take over later."""
        one = requests.get(f"{url}/models", timeout=30).json()["models"][0]
        wanted = (contender.engine, contender.precision)
        return (one["engine"], one["precision"]) == wanted

    with processes.running(words, log, contender.folder(), more) as tree:
        _wait(tree, answers)
        ready = time.monotonic() - began
        if ours:
            _wait(tree, runs_as_wanted)
        yield Server(contender, tree, url, ready)


def answered(metrics: str) -> float:
    """How many predictions were answered with 200, by the exposition of /metrics."""
    return sum(map(float, _ANSWERED.findall(metrics)))


def _wait(tree: Tree, done: Callable[[], bool]) -> None:
    until = time.monotonic() + READY_WITHIN
    while True:
        try:
            if done():
                return
        except requests.RequestException:
            pass  # nobody listens yet
        ended = tree.root.poll() is not None
        if ended or time.monotonic() > until:
            what = "it ended" if ended else f"not ready in {READY_WITHIN:.0f} s"
            last = [line for line in tree.log().splitlines() if line.strip()][-1:]
            raise CannotServe(f"{what}: {''.join(last)[:200]}")
        time.sleep(0.02)
