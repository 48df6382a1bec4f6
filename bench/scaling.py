"""`python -m bench.scaling`: what a gateway carries, and what replicas behind it add.

TensorFlow Serving's part is played by tests/model_server: with real TensorFlow where a
replica's own speed counts, else answering at once, or sleeping, so that the gateway is
what is measured. Everything shares this machine's cores, so the processor time that the
gateway takes for a request says more than the requests per second. Prints Markdown.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from . import machine, wrk
from .processes import Tree, running
from .served import wait_until_ready
from .tables import table
from .workload import CARD, RESULTS, Photograph, photographs
from .wrk import Load, Sent

SECONDS = float(os.environ.get("BENCH_SECONDS", "6"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
ROOT = Path(__file__).parents[1]
PLACE = RESULTS / "scaling"
LEVELS = (32, 128)
REPLICAS = (1, 2, 4)
SLEEP, AT_ONCE = 0.1, 8  # a replica that does 80 requests a second
PICTURES = ("--shape=224,224,3", "--units=1000")
NUMBERS = b'{"instances":[[1,2,3,4]]}'
HEAD = (
    *("", "connections", "requests/s", "p50 ms", "p99 ms", "errors"),
    *("gateway core-ms a request", "gateway MB", "replicas' core-ms a request"),
)

_MAKE = """
import keras, sys
keras.utils.set_random_seed(0)
model = keras.applications.MobileNetV2(weights=None)
model.save(sys.argv[1])
model.export(sys.argv[2], verbose=False)
"""

say = Console(stderr=True).print


@dataclass(frozen=True)
class Measured:
    """One load on a gateway, and what it cost whom; milliseconds of a core."""

    what: str
    clients: int
    load: Load
    gateway_ms: float
    gateway_mb: float
    replicas_ms: float

    def row(self) -> Sequence[str]:
        """Under HEAD."""
        there = f"{self.replicas_ms:.1f}" if self.replicas_ms else "–"
        return (
            *(self.what, str(self.clients), f"{self.load.rate:.0f}"),
            *(f"{self.load.p50:.0f}", f"{self.load.p99:.0f}"),
            *(f"{self.load.errors:.1%}", f"{self.gateway_ms:.2f}"),
            *(f"{self.gateway_mb:.0f}", there),
        )


@contextmanager
def replica(*words: object) -> Iterator[tuple[Tree, int]]:
    """A server in TensorFlow Serving's place, and its port."""
    command = [sys.executable, "-m", "model_server", "--stay", *words]
    more = {"PYTHONPATH": "tests", "TF_CPP_MIN_LOG_LEVEL": "3"}
    log = PLACE / f"replica-{time.monotonic_ns()}.log"
    with running(command, log, ROOT, more) as tree:
        while not (port := re.search(r"^(\d+)$", tree.log(), re.MULTILINE)):
            if tree.root.poll() is not None:
                raise SystemExit(f"the stand-in ended: {tree.log()}")
            time.sleep(0.05)
        yield tree, int(port[1])


@contextmanager
def server(models: Path, *flags: str) -> Iterator[tuple[Tree, int]]:
    """`app.py`, and its port, once it is ready."""
    command = [sys.executable, "app.py", "--models-dir", models, "--port=0", *flags]
    log = PLACE / f"server-{time.monotonic_ns()}.log"
    with running(command, log, ROOT, {}) as tree:
        yield tree, wait_until_ready(log, tree.root)


@contextmanager
def gateway(
    models: Path, count: int, *words: object, batch: int = 1
) -> Iterator[tuple[Tree, int, list[Tree]]]:
    """A gateway in front of `count` replicas that are run with `words`."""
    with ExitStack() as stack:
        there = [stack.enter_context(replica(*words)) for _ in range(count)]
        hosts = ",".join(f"127.0.0.1:{port}" for _, port in there)
        flags = ["--engine=tf-serving", f"--tf-serving-host={hosts}"]
        flags.append(f"--tf-serving-batch-size={batch}")
        tree, port = stack.enter_context(server(models, *flags))
        yield tree, port, [one for one, _ in there]


def measure(
    what: str, tree: Tree, url: str, sent: Sent, clients: int, others: list[Tree]
) -> Measured:
    """The round of median cost, of some, after a warm-up."""
    wrk.run(url, sent, clients, 2)
    rounds = [_round(what, tree, url, sent, clients, others) for _ in range(ROUNDS)]
    one = sorted(rounds, key=lambda r: r.gateway_ms)[len(rounds) // 2]
    say(" | ".join(one.row()))
    return one


def _round(
    what: str, tree: Tree, url: str, sent: Sent, clients: int, others: list[Tree]
) -> Measured:
    def spent(trees: list[Tree]) -> float:
        return sum(one.cpu_seconds() for one in trees)

    here, there = spent([tree]), spent(others)
    load = wrk.run(url, sent, clients, SECONDS)
    here, there = spent([tree]) - here, spent(others) - there
    good = max(1, load.good)
    costs = 1e3 * here / good, tree.resident_mb(), 1e3 * there / good
    return Measured(what, clients, load, *costs)


def card(name: str, text: str) -> Path:
    """A models folder with a card alone."""
    folder = PLACE / name
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / "model.toml").write_text(text)
    return folder


def numbers() -> Sent:
    """A body that costs nothing to decode."""
    file = PLACE / "numbers.json"
    file.write_bytes(NUMBERS)
    return Sent(file, "application/json")


def one_gateway(pictures: Sequence[Photograph]) -> list[Measured]:
    """What it carries, where the other side answers at once."""
    (usual, large, _), rows = pictures, list[Measured]()
    models = card("there", CARD + 'output = "score"\n')
    asleep = ("--model=there", "--sleep=0")
    with gateway(models, 1, *asleep, *PICTURES) as (tree, port, others):
        url = f"http://127.0.0.1:{port}/predict"
        for clients in LEVELS:
            what = "640x427 JPEG, a form"
            rows.append(measure(what, tree, url, usual.form(), clients, others))
        what = "4000x3000 JPEG, a form"
        rows.append(measure(what, tree, url, large.form(), LEVELS[0], others))
    models = card("sums", 'task = "tensor"\n')
    asleep = ("--model=sums", "--sleep=0")
    for batch in (1, 8):
        with gateway(models, 1, *asleep, batch=batch) as (tree, port, others):
            url = f"http://127.0.0.1:{port}/predict"
            for clients in LEVELS:
                what = f"four numbers, JSON, {batch} a call"
                rows.append(measure(what, tree, url, numbers(), clients, others))
    return rows


def make_model() -> tuple[Path, Path]:
    """MobileNetV2 in a models folder, and exported to a base path."""
    local, base = PLACE / "local", PLACE / "exported" / "mobilenetv2"
    keras = local / "mobilenetv2" / "model.keras"
    if not (base / "1").exists():
        keras.parent.mkdir(parents=True, exist_ok=True)
        base.mkdir(parents=True, exist_ok=True)
        words: list[str | Path] = [sys.executable, "-c", _MAKE, keras, base / "1"]
        subprocess.run(words, check=True, capture_output=True)
        keras.with_name("model.toml").write_text(CARD)
    return local, base


def one_replica(pictures: Sequence[Photograph]) -> list[Measured]:
    """The same model here, and in a replica behind a gateway, on the same cores."""
    local, base = make_model()
    sent, rows, clients = pictures[0].form(), [], LEVELS[0]
    with server(local, "--engine=tensorflow") as (tree, port):
        url = f"http://127.0.0.1:{port}/predict"
        rows.append(measure("MobileNetV2, local", tree, url, sent, clients, []))
    there = card("mobilenetv2", CARD + 'output = "probability"\n')
    with gateway(there, 1, f"--model=mobilenetv2={base}") as (tree, port, others):
        url = f"http://127.0.0.1:{port}/predict"
        what = "MobileNetV2, gateway and one replica"
        rows.append(measure(what, tree, url, sent, clients, others))
    return rows


def more_replicas() -> list[Measured]:
    """1, 2, 4 that sleep: cores of their own, which this machine has not."""
    rows, models = [], card("sums", 'task = "tensor"\n')
    sleep = (f"--sleep={SLEEP}", f"--at-once={AT_ONCE}")
    for count in REPLICAS:
        with gateway(models, count, "--model=sums", *sleep) as (tree, port, others):
            url = f"http://127.0.0.1:{port}/predict"
            for clients in (AT_ONCE * count, 4 * AT_ONCE * count):
                what = f"{count} of {AT_ONCE / SLEEP:.0f}/s"
                rows.append(measure(what, tree, url, numbers(), clients, others))
    return rows


def main() -> None:
    """All three, one after the other."""
    wrk.install()
    PLACE.mkdir(parents=True, exist_ok=True)
    pictures = photographs()
    parts: dict[str, Callable[[], list[Measured]]] = {
        "One gateway; the other side answers at once": lambda: one_gateway(pictures),
        "One replica": lambda: one_replica(pictures),
        f"Replicas that sleep {SLEEP:g} s, {AT_ONCE} at a time": more_replicas,
    }
    chosen = sys.argv[1:]  # by their first words' numbers, such as 1 3; none: all
    print(f"{machine.describe()}. Load average at the start: {os.getloadavg()[0]:.1f}.")
    print(f"Each row: the median by cost of {ROUNDS} rounds of {SECONDS:g} s.")
    for number, (title, part) in enumerate(parts.items(), 1):
        if not chosen or str(number) in chosen:
            print(f"\n{title}:\n\n{table(HEAD, [one.row() for one in part()])}")
    print(f"\nLoad average at the end: {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()
