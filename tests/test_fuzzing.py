"""Row R6 in short; `make fuzz` runs a million. What was found is a test beside it."""

import json
import subprocess
import sys

import pytest

import fuzzing
from facenality.errors import ModelLoadFailed
from facenality.registry import card
from facenality.registry.infer_config import complete
from serving import ROOT

pytestmark = pytest.mark.long


@pytest.mark.parametrize(
    ("kind", "count"), [("pictures", 4000), ("bodies", 4000), ("cards", 1000)]
)
def test_broken_input_is_read_or_refused_and_nothing_else(kind, count):
    """In a process of its own, since a crash is what it looks for."""
    done = subprocess.run(
        [sys.executable, "tests/fuzzing.py", kind, "0", str(count)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    assert "FINDING" not in counts, done.stderr
    assert sum(counts.values()) == count
    assert counts["read"] > count / 100, "all refused: it tries nothing"


def test_over_http_too(server):
    counts = fuzzing.asked(server, 400)
    assert "FINDING" not in counts
    assert counts["200"] > 0 < counts["422"]


FOUND = {
    "a number of 5000 digits": "max_batch_size = " + "9" * 5000,
    "lists in lists": "labels = " + "[" * 3000,
    "labels that are a folder": 'task = "image-classification"\nlabels = "."',
    "labels that no file can be called": (
        'task = "image-classification"\nlabels = "\\u0000"'
    ),
}


@pytest.mark.parametrize("what", FOUND)
def test_a_card_that_fuzzing_found_is_refused_with_a_sentence(tmp_path, what):
    file = tmp_path / "model.toml"
    file.write_text(FOUND[what])
    with pytest.raises(ModelLoadFailed, match="not TOML|cannot be read") as caught:
        complete(card.read(file), fuzzing.FACTS, tmp_path)
    assert str(tmp_path) not in str(caught.value)
