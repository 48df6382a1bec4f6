"""Good and bad clients, a thread each, and what became of all they sent."""

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable

import requests

from . import bad, good

GOOD, BAD = 6, 2  # threads; of the slow kinds there is one each
PAUSE = 0.05  # seconds, on average, of every quick client

Status = int | str | None


class Tally:
    """Counts by kind and outcome; what was not right is kept, with the reason."""

    def __init__(self) -> None:
        self.good: Counter[tuple[str, Status]] = Counter()
        self.bad: Counter[tuple[str, Status]] = Counter()
        self.wrong: list[str] = []
        self._lock = threading.Lock()

    def note(
        self, counts: Counter[tuple[str, Status]], kind: str, status: Status
    ) -> None:
        """One request more."""
        with self._lock:
            counts[kind, status] += 1

    def blame(self, kind: str, why: object) -> None:
        """One that was not answered rightly."""
        with self._lock:
            self.wrong.append(f"{time.strftime('%H:%M:%S')} {kind}: {why}")

    def done(self) -> int:
        """All requests so far."""
        return self.good.total() + self.bad.total()

    def refused(self) -> int:
        """Good requests that were answered 503, explanations left out."""
        return sum(
            n
            for (kind, status), n in self.good.items()
            if status == 503 and kind != "explain"
        )


class Traffic:
    """Everybody's threads; use as a context manager."""

    def __init__(self, port: int, tally: Tally) -> None:
        self._port, self._tally = port, tally
        self._stop = threading.Event()
        quick = bad.quick()
        self._threads = [
            *(threading.Thread(target=self._good, args=(n,)) for n in range(GOOD)),
            *(threading.Thread(target=self._bad, args=(n, quick)) for n in range(BAD)),
            *(
                threading.Thread(target=self._bad, args=(0, {kind: one}))
                for kind, one in bad.slow().items()
            ),
        ]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _good(self, seed: int) -> None:
        kinds = good.requests()
        next_kind = chooser(seed, {kind: one.often for kind, one in kinds.items()})
        with requests.Session() as session:
            while not self._stop.is_set():
                kind = next_kind()
                self._ask(session, kind, kinds[kind])
                self._stop.wait(PAUSE * random.random() * 2)

    def _bad(self, seed: int, clients: dict[str, bad.Bad]) -> None:
        next_kind = chooser(seed, {kind: one.often for kind, one in clients.items()})
        while not self._stop.is_set():
            kind = next_kind()
            self._misbehave(kind, clients[kind])
            self._stop.wait(PAUSE * random.random() * 2)

    def _ask(self, session: requests.Session, kind: str, one: good.Good) -> None:
        status: Status
        try:
            status = good.ask(session, self._port, one)
        except (OSError, ValueError, LookupError, good.Wrong) as why:
            status = type(why).__name__  # requests' own errors are OSErrors
            self._tally.blame(kind, repr(why))
        else:
            if status not in (200, 503):
                self._tally.blame(kind, status)
        self._tally.note(self._tally.good, kind, status)

    def _misbehave(self, kind: str, client: bad.Bad) -> None:
        status: Status
        try:
            address = ("127.0.0.1", self._port)
            with socket.create_connection(address, bad.LONG) as sock:
                status = client.act(sock)
        except OSError as why:
            status = type(why).__name__
        if status not in client.expected:
            self._tally.blame(kind, status)
        self._tally.note(self._tally.bad, kind, status)


def chooser(seed: int, often: dict[str, int]) -> Callable[[], str]:
    """Kinds by chance, each as often as it is said; the same in every run."""
    chance = random.Random(seed)
    kinds, weights = list(often), list(often.values())
    return lambda: chance.choices(kinds, weights)[0]
