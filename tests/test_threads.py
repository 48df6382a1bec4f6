"""Native threads beside the hub: what is called, what comes back, and what does not."""

import threading
import time

import gevent
import pytest

from facenality.scheduling.thread_pool import ThreadPool


@pytest.fixture
def threads():
    made = []

    def build(size):
        made.append(ThreadPool(size))
        return made[-1]

    yield build
    for one in made:
        one.kill()


def test_a_call_is_made_in_another_thread_and_its_value_comes_back(threads):
    one = threads(1)
    assert one.run(pow, 2, 5, mod=7) == 4
    assert one.run(threading.get_ident) != threading.get_ident()


def test_as_many_threads_as_there_is_work_for_and_no_more(threads):
    one = threads(2)
    together = threading.Barrier(2)
    jobs = [gevent.spawn(one.run, together.wait, 5) for _ in range(4)]
    gevent.joinall(jobs, raise_error=True)
    idents = {one.run(threading.get_ident) for _ in range(4)}
    assert 1 <= len(idents) <= 2


def test_more_threads_can_be_had_later(threads):
    one = threads(1)
    one.run(abs, -1)
    one.grow(3)
    together = threading.Barrier(3)
    jobs = [gevent.spawn(one.run, together.wait, 5) for _ in range(3)]
    gevent.joinall(jobs, timeout=10, raise_error=True)


def test_the_hub_goes_on_meanwhile(threads):
    one, ticks = threads(1), []
    job = gevent.spawn(one.run, time.sleep, 0.1)
    while not job.ready():
        ticks.append(None)
        gevent.sleep(0.005)
    assert len(ticks) > 5


def test_an_exception_is_raised_where_it_was_called_for(threads):
    with pytest.raises(ZeroDivisionError):
        threads(1).run(divmod, 1, 0)


def test_an_exit_ends_its_call_and_nothing_else(threads):
    one = threads(1)
    with pytest.raises(RuntimeError, match="SystemExit"):
        one.run(exit, 3)
    assert one.run(abs, -1) == 1


def test_a_call_that_nobody_waits_for_any_more_is_not_begun(threads):
    one, called = threads(1), []
    busy = gevent.spawn(one.run, time.sleep, 0.05)
    gevent.sleep(0.01)
    waiting = gevent.spawn(one.run, called.append, 1)
    gevent.sleep(0.01)
    waiting.kill()
    busy.join()
    assert one.run(len, called) == 0


def test_a_thread_goes_on_with_the_next_call_while_the_hub_stands_still(threads):
    one, times = threads(1), []

    def note():
        time.sleep(0.01)
        times.append(time.monotonic())

    jobs = [gevent.spawn(one.run, note) for _ in range(3)]
    gevent.sleep(0)  # all are handed over
    time.sleep(0.1)  # the hub sees nothing of it
    stood_until = time.monotonic()
    gevent.joinall(jobs, raise_error=True)
    assert max(times) < stood_until


def test_threads_that_were_ended_are_gone(threads):
    before = set(threading.enumerate())
    one = threads(2)
    gevent.joinall([gevent.spawn(one.run, time.sleep, 0.01) for _ in range(2)])
    ours = set(threading.enumerate()) - before
    assert len(ours) == 2
    one.kill()
    for thread in ours:
        thread.join(5)
        assert not thread.is_alive()


@pytest.mark.parametrize("started", [0, 1])
def test_a_thread_that_the_system_refuses_leaves_no_job_hanging(
    threads, started, monkeypatch
):
    """With none at all the call fails at once; with fewer, those do the work."""
    one, gate = threads(2), threading.Event()
    busy = [gevent.spawn(one.run, gate.wait, 5) for _ in range(started)]
    gevent.sleep(0.02)
    with monkeypatch.context() as patch:

        def refuse(_thread):
            raise RuntimeError("can't start new thread")

        patch.setattr(threading.Thread, "start", refuse)
        job = gevent.spawn(one.run, abs, -3)
        gevent.sleep(0.02)
    gate.set()
    if started:
        assert job.get(timeout=5) == 3
    else:
        with pytest.raises(RuntimeError, match="new thread"):
            job.get(timeout=5)
    gevent.joinall(busy, timeout=5)
    assert one.run(abs, -4) == 4
