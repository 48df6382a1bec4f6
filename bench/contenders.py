"""Everything that is measured over HTTP, and how each is started."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from facenality.processor import has_amx, has_bfloat16

from .venv import BIN
from .workload import RESULTS, Network

PEERS = Path(__file__).with_name("peers")
CACHE = RESULTS / "cache"
PRECISIONS = {"float32": "f32", "bfloat16": "bf16"}


@dataclass(frozen=True)
class Contender:
    """A server. `distribution` is what pip installs for it."""

    name: str
    kind: str  # peer, tuned, ours
    engine: str
    precision: str
    words: tuple[str, ...]  # {port} and {models} are filled in
    distribution: str = ""
    path: str = "/predict"
    raw: bool = False  # takes the picture as a body, not in a form
    slow: bool = False  # left out by --quick

    @property
    def large(self) -> bool:
        """Whether it is asked to serve a large network too: rivals for first place."""
        ours = self.kind == "ours" and self.engine == "openvino"
        return ours or (self.kind == "peer" and self.distribution != "flask")

    def command(self, port: int, network: Network) -> list[str]:
        """What starts it."""
        return [w.format(port=port, models=network.folder) for w in self.words]

    def folder(self) -> Path:
        """Where it is started."""
        return Path.cwd() if self.kind == "ours" else PEERS

    def environment(self, network: Network) -> dict[str, str]:
        """What it finds its model by."""
        return {
            "BENCH_MODEL": str(network.file),
            "BENCH_IR": str(network.ir),
            "BENCH_PRECISION": PRECISIONS[self.precision],
            "TF_CPP_MIN_LOG_LEVEL": "2",
            "PATH": os.pathsep.join([str(BIN), os.environ.get("PATH", "")]),
        }


def _peer(name: str, *words: str, distribution: str, slow: bool = False) -> Contender:
    return Contender(
        name, "peer", "tensorflow", "float32", words, distribution, slow=slow
    )


def _mosec(precision: str) -> Contender:
    at = ("--address", "127.0.0.1", "--port", "{port}", "--timeout", "30000")
    words = (str(BIN / "python"), "mosec_tuned.py", *at, "--log-level", "error")
    name = f"mosec, tuned, {precision}"
    return Contender(
        name, "tuned", "openvino", precision, words, "mosec", "/inference", raw=True
    )


def _ours(engine: str, precision: str) -> Contender:
    words = [sys.executable, "app.py", "--port", "{port}", "--models-dir", "{models}"]
    words += ["--engine", engine, "--cache-dir", str(CACHE)]
    if precision != "float32":
        words += ["--precision", precision]
    return Contender(
        f"Facenality, {engine}, {precision}", "ours", engine, precision, tuple(words)
    )


def contenders() -> list[Contender]:
    """All of them; those in bfloat16 where the processor has it."""
    python = str(BIN / "python")
    at = ("--host", "127.0.0.1", "--port", "{port}")
    found = [
        _peer(
            "Flask + gevent + model.predict",
            *(python, "plain_flask.py", "{port}"),
            distribution="flask",
        ),
        _peer(
            "gunicorn, 2 workers + tf.function",
            *(str(BIN / "gunicorn"), "-w", "2", "-b", "127.0.0.1:{port}"),
            "flask_tf_function:app",
            distribution="gunicorn",
        ),
        _peer("LitServe", python, "lit_serve.py", "{port}", distribution="litserve"),
        _peer(
            "BentoML",
            *(str(BIN / "bentoml"), "serve", "bento_ml:Classifier", *at),
            distribution="bentoml",
            slow=True,
        ),
        _peer(
            "Ray Serve",
            *(python, "ray_serve.py", "{port}"),
            distribution="ray",
            slow=True,
        ),
    ]
    for precision in ("float32", "bfloat16"):
        if precision == "float32" or has_bfloat16():
            found += [_mosec(precision)]
            both = precision == "float32" or has_amx()  # TensorFlow rounds with it only
            engines = ("tensorflow", "openvino") if both else ("openvino",)
            found += [_ours(engine, precision) for engine in engines]
    return found
