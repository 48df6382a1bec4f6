"""Decoder threads: in turn by model, and nothing decoded for nobody."""

import threading
import time
from dataclasses import dataclass

import gevent
import pytest

import idling
from facenality.errors import Expired
from facenality.scheduling.decode_pool import DecodePool


@dataclass(eq=False)
class Model:
    """What pictures are decoded for; `has_full_batch` if a full batch waits for it."""

    has_full_batch: bool = False


A, B, C = Model(), Model(), Model()


class Work:
    """Notes what it was given; waits while its gate is shut."""

    def __init__(self):
        self.begun = 0
        self.done: list[object] = []
        self.gate = threading.Event()

    def __call__(self, what):
        self.begun += 1
        self.gate.wait(10)
        self.done.append(what)
        if what == "bad":
            raise ValueError(what)
        return what


@pytest.fixture
def decoders():
    one = DecodePool(1)
    yield one
    one.close()


@pytest.fixture
def work():
    return Work()


def start(decoders, work, *jobs, **more):
    """A greenlet for each (line, argument), in this order; the first one begins."""
    greenlets = [gevent.spawn(decoders.run, line, work, a, **more) for line, a in jobs]
    gevent.sleep(0.02)
    return greenlets


def test_a_result_comes_back_and_an_exception_too(decoders, work):
    work.gate.set()
    assert decoders.run(A, work, 5) == 5
    with pytest.raises(ValueError, match="bad"):
        decoders.run(A, work, "bad")
    assert decoders.run(A, work, 6) == 6


def test_models_take_turns(decoders, work):
    """A flood for one model; another one's jobs do not wait behind it."""
    flood = start(decoders, work, *((A, f"a{i}") for i in range(6)))
    others = start(decoders, work, (B, "b0"), (B, "b1"))
    work.gate.set()
    gevent.joinall(flood + others, timeout=5, raise_error=True)
    assert work.done == ["a0", "a1", "b0", "a2", "b1", "a3", "a4", "a5"]


def test_a_job_whose_greenlet_is_killed_is_not_decoded(decoders, work):
    running, leaving, staying, lone = start(
        decoders, work, (A, 1), (A, 2), (A, 3), (B, 4)
    )
    running.kill()  # its thread cannot be stopped: it finishes for nobody
    leaving.kill()
    lone.kill()
    work.gate.set()
    assert staying.get(timeout=5) == 3
    assert work.done == [1, 3]
    assert decoders.wait(B) < 5


def test_what_has_expired_is_not_decoded(decoders, work):
    start(decoders, work, (A, 1))
    deadline = time.monotonic() + 0.02
    (late,) = start(decoders, work, (A, 2), deadline=deadline)
    work.gate.set()
    with pytest.raises(Expired):
        late.get(timeout=5)
    assert work.done == [1]


def test_the_wait_follows_from_the_lines_and_the_time_a_decode_takes(decoders, work):
    work.gate.set()
    for _ in range(60):
        decoders.run(A, time.sleep, 0.01)
    assert decoders.wait(A) == 0
    work.gate.clear()
    jobs = start(decoders, work, *((A, i) for i in range(9)), (B, 9))
    # One is being decoded; of the others 8 wait in line a and 1 in line b.
    each = decoders.wait(B) / 3  # two of a and the one of b go first
    assert 0.008 < each < 0.1
    assert decoders.wait(A) == pytest.approx(9 * each)
    assert decoders.wait(C) == pytest.approx(2 * each)
    work.gate.set()
    gevent.joinall(jobs, timeout=5, raise_error=True)


def test_where_the_models_are_what_all_wait_for_half_the_threads_decode(work):
    one, hungry, has_full_batch = DecodePool(4), Model(), Model(has_full_batch=True)
    jobs = start(one, work, *((has_full_batch, i) for i in range(9)))
    assert work.begun == 2
    work.gate.set()
    gevent.joinall(jobs, timeout=5, raise_error=True)
    work.gate.clear()
    jobs = start(
        one, work, *((line, i) for i in range(9) for line in (hungry, has_full_batch))
    )
    assert work.begun == 9 + 4, "for one of the models it does win something"
    work.gate.set()
    gevent.joinall(jobs, timeout=5, raise_error=True)
    one.close()


def test_idle_decoders_do_nothing(decoders, work):
    work.gate.set()
    decoders.run(A, work, 1)
    assert idling.turns() <= 5
