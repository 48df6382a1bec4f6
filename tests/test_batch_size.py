"""How many instances share a call: as many as it pays."""

import time
from collections import Counter

import numpy as np
import pytest

from facenality.registry import loader, repository
from facenality.registry.warmup import TIMED, best, pays_no_more, warm_up
from facenality.settings import Settings


@pytest.mark.parametrize(
    ("milliseconds", "size"),
    [
        ({1: 10}, 1),
        ({1: 10, 2: 11, 4: 13, 8: 17, 16: 25}, 16),  # calls cost, instances hardly
        ({1: 20, 2: 41, 4: 85, 8: 170}, 4),  # no call costs anything
        ({1: 1, 2: 2, 4: 4, 8: 8, 16: 16}, 8),  # but for what is around each
        ({1: 10, 2: 19}, 2),
        ({1: 4, 2: 6, 4: 10, 8: 24}, 4),  # beyond four it leaves the caches
        ({1: 4, 2: 6, 4: 10, 8: 20.1}, 4),  # two in a hundred are no difference
        ({1: 4, 2: 6, 4: 10, 8: 18}, 8),
    ],
)
def test_the_smallest_batch_that_is_about_as_good_as_any(milliseconds, size):
    seconds = {n: ms / 1000 for n, ms in milliseconds.items()}
    assert best(seconds, "openvino") == size


@pytest.mark.parametrize(
    ("milliseconds", "enough"),
    [
        ({1: 10}, False),
        ({1: 10, 2: 40, 4: 90}, False),
        ({1: 10, 2: 12, 4: 15, 8: 20}, False),
        ({1: 10, 2: 12, 4: 15, 8: 30}, True),
    ],
)
def test_larger_sizes_are_tried_while_they_pay(milliseconds, enough):
    seconds = {n: ms / 1000 for n, ms in milliseconds.items()}
    assert pays_no_more(seconds, "python") is enough


def test_a_larger_batch_has_to_pay_more_where_its_memory_is_kept():
    seconds = {1: 0.010, 2: 0.016, 4: 0.028, 8: 0.052, 16: 0.104}
    assert best(seconds, "openvino") == 8
    assert best(seconds, "tensorflow") == 4
    assert pays_no_more({n: seconds[n] for n in (1, 2, 4, 8)}, "tensorflow")


SLOWER_TOGETHER = """
import time

def load(folder):
    return None

def predict(model, instances):
    count = len(instances)
    time.sleep(0.016 + (0.004 if count <= 4 else 0.03) * count)
    return instances.reshape(count, -1)[:, :1]
"""


def test_a_model_is_warmed_as_far_as_it_pays(tmp_path):
    (tmp_path / "slow").mkdir()
    (tmp_path / "slow" / "model.py").write_text(SLOWER_TOGETHER)
    (tmp_path / "slow" / "model.toml").write_text('task = "tensor"')
    (tmp_path / "slow" / "sample.json").write_text("[1.0, 2.0]")
    (found,) = repository.scan(tmp_path)
    model = loader.load(found, Settings(models_dir=tmp_path), lambda _: None)
    assert list(model.batch_seconds) == [1, 2, 4, 8]
    assert model.batch_size == 4


class AtFirstBusy:
    """Batches of four take three times as long until they are timed once more."""

    name, batch_sizes = "tensorflow", (1, 2, 4, 8, 16)

    def __init__(self):
        self.calls = Counter()

    def predict(self, batch):
        self.calls[len(batch)] += 1
        busy = 3 if len(batch) == 4 and self.calls[4] <= 1 + TIMED else 1
        time.sleep(busy * 0.012 * len(batch))
        return batch


def test_a_size_that_pays_only_since_the_machine_was_busier_before_is_not_taken():
    seconds = warm_up(AtFirstBusy(), np.zeros(1), lambda _: None)
    assert list(seconds) == [1, 2, 4, 8]
    assert best(seconds, "tensorflow") == 4
