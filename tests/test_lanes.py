"""How many batches are in a model at once, and how large each may be."""

import subprocess
import sys

import numpy as np
import pytest

from facenality.engines.engine import share_of_batch
from facenality.engines.thread_priority import NICER
from serving import ROOT
from test_openvino_lanes import together
from test_tensorflow_engine import engine

__all__ = ["engine"]  # a fixture


@pytest.mark.parametrize(
    ("streams", "best", "least", "size"),
    [
        (1, 4, 1, 4),
        (2, 4, 1, 2),
        (4, 16, 1, 4),
        (4, 2, 1, 1),
        (1, 8, 4, 8),
        (2, 4, 4, 4),
        (2, 16, 4, 8),
        (2, 1, 4, 1),
    ],
)
def test_batches_computed_at_once_share_what_pays_as_one(streams, best, least, size):
    assert share_of_batch(best, streams, least) == size


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
