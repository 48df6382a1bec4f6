"""Figure S7: what idle connections cost, and many busy ones: `python -m bench.connections`.

Texts to the bundled sentiment model, since a model that is slow would hide the server.
Every level once a round, so that what else the machine does meets all of them; medians.
Prints Markdown.

At its end wrk leaves as many requests unanswered as there are connections: a level lasts so
long that 512 of them are little, and begins when those of the one before are done with.
"""

import os
import resource
import socket
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.progress import track

from . import page, wrk
from .machine import describe
from .processes import cpu_seconds, resident_mb, settle
from .served import served
from .workload import RESULTS

IDLE = 1000
LEVELS = (1, 2, 8, 32, 128, 512)
BESIDE = 32  # busy connections beside the idle ones
SECONDS = float(os.environ.get("BENCH_SECONDS", "12"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
TOKEN = "connections-0123456789"
HEAD = ("connections", "2xx/s", "of the best", "core-ms an answer", "the best in it")
GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


class Rates:
    """A server at `port`, process `pid`; by what was measured, a number each round."""

    def __init__(self, port: int, pid: int) -> None:
        self._port, self._pid = port, pid
        self.answers: dict[str, list[float]] = defaultdict(list)  # per second
        self.cost: dict[str, list[float]] = defaultdict(list)  # core-ms per answer
        self.idle_mb: list[float] = []

    def round(self) -> None:
        """Each level, then with idle connections."""
        for busy in LEVELS:
            self._load(f"{busy} busy", busy)
        self._load("none idle", BESIDE)
        before = resident_mb(self._pid)
        with ExitStack() as stack:
            for _ in range(IDLE):
                sock = socket.create_connection(("127.0.0.1", self._port), 30)
                stack.enter_context(sock).sendall(GET)
                sock.recv(4096)
            self._load(f"{IDLE} idle", BESIDE)
            self.idle_mb.append(resident_mb(self._pid) - before)

    def _load(self, what: str, connections: int) -> None:
        body = RESULTS / "text.json"
        body.write_text('{"1":"I love it"}')
        url = f"http://127.0.0.1:{self._port}/api/v1/{TOKEN}/predict"
        settle(lambda: cpu_seconds(self._pid), 120)
        spent = cpu_seconds(self._pid)
        load = wrk.run(url, wrk.Sent(body, "application/json"), connections, SECONDS)
        if load.errors:
            raise SystemExit(f"{what}: {load}")
        self.answers[what].append(load.rate)
        self.cost[what].append(1e3 * (cpu_seconds(self._pid) - spent) / load.good)


def table(rates: Rates) -> str:
    """Medians; the server's own time is what other work on the machine blurs least."""
    answers = {what: median(values) for what, values in rates.answers.items()}
    cost = {what: median(values) for what, values in rates.cost.items()}
    busy, idle = [f"{n} busy" for n in LEVELS], f"{IDLE} idle"
    most, least = max(answers[one] for one in busy), min(cost[one] for one in busy)
    rows = [
        (
            *(one, f"{answers[one]:.0f}", f"{100 * answers[one] / most:.0f} %"),
            *(f"{cost[one]:.3f}", f"{100 * least / cost[one]:.0f} %"),
        )
        for one in busy
    ]
    return (
        f"{page.table(HEAD, rows)}\n\n{idle} beside {BESIDE} busy: "
        f"{100 * answers[idle] / answers['none idle']:.0f} % of the throughput without "
        f"them ({100 * cost['none idle'] / cost[idle]:.0f} % by the server's time), "
        f"{median(rates.idle_mb):+.1f} MB. Medians of {len(rates.idle_mb)} rounds of "
        f"{SECONDS:g} s; {describe()}."
    )


def main() -> None:
    """All rounds against one server."""
    wrk.install()
    RESULTS.mkdir(parents=True, exist_ok=True)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    flags = ("--text-tokens", TOKEN, "--idle-timeout-s=600")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "sentiment").symlink_to(Path("models/sentiment").resolve())
        with served(Path(folder), *flags) as (port, pid):
            rates = Rates(port, pid)
            for _ in track(range(ROUNDS), "rounds", console=Console(stderr=True)):
                rates.round()
    print(table(rates))


if __name__ == "__main__":
    main()
