"""Everything that is measured over HTTP, and how each is started."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from facenality.cpu import has_amx, has_bfloat16

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


def _peer(name: str, distribution: str, *words: str, slow: bool = False) -> Contender:
    return Contender(
        name, "peer", "tensorflow", "float32", words, distribution, slow=slow
    )


def contenders() -> list[Contender]:
    """All of them; those in bfloat16 where the processor has it."""
    python, gunicorn, bento = (str(BIN / n) for n in ("python", "gunicorn", "bentoml"))
    at, bind = ("--host", "127.0.0.1", "--port", "{port}"), "127.0.0.1:{port}"
    flask = (gunicorn, "-w", "2", "-b", bind, "flask_tf_function:app")
    plain = (python, "plain_flask.py", "{port}")
    serve = (bento, "serve", "bento_ml:Classifier", *at)
    found = [
        _peer("Flask + gevent + model.predict", "flask", *plain),
        _peer("gunicorn, 2 workers + tf.function", "gunicorn", *flask),
        _peer("LitServe", "litserve", python, "lit_serve.py", "{port}"),
        _peer("BentoML", "bentoml", *serve, slow=True),
        _peer("Ray Serve", "ray", python, "ray_serve.py", "{port}", slow=True),
    ]
    mosec = (
        *(python, "mosec_tuned.py", "--address", "127.0.0.1", "--port", "{port}"),
        *("--timeout", "30000", "--log-level", "error"),
    )
    ours = (sys.executable, "app.py", "--port", "{port}", "--models-dir", "{models}")
    for precision in ("float32", "bfloat16"):
        more: tuple[str, ...] = ()
        if precision == "bfloat16":
            if not has_bfloat16():
                break
            more = ("--precision", precision)
        tuned = (f"mosec, tuned, {precision}", "tuned", "openvino", precision, mosec)
        found.append(Contender(*tuned, "mosec", "/inference", raw=True))
        both = precision == "float32" or has_amx()  # TensorFlow rounds with it only
        for engine in ("tensorflow", "openvino") if both else ("openvino",):
            words = (*ours, "--engine", engine, "--cache-dir", str(CACHE), *more)
            name = f"Facenality, {engine}, {precision}"
            found.append(Contender(name, "ours", engine, precision, words))
    return found
