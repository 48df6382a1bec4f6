"""Room for so many at once: all of it is used, in turn, and none of it is lost."""

import gevent
import pytest
from gevent.event import Event

from facenality.web.routes.texts import FifoSemaphore


class Guests:
    """Greenlets in a room for 4; each stays until it may go."""

    def __init__(self):
        self.room = FifoSemaphore(4)
        self.inside: list[str] = []

    def come(self, name: str, count: int) -> gevent.Greenlet:
        guest = gevent.spawn(self._stay, name, count)
        guest.may_go = Event()
        gevent.sleep(0)
        return guest

    def _stay(self, name: str, count: int) -> None:
        with self.room.take(count):
            self.inside.append(name)
            gevent.getcurrent().may_go.wait()
            self.inside.remove(name)

    def go(self, *guests: gevent.Greenlet) -> None:
        for guest in guests:
            guest.may_go.set()
        gevent.joinall(guests, timeout=5, raise_error=True)
        gevent.sleep(0.001)


@pytest.fixture
def guests():
    return Guests()


def test_as_many_are_inside_as_there_is_room_for(guests):
    one, two = guests.come("one", 1), guests.come("two", 3)
    three = guests.come("three", 4)
    assert guests.inside == ["one", "two"]
    guests.go(one)
    assert guests.inside == ["two"]
    guests.go(two)
    assert guests.inside == ["three"]
    guests.go(three)


def test_who_came_first_goes_in_first_though_another_would_fit(guests):
    first = guests.come("first", 3)
    large, small = guests.come("large", 2), guests.come("small", 1)
    assert guests.inside == ["first"]
    guests.go(first)
    assert guests.inside == ["large", "small"]
    guests.go(large, small)


def test_who_stops_waiting_lets_the_next_in(guests):
    first = guests.come("first", 3)
    large, small = guests.come("large", 2), guests.come("small", 1)
    large.kill()
    gevent.sleep(0.001)
    assert guests.inside == ["first", "small"]
    guests.go(first, small)


def test_who_goes_when_just_let_in_takes_no_room_along(guests):
    first, second = guests.come("first", 4), guests.come("second", 4)
    first.may_go.set()
    second.kill(block=False)  # reaches it between being let in and going in
    gevent.joinall([first, second], timeout=5)
    last = guests.come("last", 4)
    assert guests.inside == ["last"]
    guests.go(last)
