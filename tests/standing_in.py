"""TensorFlow Serving's stand-in (model_server/) in a process of its own."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[1]
SEARCHED = os.pathsep.join(filter(None, (str(ROOT / "tests"), os.getenv("PYTHONPATH"))))


class ModelServer:
    """Use as a context manager. `words` are those of `python -m model_server`."""

    def __init__(self, *words: object):
        self._words = list(map(str, words))
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed in __exit__
        self.port = 0
        self.start()

    @classmethod
    def of(cls, models: dict[str, Path], *words: object) -> Self:
        """Serve what is exported to the base paths `models`."""
        return cls(*(f"--model={n}={base}" for n, base in models.items()), *words)

    @classmethod
    def asleep(cls, seconds: float, at_once: int = 1, *words: object) -> Self:
        """A model `sums` that sleeps, so many calls at a time."""
        limits = (f"--sleep={seconds}", f"--at-once={at_once}")
        return cls("--model=sums", *limits, *words)

    def start(self) -> None:
        """On the port it had before, if any."""
        # Coverage of the stand-in is nobody's question, and would cost its time.
        environ = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "model_server", f"--port={self.port}", *self._words],
            cwd=ROOT,
            env=environ | {"PYTHONPATH": SEARCHED, "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self.port = int(self._line())

    @property
    def host(self) -> str:
        """As `tf_serving_host` has it."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._log.close()

    def kill(self) -> None:
        """SIGKILL, as a machine that is gone."""
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def fault(self, kind: str, **more: Any) -> None:
        """From now on do wrong: model_server/faults.py says what there is."""
        self._order({"kind": kind, **more})

    def well(self) -> None:
        """From now on do right."""
        self._order(None)

    def seen(self) -> dict[str, Any]:
        """What has come: model_server/seen.py."""
        return self._order("seen")

    def _order(self, order: object) -> Any:
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return json.loads(self._line())

    def _line(self) -> str:
        line = self.process.stdout.readline()
        assert line, f"the stand-in ended: {self.log()}"
        return line

    def log(self) -> str:
        """What it has said on stderr."""
        return os.pread(self._log.fileno(), 1 << 20, 0).decode()
