"""The batcher: every job is answered exactly once, with its own row."""

import gc
import threading
import time
import weakref

import gevent
import numpy as np
import pytest
from gevent.event import Event
from hypothesis import given, settings
from hypothesis import strategies as st

import idling
from facenality.errors import (
    Expired,
    ModelFailed,
    ModelServerUnavailable,
    Overloaded,
)
from facenality.scheduling import admission as module
from facenality.scheduling.batcher import Batcher
from facenality.scheduling.executor import RemoteExecutor, ThreadExecutor
from facenality.scheduling.thread_pool import ThreadPool

POISON = -1.0


class Doubler:
    """A model that doubles its input, notes its batches, and dies of POISON."""

    def __init__(self, seconds: float = 0.0):
        self.seconds = seconds
        self.batches: list[list[float]] = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, batch):
        self.gate.wait(10)
        self.batches.append(batch[:, 0].tolist())
        time.sleep(self.seconds)
        if POISON in batch:
            raise ValueError("poisoned")
        return batch * 2


@pytest.fixture
def make():
    """Make batchers that are closed after the test."""
    made = []

    def build(predict, **knobs):
        thread = ThreadPool(knobs.get("slots", 1))
        one = Batcher(
            ThreadExecutor(predict, thread), **({"max_batch_size": 4} | knobs)
        )
        made.append((one, thread))
        return one

    yield build
    for one, thread in made:
        one.close()
        thread.kill()


def instance(value: float) -> np.ndarray:
    return np.array([value], "float32")


def test_a_lone_job_is_answered_without_waiting_for_company(make):
    model = Doubler()
    row = make(model).submit(instance(3))
    assert row.scores.tolist() == [6]
    assert row.batch_size == 1
    assert row.queue_seconds < 1
    assert model.batches == [[3.0]]


def test_jobs_that_wait_while_the_model_is_busy_share_a_batch(make):
    model = Doubler()
    one = make(model)
    model.gate.clear()
    jobs = [gevent.spawn(one.submit, instance(i)) for i in range(10)]
    gevent.sleep(0.05)
    model.gate.set()
    assert [job.get().scores.tolist() for job in jobs] == [[2 * i] for i in range(10)]
    assert [len(b) for b in model.batches] == [4, 4, 2]


def test_a_job_waits_for_company_when_asked_to_and_no_longer(make):
    model = Doubler()
    one = make(model, max_batch_wait=0.2)
    first = gevent.spawn(one.submit, instance(1))
    gevent.sleep(0.05)
    second = gevent.spawn(one.submit, instance(2))
    assert first.get(timeout=5).batch_size == second.get(timeout=5).batch_size == 2
    assert first.value.queue_seconds >= 0.19


def test_a_full_batch_ends_the_wait_for_company(make):
    one = make(Doubler(), max_batch_wait=60)
    jobs = [gevent.spawn(one.submit, instance(i)) for i in range(4)]
    assert [job.get(timeout=5).batch_size for job in jobs] == [4] * 4


def test_when_a_batch_fails_only_the_bad_one_fails(make, caplog):
    one = make(Doubler())
    values = [1.0, POISON, 2.0]
    jobs = [gevent.spawn(outcome, one, value) for value in values]
    got = [job.get(timeout=5) for job in jobs]
    assert got[0] == 2.0
    assert isinstance(got[1], ModelFailed)
    assert "log" in str(got[1])
    assert got[2] == 4.0


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (np.zeros((3, 1)), "3 rows for 1"),
        (np.zeros((0, 1)), "0 rows for 1"),
        (np.float32(1), "0 rows for 1"),
    ],
)
def test_rows_out_must_equal_rows_in(make, answer, sentence):
    with pytest.raises(ModelFailed, match=sentence):
        make(lambda _batch: answer).submit(instance(1))


def test_an_instance_of_another_shape_does_not_spoil_its_batch(make):
    model = Doubler()
    one = make(model)
    model.gate.clear()
    jobs = [gevent.spawn(one.submit, np.ones(n, "float32")) for n in (1, 1, 2)]
    gevent.sleep(0.05)
    model.gate.set()
    assert [len(job.get(timeout=5).scores) for job in jobs] == [1, 1, 2]


def test_a_job_whose_greenlet_is_killed_never_reaches_the_model(make):
    model = Doubler()
    one = make(model)
    model.gate.clear()
    gevent.spawn(one.submit, instance(1))
    gevent.sleep(0.02)
    leaving = gevent.spawn(one.submit, instance(2))
    staying = gevent.spawn(one.submit, instance(3))
    gevent.sleep(0.02)
    leaving.kill()
    model.gate.set()
    staying.get(timeout=5)
    assert model.batches == [[1.0], [3.0]]


def test_a_job_that_leaves_while_its_batch_is_tried_again_is_not_tried(make):
    model = Doubler()
    one = make(model)
    model.gate.clear()
    jobs = [gevent.spawn(outcome, one, v) for v in (POISON, 5.0)]
    gevent.sleep(0.02)
    jobs[1].kill()
    model.gate.set()
    assert isinstance(jobs[0].get(timeout=5), ModelFailed)
    gevent.sleep(0.05)
    assert model.batches[1:] == [[POISON]]


def test_a_job_is_refused_when_the_wait_would_be_too_long(make):
    model = Doubler(seconds=0.05)
    one = make(model, max_batch_size=1, max_queue_wait=0.3)
    one.submit(instance(0))  # teaches the rate: 0.05 s each
    refused = []
    done = Event()

    def client():
        try:
            with one.reserve():
                done.wait(5)
        except Overloaded as error:
            refused.append(error)

    clients = [gevent.spawn(client) for _ in range(20)]
    gevent.sleep(0.02)
    assert 10 <= len(refused) <= 16
    assert all(error.retry_after >= 1 for error in refused)
    done.set()
    gevent.joinall(clients, timeout=5)
    with one.reserve():
        pass  # everyone has left: there is room again


def test_reservations_are_bounded_before_the_rate_is_known(make):
    one = make(Doubler())
    with pytest.raises(Overloaded), one.reserve(module.MAX_JOBS + 1):
        pytest.fail("too many were let in")
    with one.reserve(module.MAX_JOBS), pytest.raises(Overloaded), one.reserve():
        pytest.fail("one too many was let in")


def test_a_model_of_large_batches_has_room_for_two_of_them(make):
    one = make(Doubler(), max_batch_size=1024)
    with one.reserve(2048), pytest.raises(Overloaded), one.reserve():
        pytest.fail("one too many was let in")


def test_the_wait_is_that_of_the_batches_ahead(make):
    """Nine jobs of which none is in the model are two full batches, and one job."""
    one = make(Doubler(), warm_seconds={4: 0.5})
    with one.reserve(9):
        assert one.wait() == pytest.approx(1.0)
    assert one.wait() == 0


def test_retry_after_is_the_time_until_there_is_room(make):
    one = make(Doubler(), max_batch_size=1, warm_seconds={1: 2.0}, max_queue_wait=5)
    with one.reserve(8), pytest.raises(Overloaded, match="in 11 s") as caught:
        one.check()
    assert caught.value.retry_after == pytest.approx(16 - 5)


def test_retry_after_counts_the_batches_until_all_of_a_request_have_room(make):
    one = make(Doubler(), max_batch_size=4, warm_seconds={4: 0.03}, max_queue_wait=60)
    with one.reserve(module.MAX_JOBS), pytest.raises(Overloaded) as caught:
        one.check(400)
    assert caught.value.retry_after == pytest.approx(3.0)


@pytest.mark.parametrize(
    "more", [{"within": 0.5}, {"decoding": 9.0}], ids=["its deadline", "decoding"]
)
def test_what_would_not_have_its_turn_in_time_is_refused(make, more):
    one = make(Doubler(), warm_seconds={4: 1.0}, max_queue_wait=5)
    with one.reserve(4):
        one.check()
        with pytest.raises(Overloaded):
            one.check(**more)


def test_a_batch_that_hangs_refuses_while_it_does_and_no_longer(make):
    model = Doubler()
    one = make(model, warm_seconds={1: 0.01, 4: 0.01}, max_queue_wait=0.2)
    model.gate.clear()
    with one.reserve():
        stuck = gevent.spawn(one.submit, instance(1))
        gevent.sleep(0.05)
        one.check()
        gevent.sleep(0.4)
        with pytest.raises(Overloaded):
            one.check()
        model.gate.set()
        stuck.get(timeout=5)
        one.check()


def test_before_the_rate_is_known_a_batch_counts_for_as_long_as_it_has_taken(make):
    model = Doubler()
    one = make(model, max_queue_wait=0.5)
    model.gate.clear()
    with one.reserve(9):
        first = gevent.spawn(one.submit, instance(1))
        gevent.sleep(0.05)
        one.check()
        gevent.sleep(0.2)  # as long again, and two batches that take as long
        with pytest.raises(Overloaded):
            one.check()
        model.gate.set()
        first.get(timeout=5)


def test_what_has_expired_never_reaches_the_model(make):
    model = Doubler()
    one = make(model)
    model.gate.clear()
    first = gevent.spawn(one.submit, instance(1))
    gevent.sleep(0.02)
    late = gevent.spawn(one.submit, instance(2), time.monotonic() + 0.02)
    last = gevent.spawn(one.submit, instance(3))
    gevent.sleep(0.05)
    model.gate.set()
    gevent.joinall([first, last], timeout=5, raise_error=True)
    with pytest.raises(Expired):
        late.get(timeout=5)
    assert model.batches == [[1.0], [3.0]]


def test_a_batch_that_expired_altogether_is_no_batch(make):
    model = Doubler()
    with pytest.raises(Expired):
        make(model).submit(instance(1), time.monotonic() - 1)
    gevent.sleep(0.02)
    assert model.batches == []


def test_an_idle_batcher_does_nothing(make):
    make(Doubler()).submit(instance(1))
    assert idling.turns() <= 5


def outcome(one: Batcher, value: float):
    try:
        return float(one.submit(instance(value)).scores[0])
    except (ModelFailed, ModelServerUnavailable) as error:
        return error


class Elsewhere:
    """A model elsewhere that takes its time, and notes what is asked and let go."""

    def __init__(self, seconds: float):
        self.seconds = seconds
        self.at_once = self.most = self.let_go = 0

    def __call__(self, batch, deadline):
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            gevent.sleep(self.seconds)
        except gevent.GreenletExit:
            self.let_go += 1
            raise
        finally:
            self.at_once -= 1
        return batch * 2


@pytest.fixture
def beside():
    """Make batchers of a model elsewhere, one instance a call."""
    made = []

    def build(ask, slots, **knobs):
        knobs = {"max_batch_size": 1} | knobs
        one = Batcher(RemoteExecutor(ask), slots=slots, **knobs)
        made.append(one)
        return one

    yield build
    for one in made:
        one.close()


def test_a_model_elsewhere_is_asked_as_often_at_once_as_there_are_slots(beside):
    model = Elsewhere(0.02)
    one = beside(model, slots=3)
    jobs = [gevent.spawn(one.submit, instance(i)) for i in range(10)]
    gevent.joinall(jobs, raise_error=True)
    assert [job.value.scores[0] for job in jobs] == [2.0 * i for i in range(10)]
    assert model.most == 3
    assert {job.value.batch_size for job in jobs} == {1}


def test_a_call_that_was_answered_keeps_no_tensor(beside):
    """Not even until the garbage is collected: of pictures that would be hundreds."""
    one, given = beside(Elsewhere(0), slots=2), instance(3)
    kept = weakref.ref(given)
    gc.disable()
    try:
        gevent.spawn(one.submit, given).join()
        del given
        gevent.spawn(one.submit, instance(4)).join()  # the latest may be at hand still
        assert kept() is None
    finally:
        gc.enable()


def test_a_call_that_nobody_waits_for_is_let_go_and_its_lane_is_free(beside):
    model = Elsewhere(0.5)
    one = beside(model, slots=2)
    jobs = [gevent.spawn(one.submit, instance(i)) for i in range(2)]
    gevent.sleep(0.01)
    gevent.killall(jobs)
    gevent.sleep(0.01)
    assert (model.let_go, model.at_once) == (2, 0)
    model.seconds = 0.0
    assert one.submit(instance(4.0)).scores[0] == 8.0


def test_a_shared_call_goes_on_while_anyone_waits_for_it(beside):
    model = Elsewhere(0.05)
    one = beside(model, slots=2, max_batch_size=2)
    leaving, staying = (gevent.spawn(one.submit, instance(i)) for i in (1.0, 2.0))
    gevent.sleep(0.01)
    leaving.kill()
    assert staying.get().scores[0] == 4.0
    assert model.let_go == 0


def test_a_job_killed_before_its_call_begins_leaves_its_lane_free(beside):
    model = Elsewhere(0.0)
    one = beside(model, slots=2)
    for _ in range(10):
        job = gevent.spawn(one.submit, instance(1.0))
        gevent.sleep(0)
        gevent.sleep(0)
        job.kill()
    assert one.submit(instance(4.0)).scores[0] == 8.0


def test_an_error_that_is_not_of_the_input_is_everybodys_answer(beside):
    asked = []

    def away(batch, deadline):
        asked.append(len(batch))
        raise ModelServerUnavailable("It is away.")

    one = beside(away, slots=2, max_batch_size=4)
    jobs = [gevent.spawn(outcome, one, float(i)) for i in range(4)]
    gevent.joinall(jobs)
    assert all(isinstance(job.value, ModelServerUnavailable) for job in jobs)
    assert asked == [4]


def test_the_deadline_of_a_call_is_the_latest_of_its_jobs(beside):
    seen = []

    def note(batch, deadline):
        seen.append(deadline)
        return batch

    one = beside(note, slots=2, max_batch_size=2)
    now = time.monotonic()
    jobs = [gevent.spawn(one.submit, instance(1.0), now + s) for s in (5, 9)]
    gevent.joinall(jobs, raise_error=True)
    assert seen == [now + 9]


def test_many_slots_take_in_as_much_more_within_the_same_wait(beside):
    one = beside(Elsewhere(0), slots=4, warm_seconds={1: 1.0}, max_queue_wait=2.0)
    with one.reserve(8):
        one.check()  # 8 ahead, 4 a second: its turn comes in time
    with one.reserve(12), pytest.raises(Overloaded):
        one.check()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["fine", "fine", "fine", "poison", "cancel"]),
        st.integers(0, 3),  # ms before the next one
    ),
    min_size=1,
    max_size=24,
)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, size=st.integers(1, 5), wait_ms=st.sampled_from([0, 0, 2]))
def test_every_job_is_answered_once_with_its_own_row(steps, size, wait_ms):
    """Whatever the interleaving, the failures and the cancellations."""
    thread, model = ThreadPool(1), Doubler(seconds=0.001)
    one = Batcher(
        ThreadExecutor(model, thread),
        max_batch_size=size,
        max_batch_wait=wait_ms / 1000,
    )
    jobs = []
    for i, (kind, pause) in enumerate(steps):
        value = POISON if kind == "poison" else float(i + 1)
        job = gevent.spawn(outcome, one, value)
        jobs.append((kind, value, job))
        if kind == "cancel":
            gevent.spawn_later(pause / 1000, job.kill, block=False)
        if pause:
            gevent.sleep(pause / 1000)
    gevent.joinall([job for *_, job in jobs], timeout=10, raise_error=True)
    for kind, value, job in jobs:
        assert job.ready()
        if kind == "poison":
            assert isinstance(job.value, ModelFailed)
        elif kind == "fine":
            assert job.value == 2 * value
        else:
            assert job.value == 2 * value or isinstance(job.value, gevent.GreenletExit)
    assert len(one._queue) == 0
    assert all(len(batch) <= size for batch in model.batches)
    alone = [b for b in model.batches if POISON not in b]
    answered = [v for batch in alone for v in batch]
    assert len(answered) == len(set(answered)), "an instance was predicted twice"
    one.close()
    thread.kill()


def test_background_jobs_wait_for_predictions_and_are_answered(make):
    """Here nothing is left of a batch; what waits in the background comes last."""
    model = Doubler()
    one = make(model)
    model.gate.clear()
    first = gevent.spawn(one.submit, instance(1))
    gevent.sleep(0.02)
    background = gevent.spawn(one.run_in_background, [instance(7), instance(8)])
    gevent.sleep(0.02)
    jobs = [gevent.spawn(one.submit, instance(i)) for i in range(2, 6)]
    gevent.sleep(0.02)
    model.gate.set()
    gevent.joinall([first, *jobs], timeout=5, raise_error=True)
    assert [row.tolist() for row in background.get(timeout=5)] == [[14], [16]]
    assert model.batches == [[1.0], [2.0, 3.0, 4.0, 5.0], [7.0, 8.0]]


def test_background_jobs_fill_what_a_batch_is_padded_to(make):
    """Three are padded to four; a batch of two has no room that costs nothing."""
    model = Doubler()
    one = make(model)
    model.gate.clear()
    first = gevent.spawn(one.submit, instance(1))
    gevent.sleep(0.02)
    background = gevent.spawn(one.run_in_background, [instance(i) for i in (7, 8)])
    gevent.sleep(0.02)
    jobs = [gevent.spawn(one.submit, instance(i)) for i in (2, 3, 4)]
    gevent.sleep(0.02)
    model.gate.set()
    gevent.joinall([first, *jobs, background], timeout=5, raise_error=True)
    assert model.batches == [[1.0], [2.0, 3.0, 4.0, 7.0], [8.0]]


def test_background_jobs_never_make_a_prediction_be_refused(make):
    model = Doubler()
    one = make(model, max_queue_wait=0.5, warm_seconds={1: 0.2, 4: 0.2})
    model.gate.clear()
    background = gevent.spawn(one.run_in_background, [instance(i) for i in range(40)])
    gevent.sleep(0.02)
    with one.reserve():
        assert one.wait() < 0.5, "ten batches of background jobs are not counted"
    model.gate.set()
    background.get(timeout=5)


def test_background_jobs_that_fail_or_leave_leave_nothing_behind(make, caplog):
    model = Doubler()
    one = make(model)
    with pytest.raises(ModelFailed, match="log"):
        one.run_in_background([instance(POISON)])
    model.gate.clear()
    first = gevent.spawn(one.submit, instance(1))
    gevent.sleep(0.02)
    leaving = gevent.spawn(one.run_in_background, [instance(7)])
    gevent.sleep(0.02)
    leaving.kill()
    model.gate.set()
    first.get(timeout=5)
    assert one.submit(instance(2)).scores.tolist() == [4]
    assert model.batches == [[POISON], [1.0], [2.0]]


def test_background_jobs_that_find_no_room_are_refused_in_time(make):
    model = Doubler()
    one = make(model, max_queue_wait=0.1)
    model.gate.clear()
    first = gevent.spawn(one.submit, instance(1))
    gevent.sleep(0.02)
    with pytest.raises(Overloaded):
        one.run_in_background([instance(7)])
    model.gate.set()
    first.get(timeout=5)


def test_a_job_that_waited_too_long_is_refused_whatever_admission_expected(make):
    """A model that was never warmed admits all that come before its first batch."""
    model = Doubler()
    one = make(model, max_queue_wait=0.1)
    model.gate.clear()
    first = gevent.spawn(one.submit, instance(1))
    gevent.sleep(0.02)
    started = time.monotonic()
    with pytest.raises(Overloaded) as caught:
        one.submit(instance(2))
    assert 0.1 <= time.monotonic() - started < 2
    assert caught.value.retry_after >= 1
    model.gate.set()
    assert first.get(timeout=5).scores.tolist() == [2], "the running batch goes on"
    assert one.submit(instance(3)).scores.tolist() == [6]
    assert model.batches == [[1.0], [3.0]]


def test_a_request_that_the_model_has_begun_with_is_finished(make):
    """Its many jobs wait for each other; it was admitted as a whole."""
    model = Doubler(seconds=0.06)
    one = make(model, max_batch_size=1, max_queue_wait=0.1)
    with one.reserve(5) as reservation:
        jobs = [
            gevent.spawn(one.submit, instance(i), reservation=reservation)
            for i in range(5)
        ]
        gevent.joinall(jobs, timeout=5, raise_error=True)
    assert [job.value.scores.tolist() for job in jobs] == [[2 * i] for i in range(5)]


def test_an_observer_that_fails_takes_nothing_with_it(make, caplog):
    def fails(_size, _seconds):
        raise RuntimeError("no more disk")

    one = make(Doubler(), observe=fails)
    assert one.submit(instance(1)).scores.tolist() == [2]
    assert one.submit(instance(2)).scores.tolist() == [4]
    assert "no more disk" in caplog.text
