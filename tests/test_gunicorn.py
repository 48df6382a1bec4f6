"""gunicorn with our worker: several processes, no patching, nothing lost."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

import made
from serving import ROOT

pytestmark = pytest.mark.full


class Gunicorn:
    """`gunicorn -c gunicorn.conf.py app:app` on a port of its own."""

    def __init__(self, models, tmp_path, **settings: str) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        environ = {
            "FACENALITY_MODELS_DIR": str(models),
            "FACENALITY_PORT": str(self.port),
            "FACENALITY_DRAIN_TIMEOUT_S": "10",
            "WEB_CONCURRENCY": "2",
            **settings,
        }
        self.log = tmp_path / "gunicorn.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "app:app"],
                cwd=ROOT,
                env=os.environ | environ,
                stderr=log,
            )

    def workers(self) -> set[int]:
        done = subprocess.run(
            ["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True
        )
        return set(map(int, done.stdout.split()))

    def ready(self) -> "Gunicorn":
        """Wait until both workers have loaded the model."""
        self.wait_for(lambda: self.log.read_text().count("ready in") >= 2)
        return self

    def wait_for(self, fact, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not fact():
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)


def _free_port() -> int:
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextmanager
def started(*args, **settings) -> Iterator[Gunicorn]:
    one = Gunicorn(*args, **settings)
    try:
        yield one.ready()
    finally:
        if one.process.poll() is None:
            one.process.terminate()
        one.process.wait(30)


@pytest.fixture
def models(tmp_path):
    made.tones(tmp_path / "models" / "tones", seconds=0.05)
    return tmp_path / "models"


PICTURE = {"image": made.picture((255, 255, 255))}


def asked(url: str, answers: list, stop: threading.Event) -> None:
    while not stop.is_set():
        answers.append(requests.post(f"{url}/predict", files=PICTURE).status_code)


@contextmanager
def load(url: str) -> Iterator[list]:
    answers: list = []
    stop = threading.Event()
    threads = [
        threading.Thread(target=asked, args=(url, answers, stop)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        stop.set()
        for thread in threads:
            thread.join()


SLOW = """
import time

def load(folder):
    time.sleep(3)

def predict(model, instances):
    return instances
"""


def test_several_workers_answer_and_a_reload_loses_nothing(models, tmp_path):
    """Loading takes a while, as that of large models does: nobody notices."""
    (models / "slow").mkdir()
    (models / "slow" / "model.py").write_text(SLOW)
    (models / "slow" / "model.toml").write_text('task = "tensor"\n')
    with started(models, tmp_path, FACENALITY_MODEL="tones") as one:
        one.wait_for(lambda: one.log.read_text().count("slow 1: ready in") == 2)
        before = one.workers()
        assert len(before) == 2
        with load(one.url) as answers:
            one.wait_for(lambda: len(answers) > 10)
            one.process.send_signal(signal.SIGHUP)
            one.wait_for(lambda: len(one.workers()) == 2 and not before & one.workers())
            enough = len(answers) + 10
            one.wait_for(lambda: len(answers) > enough)
        assert set(answers) == {200}


def test_sigterm_answers_what_is_in_flight(models, tmp_path):
    with started(models, tmp_path) as one:
        statuses: list = []
        busy = [
            threading.Thread(
                target=lambda: statuses.append(
                    requests.post(
                        f"{one.url}/predict",
                        files=[("image", PICTURE["image"]) for _ in range(8)],
                    ).status_code
                )
            )
            for _ in range(6)
        ]
        for thread in busy:
            thread.start()
        time.sleep(0.5)  # all are accepted
        one.process.terminate()
        for thread in busy:
            thread.join()
        assert statuses == [200] * 6
        assert one.process.wait(20) == 0


def test_a_wrong_setting_stops_it_with_one_line(models, tmp_path):
    one = Gunicorn(models, tmp_path, FACENALITY_MAX_BATCH_SIZE="many")
    assert one.process.wait(30) != 0
    log = one.log.read_text()
    assert "FACENALITY_MAX_BATCH_SIZE" in log
    assert "Traceback" not in log


def test_another_attribute_of_app_is_none_of_its_own():
    import app

    with pytest.raises(AttributeError):
        app.nothing  # noqa: B018
