"""`make soak` in short: everything at once, and what must be the same afterwards."""

import time
from collections import Counter
from contextlib import suppress

import pytest

from bench.soak import bad, good
from bench.soak.models import Models
from bench.soak.report import Sample, courses, document
from bench.soak.server import Held, Soaked
from bench.soak.traffic import Tally, Traffic, chooser

pytestmark = pytest.mark.long

# Slow clients end soon, so that the test does.
SOON = ("--head-timeout-s=1", "--body-timeout-s=1", "--idle-timeout-s=1")


def all_at_once(server: Soaked, models: Models, tally: Tally) -> None:
    with Traffic(server.port, tally):
        for _ in range(3):
            time.sleep(2)
            models.step()
            server.reread()


@pytest.mark.timeout(240)
def test_all_are_answered_rightly_and_nothing_stays_when_they_have_gone(tmp_path):
    models, tally = Models(tmp_path), Tally()
    models.make()
    with Soaked(tmp_path, models, *SOON) as server:
        all_at_once(server, models, Tally())  # threads are made when they are needed
        before = server.quiet(6)
        all_at_once(server, models, tally)
        models.settle()
        after = server.quiet(6)
        assert server.tracebacks() == 0
        assert server.end() == 0
    assert tally.wrong == []
    assert {kind for kind, _ in tally.good} == set(good.requests())
    assert {kind for kind, _ in tally.bad} >= set(bad.slow())
    assert after.files <= before.files
    assert after.threads <= before.threads
    assert after.greenlets <= before.greenlets


@pytest.mark.parametrize("kind", good.requests())
def test_another_answer_is_noticed(kind):
    one = good.requests()[kind]
    other = b'{"predictions":[],"results":[{},{}],"model":{"version":"1"}}'
    with suppress(LookupError):
        assert not one.right(other)


def course(memory: float, files: float, after: int = 8) -> list[bool]:
    """Whether memory and files are flat that grow so much per 10,000 requests."""
    samples = [
        Sample(
            n, 100 * n, Held(700 + memory * n / 100, int(8 + files * n / 100), 20, 9)
        )
        for n in range(0, 1800, 5)
    ]
    rows = courses(samples, samples[0].held, Held(700, after, 20, 9))
    return [row.flat() for row in rows]


def test_what_grows_is_told_from_what_does_not():
    assert course(memory=0.5, files=0) == [True, True, True, True]
    assert course(memory=2, files=0) == [False, True, True, True]
    assert course(memory=0, files=1) == [True, False, True, True]
    assert course(memory=0, files=0, after=20) == [True, False, True, True]


def test_the_page_shows_what_was_seen():
    tally = Tally()
    tally.note(tally.good, "photo", 200)
    tally.note(tally.bad, "says nothing", None)
    tally.blame("photo", "KeyError")
    samples = [Sample(n, 10 * n, Held(700.0 + n, 8, 20, 9)) for n in range(0, 100, 5)]
    rows = courses(samples, samples[0].held, samples[-1].held)
    page = document(samples[-1].seconds, rows, tally, 0, 0)
    assert "| memory, MiB | 700 | 735 to 795 | +1000.00 | +60.0 | 795 | grows |" in page
    assert "| photo | 200 1 times |" in page
    assert "photo: KeyError" in page


def test_clients_come_as_often_as_they_should():
    choose = chooser(1, {"often": 9, "seldom": 1})
    counts = Counter(choose() for _ in range(1000))
    assert 850 < counts["often"] < 950
