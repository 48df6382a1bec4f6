"""What the README shows is what happens: its commands are run."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from serving import ROOT, Served

README = (ROOT / "README.md").read_text()
PROTOCOLS = (ROOT / "docs" / "protocols.md").read_text()


def steps(document: str) -> list[tuple[str, str]]:
    """Each command that the document shows, and what it answers."""
    return [
        (command.strip(), output.strip())
        for block in re.findall(r"```console\n(.*?)```", document, re.DOTALL)
        for command, output in re.findall(
            r"^\$ (.*?)\n(.*?)(?=^\$ |\Z)", block, re.M | re.S
        )
    ]


STEPS = steps(README) + steps(PROTOCOLS)


@pytest.fixture(scope="module")
def digits():
    with Served(ROOT / "models") as server:
        yield server.ready()


def ran(command: str, port: int, folder: Path) -> str:
    command = command.replace("localhost:5000", f"127.0.0.1:{port}")
    command = command.replace(".venv/bin/python", sys.executable)
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "COLUMNS": "200", "FACENALITY_ENGINE": "auto"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def comparable(text: str) -> object:
    """JSON without ids, numbers to three places; other text as its words."""
    text = re.sub(r'"id":"[0-9a-f]{32}"', '"id":"…"', text)
    text = re.sub(r"\d+\.\d+(e-\d+)?", lambda n: f"{float(n[0]):.3f}", text)
    try:
        return json.loads(text)
    except ValueError:
        return text.split()


def test_the_readme_shows_commands():
    assert len(steps(README)) >= 3
    assert len(steps(PROTOCOLS)) >= 6


@pytest.mark.parametrize(("command", "shown"), STEPS, ids=[s[0] for s in STEPS])
def test_a_command_of_the_readme_gives_what_it_shows(digits, command, shown):
    got = ran(command, digits.port, ROOT)
    if "…" in shown.replace('"…"', ""):  # an excerpt: each of its lines must be there
        for line in shown.splitlines():
            if line.strip() != "…":
                assert line.strip() in got
    else:
        assert comparable(got) == comparable(shown)


def test_make_run_serves(tmp_path):
    """The second command of the README, on a port that is free."""
    if not (ROOT / ".venv" / "bin" / "python").exists():
        pytest.skip("there is no .venv; make run would install one")
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            ["make", "run"],
            cwd=ROOT,
            env={**os.environ, "FACENALITY_PORT": "0", "MAKEFLAGS": ""},
            stderr=log,
            start_new_session=True,
        )
        try:
            wait_for(log, r"digits 1: ready")
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


def wait_for(log, pattern: str) -> None:
    import time

    for _ in range(600):
        size = os.fstat(log.fileno()).st_size
        if re.search(pattern, os.pread(log.fileno(), size, 0).decode()):
            return
        time.sleep(0.1)
    raise AssertionError(f"{pattern} not seen")


@pytest.mark.parametrize(
    ("document", "shown"),
    [(README, "0.9"), (PROTOCOLS, ":3:3"), (PROTOCOLS, "(20, 10)")],
    ids=["README", "a picture", "numbers"],
)
def test_python_of_the_documents_runs(digits, tmp_path, document, shown):
    (code,) = re.findall(r"```python\n(.*?)```", document, re.DOTALL)
    code = code.replace("localhost:5000", f"127.0.0.1:{digits.port}")
    shutil.copy(ROOT / "models/digits/sample.png", tmp_path / "picture.png")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert shown in done.stdout


def test_the_clients_of_the_documents_run(digits, tmp_path):
    """docs/clients.md: the command gives what it shows, and so does its Python."""
    text = (ROOT / "docs" / "clients.md").read_text()
    (step,) = re.findall(r"```console\n\$ (.*?)\n(.*?)```", text, re.DOTALL)
    command = step[0].replace("python", ".venv/bin/python", 1)
    got = ran(f"{command} --server {digits.url}", digits.port, ROOT)
    assert comparable(got) == comparable(step[1])
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    code = code.replace("http://localhost:5000", digits.url)
    shutil.copy(ROOT / "models/digits/sample.png", tmp_path / "picture.png")
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "docs")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("3 0.99")


def test_every_file_that_the_documents_link_to_is_there():
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    for document in documents:
        for link in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
            if "://" not in link:
                assert (document.parent / link).exists(), f"{document}: {link}"
