"""Row S7: what idle connections cost, and what many busy ones: `python -m bench.connections`.

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
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.progress import track

from . import wrk
from .machine import describe
from .processes import cpu_seconds, resident_mb
from .served import served
from .workload import RESULTS

IDLE = 1000
LEVELS = (1, 2, 8, 32, 128, 512)
BESIDE = 32  # busy connections beside the idle ones
SECONDS = float(os.environ.get("BENCH_SECONDS", "12"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
PAUSE, IDLE_SHARE = 0.25, 0.1  # seconds between two looks; of a core, at most
TOKEN = "connections-0123456789"
Rounds = dict[str, list[float]]

GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


class Rates:
    """A server at `port`, process `pid`; by what was measured, a number each round."""

    def __init__(self, port: int, pid: int) -> None:
        self._port, self._pid = port, pid
        self._body = RESULTS / "text.json"
        self.answers: Rounds = defaultdict(list)  # per second
        self.cost: Rounds = defaultdict(list)  # core-milliseconds per answer
        self.idle_mb: list[float] = []

    def round(self) -> None:
        """Each level, then with idle connections."""
        self._body.write_text('{"1":"I love it"}')
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
        sent = wrk.Sent(self._body, "application/json")
        url = f"http://127.0.0.1:{self._port}/api/v1/{TOKEN}/predict"
        self._settle()
        spent = cpu_seconds(self._pid)
        load = wrk.run(url, sent, connections, SECONDS)
        if load.errors:
            raise SystemExit(f"{what}: {load}")
        self.answers[what].append(load.rate)
        self.cost[what].append(1e3 * (cpu_seconds(self._pid) - spent) / load.good)

    def _settle(self) -> None:
        """Wait until the server has nothing to do."""
        before = -1.0
        while (now := cpu_seconds(self._pid)) - before > IDLE_SHARE * PAUSE:
            before = now
            time.sleep(PAUSE)


def table(rates: Rates) -> str:
    """Medians; the server's own time is what other work on the machine blurs least."""
    answers, cost = _medians(rates.answers), _medians(rates.cost)
    busy = [f"{n} busy" for n in LEVELS]
    most, least = max(answers[one] for one in busy), min(cost[one] for one in busy)
    rows = [
        f"| {one} | {answers[one]:.0f} | {100 * answers[one] / most:.0f} % "
        f"| {cost[one]:.3f} | {100 * least / cost[one]:.0f} % |"
        for one in busy
    ]
    idle = f"{IDLE} idle"
    return "\n".join(
        [
            "| connections | 2xx/s | of the best | core-ms an answer | the best in it |",
            "|---|---|---|---|---|",
            *rows,
            "",
            f"{idle} beside {BESIDE} busy: "
            f"{100 * answers[idle] / answers['none idle']:.0f} % of the throughput without "
            f"them ({100 * cost['none idle'] / cost[idle]:.0f} % by the server's time), "
            f"{median(rates.idle_mb):+.1f} MB. Medians of {len(rates.idle_mb)} rounds of "
            f"{SECONDS:g} s; {describe()}.",
        ]
    )


def _medians(rounds: Rounds) -> dict[str, float]:
    return {what: median(values) for what, values in rounds.items()}


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
