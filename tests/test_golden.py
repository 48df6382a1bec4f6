"""The golden sample: an answer that has moved too far is refused."""

import json
from math import inf

import pytest

from facenality.errors import ModelLoadFailed
from facenality.registry import samples
from facenality.registry.repository import ModelFiles

ANSWER = [{"label": "a", "probability": 0.75}, {"label": "b", "probability": 0.25}]


def found(folder) -> ModelFiles:
    return ModelFiles("m", 1, folder / "model.keras", (folder,))


def test_no_sample_or_no_expected_is_no_golden_sample(tmp_path):
    assert samples.read(found(tmp_path)) is None
    (tmp_path / "sample.png").write_bytes(b"png")
    assert samples.read(found(tmp_path)) is None


def test_what_is_written_is_read_again(tmp_path):
    sample = tmp_path / "sample.png"
    sample.write_bytes(b"png")
    samples.write(sample, ANSWER)
    assert samples.read(found(tmp_path)) == (b"png", ANSWER)


def test_a_broken_expected_file_is_named(tmp_path):
    (tmp_path / "sample.png").write_bytes(b"png")
    (tmp_path / "expected.json").write_text("{")
    with pytest.raises(ModelLoadFailed, match="golden sample cannot be read"):
        samples.read(found(tmp_path))


def test_the_difference_is_the_largest_of_all_expected_labels():
    moved = [{"label": "a", "probability": 0.5}, {"label": "b", "probability": 0.5}]
    assert samples.check(ANSWER, moved, tolerance=0.3) == 0.25
    with pytest.raises(ModelLoadFailed, match=r"off by 0.25, tolerance 0.1"):
        samples.check(ANSWER, moved, tolerance=0.1)


def test_ranks_may_change_within_the_tolerance():
    assert samples.check(ANSWER[::-1], ANSWER, tolerance=1e-9) == 0


@pytest.mark.parametrize(
    ("answered", "expected"),
    [
        (ANSWER, [{"label": "c", "probability": 0.0}]),
        (ANSWER, []),
        ([{"values": [1.0]}], [{"values": [1.0, 2.0]}]),
    ],
)
def test_what_is_missing_is_infinitely_far(answered, expected):
    with pytest.raises(ModelLoadFailed, match=f"{inf}"):
        samples.check(answered, expected, tolerance=1.0)


def test_two_labels_of_one_name_are_told_apart():
    cranes = [
        {"label": "crane", "probability": 0.98},
        {"label": "crane", "probability": 0.01},
    ]
    assert samples.check(cranes, cranes, tolerance=1e-9) == 0


def test_several_outputs_are_compared_by_name():
    expected = [{"values": {"a": [1.0], "b": [2.0]}}]
    answered = [{"values": {"a": [1.0], "b": [2.25]}}]
    assert samples.check(answered, expected, tolerance=1) == 0.25


@pytest.mark.parametrize(
    "expected", [{"predictions": ANSWER}, [1], [{"probability": 1}], [{"label": "a"}]]
)
def test_what_is_no_list_of_predictions_says_how_to_write_it(expected):
    with pytest.raises(ModelLoadFailed, match="--write-expected"):
        samples.check(ANSWER, expected, tolerance=1)


def test_values_are_compared_place_by_place():
    expected = [{"values": [[1.0, 2.0], [3.0, 4.0]]}]
    answered = json.loads(json.dumps(expected))
    answered[0]["values"][1][0] = 3.5
    assert samples.check(answered, expected, tolerance=1) == 0.5
