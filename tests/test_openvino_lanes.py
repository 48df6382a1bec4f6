"""Several batches at once in one model: the same answers, and nobody waits in vain."""

import os
import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

import gevent
import numpy as np
import pytest

import made
from facenality.engines.openvino.engine import OpenVINOEngine
from facenality.engines.openvino.infer_requests import (
    LatencyRequest,
    RequestPool,
    ThroughputRequest,
    streams,
)
from facenality.engines.thread_priority import NICER
from facenality.registry.model_version import ModelVersion
from facenality.registry.repository import scan
from facenality.settings import Settings
from test_openvino_engine import converted, named_batch, two_by_two

pytestmark = pytest.mark.full

LANES = 3  # two streams, and one batch that waits ready-made


@pytest.fixture(scope="module")
def engine(network, tmp_path_factory):
    """For two threads, and so in two streams."""
    one = converted(network, tmp_path_factory.mktemp("network"))
    assert one.max_concurrency == LANES
    return one


def together(engine, noise) -> list[tuple[int, np.ndarray]]:
    """What batches of every size answer that are asked for in LANES threads."""
    sizes = [1 + i % len(noise) for i in range(90)]
    with ThreadPoolExecutor(LANES) as threads:
        answers = list(threads.map(lambda size: engine.predict(noise[:size]), sizes))
    return list(zip(sizes, answers, strict=True))


def test_answers_do_not_depend_on_what_is_computed_beside(engine, noise):
    alone = np.concatenate([engine.predict(one[None]) for one in noise])
    assert np.ptp(alone, axis=0).max() > 0.03, "the answers must differ"
    before = together(engine, noise)
    engine.prepare(8)  # larger ones are not warm, and answered as well
    for size, answer in before + together(engine, noise):
        assert answer.shape == (size, 6)
        assert np.abs(answer - alone[:size]).max() <= 1e-5


def test_several_inputs_are_warmed_and_told_apart(tmp_path):
    engine = converted(two_by_two(), tmp_path)
    alone = engine.predict(named_batch())
    engine.prepare(16)
    with ThreadPoolExecutor(LANES) as threads:
        for answer in threads.map(engine.predict, [named_batch()] * 30):
            for name, part in answer.items():
                assert np.abs(part - alone[name]).max() <= 1e-5


def test_a_batch_alone_has_all_threads_and_another_one_a_stream():
    requests = RequestPool(LatencyRequest(None))
    requests.add([ThroughputRequest(None) for _ in range(LANES)])
    first, second, third = (requests.take() for _ in range(LANES))
    assert isinstance(first, LatencyRequest)
    assert isinstance(second, ThroughputRequest)
    assert isinstance(third, ThroughputRequest)
    requests.give_back(first)
    fourth = requests.take()
    assert isinstance(fourth, ThroughputRequest), "others are being computed"
    for one in (second, third, fourth):
        requests.give_back(one)
    assert requests.take() is first


def nice(thread: Path) -> int:
    """Source: proc(5), /proc/pid/stat, field 19."""
    return int((thread / "stat").read_text().rpartition(")")[2].split()[16])


def test_the_threads_of_the_streams_give_way_to_the_hub(network, tmp_path):
    one, tasks = converted(network, tmp_path), Path("/proc/self/task")
    one.prepare(2)
    # OpenVINO lets models have the threads of others that are no more: no new ones.
    nicenesses = [nice(task) for task in tasks.iterdir()]
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    assert nicenesses.count(min(19, ours + NICER)) >= one.max_concurrency - 1
    assert nice(tasks / str(threading.get_native_id())) == ours


def test_until_there_are_streams_batches_take_turns():
    requests = RequestPool(LatencyRequest(None))
    first = requests.take()
    with ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(requests.take) for _ in range(2)]
        with pytest.raises(TimeoutError):
            waiting[0].result(timeout=0.1)
        requests.give_back(first)
        done, _ = wait(waiting, timeout=5, return_when=FIRST_COMPLETED)
        assert [one.result() for one in done] == [first], "one, and not both"
        requests.give_back(first)
        assert [one.result(timeout=5) for one in waiting] == [first, first]


@pytest.mark.parametrize(
    ("threads", "count"), [(0, 1), (1, 1), (2, 2), (4, 4), (64, 4)]
)
def test_streams_are_no_more_than_threads_and_bounded(threads, count):
    assert streams(threads) == count


@pytest.fixture
def settings(tmp_path) -> Settings:
    """A model that OpenVINO is to serve, with two threads."""
    made.colours(tmp_path / "models" / "colours")
    knobs = {"engine": "openvino", "model_threads": 2, "cache_dir": tmp_path / "cache"}
    return Settings(models_dir=tmp_path / "models", **knobs)


@pytest.fixture(params=["in streams", "where they cannot be compiled"])
def entry(request, settings, monkeypatch):
    """That model, served."""

    def refuse(*_):
        raise RuntimeError("no more memory")

    if request.param != "in streams":
        monkeypatch.setattr(OpenVINOEngine, "prepare", refuse)
    one = ModelVersion(scan(settings.models_dir)[0])
    assert one.load(settings), one.reason
    yield one
    one.retire()
    gevent.sleep(0.05)
    assert one.model is None


def test_a_model_retired_meanwhile_keeps_no_thread(settings):
    gevent.sleep(1)  # threads of the test before this one end
    one, before = ModelVersion(scan(settings.models_dir)[0]), threading.active_count()
    assert one.load(settings), one.reason
    one.retire()
    gevent.sleep(1)
    assert one.model is None
    assert threading.active_count() == before


def test_a_busy_model_answers_each_its_own(entry, request, caplog):
    """While the streams are made, and when they are there or could not be."""
    decode, submit = entry.model.task.decode, entry.batcher.submit
    names = ["red", "lime", "blue", "teal"]
    pictures = {name: decode(made.picture(name)) for name in names}
    alone = {name: submit(pictures[name]).scores for name in names}
    jobs = []
    for _ in range(5):
        jobs += [(name, gevent.spawn(submit, pictures[name])) for name in names * 10]
        gevent.sleep(0.1)
    for name, job in jobs:
        assert np.abs(job.get(timeout=10).scores - alone[name]).max() <= 1e-5
    assert entry.batcher.slots == LANES
    refused = "colours 1: computes one batch at a time" in caplog.text
    assert refused is ("cannot" in request.node.name)
