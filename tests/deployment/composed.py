"""`docker compose up` of a shipped file, and what is asked of it from beside it."""

import json
import time
from typing import Any, Self

from engine import ROOT, Engine

SAMPLE = ROOT / "models" / "digits" / "sample.png"


class Composed:
    """The services of one compose file, up and healthy; use as a context manager."""

    def __init__(self, engine: Engine, file: str, compose: list[str]) -> None:
        self.engine = engine
        self._compose = [*compose, "-f", file, "-p", "facenalitytest"]

    def __enter__(self) -> Self:
        self.compose("up", "--detach", "--no-build")
        return self

    def __exit__(self, *_: object) -> None:
        self.compose("down", "--volumes", "--timeout", "1")

    def compose(self, *words: str) -> str:
        """What compose printed."""
        return self.engine._run(*self._compose, *words)

    def healthy(self, container: str, seconds: float = 120) -> Self:
        """Wait until Docker says that `container` is healthy."""
        deadline = time.monotonic() + seconds
        while self.inspect(container)["State"]["Health"]["Status"] != "healthy":
            logs = (
                ""
                if time.monotonic() < deadline
                else self.engine.docker("logs", container)
            )
            assert time.monotonic() < deadline, logs
            time.sleep(0.5)
        return self

    def inspect(self, container: str) -> Any:
        """What `docker inspect` tells."""
        return json.loads(self.engine.docker("inspect", container))[0]

    def curl(self, *words: object) -> str:
        """What curl printed, from beside the containers."""
        return self.engine.beside("curl", "-sS", "--max-time", "30", *words)


def first_answer(reply: str) -> Any:
    """The best label in a reply of /predict."""
    body = json.loads(reply)
    assert body["success"], body
    return body["predictions"][0]["label"]
