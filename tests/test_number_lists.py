"""Nested lists of numbers become arrays, and nothing else does."""

import tracemalloc

import numpy as np
import pytest

from facenality.tasks import tensor


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([], "float64"),
        ([[], []], "float64"),
        ([True, False], "bool"),
        ([1, -2], "int64"),
        ([[1, 2], [3, 4]], "int64"),
        ([True, 2], "int64"),
        ([2**63, 1], "uint64"),
        ([2**63, -1], "float64"),
        ([2**64], "float64"),
        ([1, 0.5], "float64"),
        ([True, 0.5], "float64"),
        (0.5, "float64"),
        (7, "int64"),
        (np.float32([1, 2]), "float32"),
    ],
    ids=str,
)
def test_the_type_is_what_the_numbers_need(values, dtype):
    array = tensor.array_from_json(values)
    assert array.dtype == dtype
    assert np.array_equal(array, values)


@pytest.mark.parametrize(
    "values",
    [
        ["1"],
        [1, "1"],
        [None],
        [[1, 2], [3]],
        [[1, 2], 3],
        [{}],
        {},
        "1",
        None,
        [10**400],
    ],
    ids=lambda values: str(values)[:20],
)
def test_what_is_no_array_of_numbers_is_refused(values):
    with pytest.raises((ValueError, OverflowError)):
        tensor.array_from_json(values)


def test_one_long_text_does_not_make_the_others_long():
    """NumPy made 2.2 GiB of this."""
    values = ["a" * 60_000] + [""] * 10_000
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="numbers"):
            tensor.array_from_json([values])
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
