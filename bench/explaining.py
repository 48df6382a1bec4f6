"""What explanations cost the predictions: requests/s and latency with and without them.

`python -m bench.explaining`; rounds without and with two clients that ask for
explanations all the time, interleaved; medians as a Markdown table. Once under a load
that leaves no pause (then explanations are refused), and once with one client that pauses
between its requests (then they run in the pauses, and a request may meet one).
"""

import http.client
import statistics
import threading
import time

from rich.console import Console
from rich.progress import track

from .forms import FORM, form
from .load import client, run
from .measuring import CLIENTS, ROUNDS, SECONDS, milliseconds
from .served import served
from .workload import MOBILENET, photographs

EXPLAINERS = 2
HEADERS = {"Content-Type": FORM}
PAUSE = 0.5  # seconds between the requests of the client that pauses


class Asking:
    """Clients that ask for one explanation after the other, refused or not."""

    def __init__(self, port: int, body: bytes, clients: int) -> None:
        self.answered: list[int] = []
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(port, body))
            for _ in range(clients)
        ]

    def __enter__(self) -> "Asking":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, port: int, body: bytes) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while not self._stop.is_set():
            connection.request("POST", "/explain", body, HEADERS)
            reply = connection.getresponse()
            reply.read()
            self.answered.append(reply.status)
            if reply.status != 200:
                self._stop.wait(1)  # as Retry-After asks


def pausing(port: int, body: bytes) -> list[float]:
    """Seconds of each request of one client that pauses."""
    took: list[float] = []
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        client(port, "/predict", body, HEADERS, time.monotonic() + 0.001, took)
        time.sleep(PAUSE)
    return took


def one_round(port: int, body: bytes, explainers: int) -> dict[str, float]:
    """Both loads beside so many clients that ask for explanations."""
    with Asking(port, body, explainers) as first:
        many = run(port, "/predict", CLIENTS, SECONDS, body, HEADERS)
        explained_busy = first.answered.count(200)
    with Asking(port, body, explainers) as second:
        few = pausing(port, body)
        explained_pausing = second.answered.count(200)
    return {
        "rate": len(many) / SECONDS,
        "p50": milliseconds(many, 0.5),
        "p99": milliseconds(many, 0.99),
        "one": milliseconds(few, 0.5),
        "one p99": milliseconds(few, 0.99),
        "explained, busy": explained_busy,
        "explained, pausing": explained_pausing,
    }


def main() -> None:
    """Interleaved rounds; the medians, and each with over without."""
    MOBILENET.make()
    body = form(photographs()[0].file.read_bytes())
    console = Console(stderr=True)
    rows: dict[int, list[dict[str, float]]] = {0: [], EXPLAINERS: []}
    with served(MOBILENET.folder, "--engine=tensorflow") as (port, _):
        one_round(port, body, 0)  # warms caches and clocks; not counted
        for _ in track(range(ROUNDS), "measuring", console=console):
            for explainers, measured in rows.items():
                measured.append(one_round(port, body, explainers))
    print(table(*(medians(measured) for measured in rows.values())))


def medians(rows: list[dict[str, float]]) -> dict[str, float]:
    """Of each figure over the rounds."""
    return {key: statistics.median(row[key] for row in rows) for key in rows[0]}


def table(without: dict[str, float], beside: dict[str, float]) -> str:
    """Markdown."""
    names = {
        "rate": f"requests/s, {CLIENTS} clients",
        "p50": f"p50 ms, {CLIENTS} clients",
        "p99": f"p99 ms, {CLIENTS} clients",
        "one": f"p50 ms, one client that pauses {PAUSE:g} s",
        "one p99": "p99 ms, the same",
    }
    lines = [
        f"| {name} | {without[key]:.1f} | {beside[key]:.1f} | {beside[key] / without[key]:.2f} |"
        for key, name in names.items()
    ]
    told = f"{beside['explained, busy']:.0f} and {beside['explained, pausing']:.0f}"
    return "\n".join(
        [
            "| `/predict` | alone | beside explanations | ratio |",
            "|---|---|---|---|",
            *lines,
            "",
            f"Explanations answered in {SECONDS:g} s, busy and pausing: {told}.",
        ]
    )


if __name__ == "__main__":
    main()
