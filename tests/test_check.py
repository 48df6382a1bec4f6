"""`app.py check`: loads, warms and verifies every model, and says what it found."""

import json
import shutil
import subprocess
import sys

import pytest

from facenality.commands.check import check
from facenality.settings import Settings
from made import picture
from serving import ROOT


@pytest.mark.full
def test_the_table_tells_task_input_engine_agreement_and_times(several):
    done = subprocess.run(
        [sys.executable, "app.py", "check", "--models-dir", several],
        cwd=ROOT,
        env={"COLUMNS": "200", "PATH": "", "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    for word in ("image-classification", "24x24x3", "tensorflow", "golden", "16: "):
        assert word in done.stdout
    assert "broken 1 is not served" in done.stdout
    assert "inferred task tensor" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_one_bad_model_does_not_end_the_check(tmp_path, monkeypatch, capsys):
    """Nor do brackets in its reason, which the table would take for markup."""

    def fails(*_, **__):
        raise ZeroDivisionError("in [image] [/x]")

    (tmp_path / "m.keras").write_bytes(b"")
    monkeypatch.setattr("facenality.commands.check.load", fails)
    monkeypatch.setenv("COLUMNS", "200")
    assert check(Settings(models_dir=tmp_path)) == 1
    assert "ZeroDivisionError('in [image] [/x]')" in capsys.readouterr().out


def test_write_expected_makes_a_golden_sample_that_is_verified(
    colours, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "200")
    folder = tmp_path / "models"
    shutil.copytree(colours, folder)
    sample = folder / "colours" / "sample.png"
    sample.write_bytes(picture("blue"))
    knobs = Settings(models_dir=folder, max_batch_size=1)
    assert check(knobs, write_expected=True) == 0
    expected = json.loads(sample.with_name("expected.json").read_text())
    assert expected[0]["label"] == "blue"
    assert check(knobs) == 0
    assert "off by 0" in capsys.readouterr().out
    sample.write_bytes(picture("red"))
    assert check(knobs) == 1
    assert "golden sample's answer is off" in capsys.readouterr().out.replace("\n", " ")
