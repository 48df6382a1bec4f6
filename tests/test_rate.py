"""How long batches take, as it is learned."""

import pytest

from facenality.scheduling.admission import LatencyEstimator

WARM = {1: 0.05, 2: 0.06, 4: 0.08, 8: 0.1}


def test_nothing_is_known_before_the_first_batch():
    assert LatencyEstimator({}).seconds(16) is None


@pytest.mark.parametrize(
    ("size", "seconds"), [(1, 0.05), (2, 0.06), (3, 0.08), (8, 0.1), (32, 0.2)]
)
def test_warming_up_tells_what_a_batch_takes(size, seconds):
    """Padded to the next size that was warmed; beyond it halfway to in proportion."""
    assert LatencyEstimator(WARM).seconds(size) == pytest.approx(seconds)


def test_lone_requests_do_not_make_full_batches_look_slow():
    rate = LatencyEstimator(WARM)
    for _ in range(100):
        rate.learn(1, 0.05)
    assert rate.seconds(8) == pytest.approx(0.1)


def test_turns_of_the_hub_do_not_make_a_quick_model_look_slow():
    rate = LatencyEstimator({1: 0.00003, 64: 0.002})
    for _ in range(9):
        rate.learn(1, 0.25)  # other work had the cores meanwhile
    assert rate.seconds(64) == pytest.approx(0.25)  # as long for every size


def test_a_model_that_became_slower_is_known_to_be_after_a_few_batches():
    rate = LatencyEstimator(WARM)
    for _ in range(9):
        rate.learn(1, 0.05)
    for _ in range(5):
        rate.learn(4, 0.24)
    assert rate.seconds(8) == pytest.approx(0.3)


def test_one_batch_that_stalled_changes_nothing():
    rate = LatencyEstimator(WARM)
    for seconds in (0.1, 0.1, 20.0, 0.1):
        rate.learn(8, seconds)
    assert rate.seconds(8) == pytest.approx(0.1)


def test_without_warming_up_the_largest_batch_that_ran_is_scaled_up():
    rate = LatencyEstimator({})
    rate.learn(1, 0.05)
    assert rate.seconds(4) == pytest.approx(0.1)
    rate.learn(4, 0.06)
    assert rate.seconds(4) == pytest.approx(0.06)
    assert rate.seconds(16) == pytest.approx(0.12)


def test_a_first_batch_that_was_slow_is_forgotten():
    rate = LatencyEstimator({})
    rate.learn(4, 5.0)
    for _ in range(9):
        rate.learn(4, 0.1)
    assert rate.seconds(4) == pytest.approx(0.1)


def test_a_batch_that_took_no_time_is_no_division_by_zero():
    rate = LatencyEstimator({})
    rate.learn(1, 0.0)
    rate.learn(1, 0.0)
    assert rate.seconds(1) == 0.0


def test_a_quick_model_that_has_become_slow_is_known_to_take_that_long():
    rate = LatencyEstimator({1: 0.001})
    rate.learn(1, 0.3)
    assert rate.seconds(1) == pytest.approx(0.3)
