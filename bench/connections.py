"""Row S7: what idle connections cost, and what many busy ones: `python -m bench.connections`.

Texts to the bundled sentiment model, since a model that is slow would hide the server.
Every level once a round, so that what else the machine does meets all of them; medians.
Prints Markdown.
"""

import os
import resource
import socket
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.progress import track

from . import wrk
from .machine import describe
from .measuring import RESULTS
from .processes import resident_mb
from .served import served

IDLE = 1000
LEVELS = (1, 2, 8, 32, 128, 512)
BESIDE = 32  # busy connections beside the idle ones
SECONDS = float(os.environ.get("BENCH_SECONDS", "4"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
TOKEN = "connections-0123456789"
GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


class Measured:
    """A server at `port`, process `pid`; answers per second by what was measured."""

    def __init__(self, port: int, pid: int) -> None:
        self._port, self._pid = port, pid
        self._body = RESULTS / "text.json"
        self._body.write_text('{"1":"I love it"}')
        self.rates: dict[str, list[float]] = defaultdict(list)
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
        sent = wrk.Sent(self._body, "application/json")
        url = f"http://127.0.0.1:{self._port}/api/v1/{TOKEN}/predict"
        load = wrk.run(url, sent, connections, SECONDS)
        if load.errors:
            raise SystemExit(f"{what}: {load}")
        self.rates[what].append(load.rate)


def table(each: Mapping[str, list[float]], idle_mb: list[float]) -> str:
    """Medians, beside the best level and beside no idle connections."""
    rates = {what: median(values) for what, values in each.items()}
    most = max(rates[f"{busy} busy"] for busy in LEVELS)
    lines = ["| connections | 2xx/s, median | of the best |", "|---|---|---|"]
    for busy in LEVELS:
        rate = rates[f"{busy} busy"]
        lines.append(f"| {busy} busy | {rate:.0f} | {100 * rate / most:.0f} % |")
    part = 100 * rates[f"{IDLE} idle"] / rates["none idle"]
    return "\n".join(
        [
            *lines,
            "",
            f"{IDLE} idle beside {BESIDE} busy: {part:.0f} % of the throughput without "
            f"them, {median(idle_mb):+.1f} MB. {len(idle_mb)} rounds of {SECONDS:g} s; "
            f"{describe()}.",
        ]
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
            measured = Measured(port, pid)
            for _ in track(range(ROUNDS), "rounds", console=Console(stderr=True)):
                measured.round()
    print(table(measured.rates, measured.idle_mb))


if __name__ == "__main__":
    main()
