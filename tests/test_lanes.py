"""How many batches are in a model at once, and how large each may be."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from facenality.engines.openvino.engine import OpenVINOEngine
from facenality.engines.padding import allowed_batch_sizes
from facenality.engines.tensorflow.engine import TensorFlowEngine
from facenality.engines.thread_priority import NICER
from facenality.registry.model_version import lanes_and_size
from serving import ROOT
from test_openvino_lanes import together
from test_tensorflow_engine import engine

__all__ = ["engine"]  # a fixture


class Called:
    """An engine as far as lanes are concerned."""

    precision = facts = agreement = None
    batch_sizes = allowed_batch_sizes(16)

    def __init__(self, name: str, **parallel: int):
        self.name = name
        vars(self).update(parallel)

    def predict(self, batch):
        raise AssertionError("nobody asks")


@pytest.mark.parametrize(
    ("kind", "streams", "pays", "lanes", "size"),
    [
        (OpenVINOEngine, 1, 4, 2, 4),
        (OpenVINOEngine, 2, 4, 3, 2),
        (OpenVINOEngine, 4, 16, 5, 4),
        (OpenVINOEngine, 4, 2, 5, 1),
        (TensorFlowEngine, 1, 8, 2, 8),
        (TensorFlowEngine, 2, 4, 3, 4),
        (TensorFlowEngine, 2, 16, 3, 8),
        (TensorFlowEngine, 2, 1, 3, 1),
    ],
)
def test_one_batch_more_than_are_computed_shares_what_paid_as_one(
    kind, streams, pays, lanes, size
):
    one = Called(kind.name, streams=streams, least=kind.least)
    model = SimpleNamespace(engine=one, batch_size=pays)
    assert lanes_and_size(model) == (lanes, size)


def test_a_model_of_another_library_is_called_by_one_thread():
    model = SimpleNamespace(engine=Called("python"), batch_size=8)
    assert lanes_and_size(model) == (1, 8)


@pytest.mark.parametrize(("threads", "streams"), [(0, 1), (1, 1), (2, 2), (16, 2)])
def test_tensorflow_computes_two_calls_at_once_where_it_has_threads(threads, streams):
    code = (
        "from facenality.engines.tensorflow import runtime as one\n"
        f"one.set_up('float32', {threads})\n"
        "print(one.streams())"
    )
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) == streams


def test_the_threads_of_tensorflow_give_way_to_the_hub():
    code = (
        "import os, pathlib, tensorflow\n"
        "from facenality.engines.tensorflow import runtime as one\n"
        "one.set_up('float32', 2)\n"
        "tensorflow.reduce_sum(tensorflow.ones((512, 512)))\n"
        "nice = [int(task.read_text().rpartition(')')[2].split()[16])\n"
        "        for task in pathlib.Path('/proc/self/task').glob('*/stat')]\n"
        "print(os.getpriority(os.PRIO_PROCESS, 0), *nice)"
    )
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    ours, *all_ = map(int, done.stdout.split())
    assert all_.count(min(19, ours + NICER)) >= 2
    assert ours in all_


def test_answers_of_tensorflow_do_not_depend_on_what_is_computed_beside(engine, noise):
    alone = np.concatenate([engine.predict(one[None]) for one in noise])
    for size, answer in together(engine, noise):
        assert answer.shape == (size, 6)
        assert np.abs(answer - alone[:size]).max() <= 1e-5
