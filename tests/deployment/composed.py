"""`docker compose up` of a shipped file, and what is asked of it from beside it."""

import json
import time
from typing import Any, Self

from engine import ROOT, Engine

SAMPLE = ROOT / "models" / "digits" / "sample.png"


class Composed:
    """The services of one compose file, up and healthy; use as a context manager."""

    def __init__(
        self, engine: Engine, file: str, compose: list[str], **environ: object
    ) -> None:
        self.engine = engine
        given = [f"{name}={value}" for name, value in environ.items()]
        self._compose = ["env", *given, *compose, "-f", file, "-p", "facenalitytest"]

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        self.compose("down", "--volumes", "--timeout", "1")

    def up(self, *words: str) -> None:
        """Bring up what is not up yet."""
        self.compose("up", "--detach", "--no-build", *words)

    def containers(self, service: str) -> list[str]:
        """Those of `service` that there are, by id."""
        return self.compose("ps", "-q", service).split()

    def compose(self, *words: str) -> str:
        """What compose printed."""
        return self.engine.run(*self._compose, *words)

    def healthy(self, container: str, seconds: float = 120) -> Self:
        """Wait until Docker says that `container` is healthy."""
        deadline = time.monotonic() + seconds
        while (now := self.inspect(container))["State"]["Health"][
            "Status"
        ] != "healthy":
            assert now["RestartCount"] < 3, self.log(container)
            assert time.monotonic() < deadline, self.log(container)
            time.sleep(0.5)
        return self

    def inspect(self, container: str) -> Any:
        """What `docker inspect` tells."""
        return json.loads(self.engine.docker("inspect", container))[0]

    def log(self, container: str) -> str:
        """All that `container` has logged."""
        return self.engine.run("sh", "-c", f"docker logs {container} 2>&1")

    def curl(self, *words: object) -> str:
        """What curl printed, from beside the containers."""
        return self.engine.beside("curl", "-sS", "--max-time", "30", *words)

    def predict(self, url: str, *words: object) -> str:
        """The best label for the bundled sample."""
        return first_label(
            self.curl("-F", f"image=@{SAMPLE}", f"{url}/predict", *words)
        )


def first_label(reply: str) -> str:
    """The best label in a reply of /predict."""
    body = json.loads(reply)
    assert body["success"], body
    return str(body["predictions"][0]["label"])


def confinement(composed: Composed, container: str) -> dict[str, str]:
    """What the kernel says of the container's first process."""
    status = composed.engine.docker("exec", container, "cat", "/proc/1/status")
    return dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)


def assert_confined(composed: Composed, container: str, uid: int) -> None:
    """Not root, no capabilities and no way to gain any, a root that is read-only."""
    of = confinement(composed, container)
    assert of["Uid"].split() == [str(uid)] * 4
    assert {of["CapEff"], of["CapPrm"], of["CapBnd"]} == {"0" * 16}
    assert of["NoNewPrivs"] == "1"
    mounts = composed.engine.docker("exec", container, "cat", "/proc/1/mounts")
    (root,) = [one.split() for one in mounts.splitlines() if one.split()[1] == "/"]
    assert "ro" in root[3].split(",")
