"""`make overload`: a model that sleeps, under 0.8, 2 and 10 times of what it can do.

The model takes 0.2 s for a batch of up to 8, so that the server is measured and not the
arithmetic; requests are small and come open-loop (bench/open_load.py). After each load
goes a trickle on, to see when answers are normal again. Prints a Markdown table, and draws
docs/overload.svg.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from facenality.cores import cores

from .measuring import measured, milliseconds, result
from .open_load import BODY, Outcome
from .overload_picture import draw
from .served import wait_until_ready
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
CLIENTS = 24
PICTURE = Path("docs/overload.svg")


@dataclass(frozen=True)
class Run:
    """One load: `outcomes` in the order they came, and /livez beside it."""

    factor: float
    outcomes: list[Outcome]
    live: list[float]

    def answered(self) -> list[Outcome]:
        """Those that were answered 200."""
        return [o for o in self.outcomes if o.status == 200]

    def refused(self) -> list[Outcome]:
        """Those that were answered 503."""
        return [o for o in self.outcomes if o.status == 503]

    def goodput(self) -> float:
        """Answers per second while the load lasted."""
        return sum(o.came + o.seconds < SECONDS for o in self.answered()) / SECONDS

    def p99(self) -> float:
        """Seconds, of those that came during the load."""
        seconds = [o.seconds for o in self.answered() if o.came < SECONDS]
        return milliseconds(seconds, 0.99) / 1000

    def recovery(self, normal: float) -> float:
        """Seconds after the load until no answer is refused or slower than `normal`."""
        late = [o.came for o in self.outcomes if o.status != 200 or o.seconds > normal]
        return max(0.0, *late, SECONDS) - SECONDS


def serve(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """A server of the sleeping model, and its port."""
    (folder / "sleeper").mkdir(parents=True, exist_ok=True)
    (folder / "sleeper" / "model.py").write_text(MODEL)
    (folder / "sleeper" / "model.toml").write_text('task = "tensor"\n')
    log = folder.with_suffix(".log")
    words = [sys.executable, "app.py", "--models-dir", str(folder), "--port", "0"]
    with log.open("w") as stream:
        process = subprocess.Popen(
            [*words, "--max-batch-size=8", f"--max-queue-wait-s={QUEUE_WAIT}"],
            stderr=stream,
        )
    return process, wait_until_ready(log, process)


def capacity(port: int) -> float:
    """Answers per second to clients that wait for theirs, enough for full batches."""
    body = RESULTS / "body.json"
    body.write_bytes(BODY)
    seconds = 5.0
    took = result(
        measured(port, "/predict", CLIENTS, seconds, body, "application/json")
    )
    assert isinstance(took, list)
    return len(took) / seconds


def load(port: int, factor: float, most: float) -> Run:
    """`factor` times `most` requests per second, then a trickle."""
    steps = f"{factor * most}:{SECONDS},{most / 10}:{TRICKLE_SECONDS}"
    busy = measured(port, "/predict", steps, module="bench.open_load")
    live = measured(port, "/livez", 1, SECONDS, "", "-")
    outcomes = result(busy)
    probes = result(live)
    assert isinstance(outcomes, list)
    assert isinstance(probes, list)
    return Run(factor, sorted(Outcome(*o) for o in outcomes), probes)


def table(most: float, runs: list[Run]) -> str:
    """A row for each load, beside what figures ask for."""
    normal = runs[0].p99()
    lines = [
        f"A model that sleeps 0.2 s a batch of 8; measured capacity {most:.0f}/s; "
        f"`max_queue_wait_s` {QUEUE_WAIT:g}; {SECONDS:g} s each; {cores()} cores "
        "shared with the load generator.",
        "",
        "| load | sent | 200 | 503 | reset or other | goodput of capacity | p50 / p99 of "
        "the accepted | p99 of refusals | /livez p99 | normal again after |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *(row(run, most, normal) for run in runs),
        "",
        f"Every refusal carried `Retry-After`: {carried(runs)}. The accepted may wait "
        f"{QUEUE_WAIT:g} s + {normal:.2f} s, the p99 of the first row.",
    ]
    return "\n".join(lines)


def row(run: Run, most: float, normal: float) -> str:
    """One load in Markdown."""
    refused = [o.seconds for o in run.refused()]
    accepted = [o.seconds for o in run.answered() if o.came < SECONDS]
    other = len(run.outcomes) - len(run.answered()) - len(refused)
    cells = [
        f"{run.factor:g}x",
        str(len(run.outcomes)),
        str(len(run.answered())),
        str(len(refused)),
        str(other),
        f"{100 * run.goodput() / most:.0f} %",
        f"{milliseconds(accepted, 0.5) / 1000:.2f} / {run.p99():.2f} s",
        f"{milliseconds(refused, 0.99):.0f} ms" if refused else "",
        f"{milliseconds(run.live, 0.99):.0f} ms",
        f"{run.recovery(1.5 * normal):.1f} s" if run.factor > 1 else "",
    ]
    return f"| {' | '.join(cells)} |"


def carried(runs: list[Run]) -> str:
    """How often each value was sent."""
    values = Counter(o.retry_after for run in runs for o in run.refused())
    return ", ".join(
        f"{value} s {count} times" for value, count in values.most_common()
    )


def main() -> None:
    """Capacity first, then each load."""
    folder = RESULTS / "overload"
    process, port = serve(folder)
    try:
        with Progress(console=Console(stderr=True)) as bar:
            task = bar.add_task("measuring capacity", total=1 + len(FACTORS))
            most = capacity(port)
            runs = []
            for factor in FACTORS:
                bar.update(task, advance=1, description=f"{factor:g} x {most:.0f}/s")
                time.sleep(1)
                runs.append(load(port, factor, most))
            bar.update(task, advance=1, description="done")
    finally:
        process.terminate()
        process.wait()
    (RESULTS / "overload.json").write_text(json.dumps([r.outcomes for r in runs]))
    print(table(most, runs))
    PICTURE.write_text(
        draw(most, SECONDS, QUEUE_WAIT, [(r.factor, r.outcomes) for r in runs])
    )


if __name__ == "__main__":
    main()
