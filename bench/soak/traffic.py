"""Good and bad clients, a thread each, and what became of all they sent."""

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

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
        counts = self.good.items()
        return sum(n for (kind, s), n in counts if s == 503 and kind != "explain")


class Traffic:
    """Everybody's threads; use as a context manager."""

    def __init__(self, port: int, tally: Tally) -> None:
        self._port, self._tally = port, tally
        self._stop = threading.Event()
        work = [self._good] * GOOD + [self._bad(bad.quick())] * BAD
        work += [self._bad({kind: one}) for kind, one in bad.slow().items()]
        self._threads = [
            threading.Thread(target=one, args=(seed,)) for seed, one in enumerate(work)
        ]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _kinds(self, seed: int, often: dict[str, int]) -> Iterator[str]:
        """What is sent next, until it is time to stop."""
        choose = chooser(seed, often)
        while not self._stop.is_set():
            yield choose()
            self._stop.wait(PAUSE * random.random() * 2)

    def _good(self, seed: int) -> None:
        clients = good.requests()
        often = {kind: one.often for kind, one in clients.items()}
        with requests.Session() as session:
            for kind in self._kinds(seed, often):
                self._ask(session, kind, clients[kind])

    def _bad(self, clients: dict[str, bad.Bad]) -> Callable[[int], None]:
        often = {kind: one.often for kind, one in clients.items()}

        def work(seed: int) -> None:
            for kind in self._kinds(seed, often):
                self._misbehave(kind, clients[kind])

        return work

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
