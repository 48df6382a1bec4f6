"""`app.py bench`: one model on every engine here, and what to set."""

import os
import shutil
import subprocess
import sys

import pytest

import made
from facenality.commands.bench import Way, advice
from facenality.commands.bench_worker import Measured
from serving import ROOT

pytestmark = pytest.mark.long


def run(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "app.py", "bench", *map(str, words)],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )


def test_a_model_is_measured_in_every_batch_size(colours, tmp_path):
    folder = tmp_path / "models"
    shutil.copytree(colours, folder)
    (folder / "colours" / "sample.png").write_bytes(made.picture("blue"))
    done = run("--models-dir", folder, "--max-batch-size", 4, "--engine", "tensorflow")
    assert done.returncode == 0, done.stderr
    assert "tensorflow, float32" in done.stdout
    assert "1: " in done.stdout
    assert "4: " in done.stdout
    assert "8: " not in done.stdout
    assert "fastest in float32: --engine " in done.stdout
    assert "decodes the sample in" in done.stdout


def test_a_model_that_cannot_be_loaded_says_why(tmp_path):
    (tmp_path / "broken.keras").write_bytes(b"no model")
    done = run("--models-dir", tmp_path, "--engine", "tensorflow")
    assert done.returncode == 1
    assert "was not measured" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("words", [(), ("--model", "tensors")])
def test_which_model_must_be_clear(several, words):
    done = run("--models-dir", several, *words)
    assert done.returncode == 2
    assert "colours, sums, traits" in done.stderr


def test_a_model_py_is_its_own_engine(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "model.py").write_text(
        "def load(folder): return 2\n"
        "def predict(model, instances): return instances * model\n"
    )
    (folder / "model.toml").write_text('task = "tensor"\n')
    (folder / "sample.json").write_text("[1, 2]")
    done = run("--models-dir", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "python, float32" in done.stdout


def measured(precision: str, batch_seconds: dict[int, float]) -> Measured:
    return Measured("openvino", precision, batch_seconds, 0.004, 1.0, 0.0)


def test_advice_is_the_batch_that_serving_would_settle_on():
    plain, slow = Way("openvino", "float32", 2), Way("tensorflow", "float32", 1)
    rounded = Way("openvino", "bfloat16", 2)
    lines = advice(
        {
            plain: measured("float32", {1: 0.020, 4: 0.041, 8: 0.090}),
            slow: measured("float32", {1: 0.030, 4: 0.100}),
            rounded: measured("bfloat16", {1: 0.010, 4: 0.020, 8: 0.025}),
        }
    )
    assert lines[0].startswith("fastest in float32: --engine openvino")
    assert lines[0].endswith("--max-batch-size 4")
    assert lines[1].endswith("--max-batch-size 8")
    assert lines[2].startswith("bfloat16 is 3.3 times as fast")
    assert lines[3] == "one core decodes the sample in 4.0 ms"
