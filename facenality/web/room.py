"""Room for so many at once: who came first goes in first, and nobody is looked for."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gevent.event import Event


@dataclass(eq=False)
class _Waiting:
    count: int
    let_in: Event = field(default_factory=Event)


class Room:
    """Room for `size`; for greenlets of one hub."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._line: deque[_Waiting] = deque()

    @contextmanager
    def take(self, count: int) -> Iterator[None]:
        """Hold room for `count`, which is `size` at most, as soon as it is there."""
        if self._line or count > self._free:
            self._wait(_Waiting(count))
        else:
            self._free -= count
        try:
            yield
        finally:
            self._give_back(count)

    def _wait(self, one: _Waiting) -> None:
        self._line.append(one)
        try:
            one.let_in.wait()
        except BaseException:  # its client has gone, perhaps when it was just let in
            if one.let_in.is_set():
                self._give_back(one.count)
            else:
                self._line.remove(one)
                self._let_in()
            raise

    def _give_back(self, count: int) -> None:
        self._free += count
        self._let_in()

    def _let_in(self) -> None:
        while self._line and self._line[0].count <= self._free:
            one = self._line.popleft()
            self._free -= one.count
            one.let_in.set()
