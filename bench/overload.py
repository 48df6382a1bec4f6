"""`make overload`: a model that sleeps, under 0.8, 2 and 10 times of what it can do.

The model takes 0.2 s for a batch of up to 8, so that the server is measured and not the
arithmetic; requests are small and come open-loop (bench/open_load.py). After each load
goes a trickle on, to see when answers are normal again. Prints a Markdown table.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from statistics import quantiles
from typing import NamedTuple

from rich.console import Console
from rich.progress import track

from facenality.cpu import cores

from . import page, wrk
from .open_load import BODY, Outcome
from .served import served
from .workload import RESULTS

MODEL = """
import time
def load(folder: object) -> None: ...
def predict(model: object, instances: object) -> object:
    time.sleep(0.2)
    return instances
"""
FACTORS = (0.8, 2.0, 10.0)
SECONDS = float(os.environ.get("OVERLOAD_SECONDS", "20"))
QUEUE_WAIT = float(os.environ.get("OVERLOAD_QUEUE_WAIT", "2"))
TRICKLE_SECONDS = QUEUE_WAIT + 8
CLIENTS = 24  # who wait for their answers: enough for full batches
HEAD = (
    *("load", "sent", "200", "503", "reset or other", "goodput of capacity"),
    *("p50 / p99 of the accepted", "p99 of refusals", "/livez p99"),
    "normal again after",
)


class Run(NamedTuple):
    """One load: all outcomes, and the p99 of /livez beside it in milliseconds."""

    factor: float
    outcomes: list[Outcome]
    live: float

    def of(self, status: int) -> list[Outcome]:
        """Those that were answered so."""
        return [o for o in self.outcomes if o.status == status]

    def accepted(self) -> list[float]:
        """Seconds of those that came during the load and were answered."""
        return [o.seconds for o in self.of(200) if o.came < SECONDS]

    def cells(self, most: float, normal: float) -> list[str]:
        """A row of the table; `normal` is the p99 of a load that is not too much."""
        answered, refused = self.of(200), [o.seconds for o in self.of(503)]
        goodput = sum(o.came + o.seconds < SECONDS for o in answered) / SECONDS
        slow = 1.5 * normal
        late = [o.came for o in self.outcomes if o.status != 200 or o.seconds > slow]
        recovery = max(0.0, *late, SECONDS) - SECONDS
        return [
            f"{self.factor:g}x",
            str(len(self.outcomes)),
            str(len(answered)),
            str(len(refused)),
            str(len(self.outcomes) - len(answered) - len(refused)),
            f"{100 * goodput / most:.0f} %",
            f"{part(self.accepted(), 50):.2f} / {part(self.accepted(), 99):.2f} s",
            f"{1000 * part(refused, 99):.0f} ms" if refused else "",
            f"{self.live:.0f} ms",
            f"{recovery:.1f} s" if self.factor > 1 else "",
        ]


def part(numbers: list[float], percent: int) -> float:
    """A percentile."""
    two = numbers if len(numbers) > 1 else numbers * 2
    return quantiles(two, n=100, method="inclusive")[percent - 1]


def load(port: int, factor: float, most: float) -> Run:
    """`factor` times `most` requests per second, then a trickle."""
    steps = f"{factor * most}:{SECONDS},{most / 10}:{TRICKLE_SECONDS}"
    words = [sys.executable, "-m", "bench.open_load", str(port), "/predict", steps]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as busy:
        url = f"http://127.0.0.1:{port}/livez"
        live = wrk.run(url, wrk.Sent(every_ms=10), 1, SECONDS)
        out, _ = busy.communicate()
    if busy.returncode:
        raise SystemExit("the load failed; see above")
    return Run(factor, sorted(Outcome(*o) for o in json.loads(out)), live.p99)


def table(most: float, runs: list[Run]) -> str:
    """A row for each load, and what was said to whom was refused."""
    normal = part(runs[0].accepted(), 99)
    said = Counter(o.retry_after for run in runs for o in run.of(503))
    carried = ", ".join(f"{value} s {n} times" for value, n in said.most_common())
    return (
        f"A model that sleeps 0.2 s a batch of 8; measured capacity {most:.0f}/s; "
        f"`max_queue_wait_s` {QUEUE_WAIT:g}; {SECONDS:g} s each; {cores()} cores "
        "shared with the load generator.\n\n"
        f"{page.table(HEAD, [run.cells(most, normal) for run in runs])}\n\n"
        f"`Retry-After` of the refusals: {carried}. The accepted may wait "
        f"{QUEUE_WAIT:g} s + {normal:.2f} s, the p99 of the first row."
    )


def main() -> None:
    """Capacity first, then each load."""
    wrk.install()
    folder = RESULTS / "overload" / "sleeper"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.py").write_text(MODEL)
    (folder / "model.toml").write_text('task = "tensor"\n')
    body = RESULTS / "body.json"
    body.write_bytes(BODY)
    flags = ("--max-batch-size=8", f"--max-queue-wait-s={QUEUE_WAIT}")
    with served(folder.parent, *flags) as (port, _):
        url, sent = f"http://127.0.0.1:{port}/predict", Path(body)
        most = wrk.run(url, wrk.Sent(sent, "application/json"), CLIENTS, 5).rate
        runs = []
        for factor in track(FACTORS, "measuring", console=Console(stderr=True)):
            time.sleep(1)
            runs.append(load(port, factor, most))
    (RESULTS / "overload.json").write_text(json.dumps([r.outcomes for r in runs]))
    print(table(most, runs))


if __name__ == "__main__":
    main()
