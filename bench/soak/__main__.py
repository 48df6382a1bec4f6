"""Half an hour of everything at once; then a table and a picture.

SOAK_MINUTES=5 is a shorter one. Good and bad clients (good.py, bad.py), a version of a model
published or removed every minute, SIGHUPs; what the server's process holds, every five
seconds. Writes docs/soak.md and docs/soak.svg.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from ..workload import RESULTS
from .models import Models
from .page import document
from .picture import draw
from .samples import Sample, courses
from .server import Soaked
from .traffic import Tally, Traffic

SECONDS = 60 * float(os.environ.get("SOAK_MINUTES", "30"))
EVERY = 5.0  # seconds from sample to sample
CHANGE = 60.0  # seconds from one change of the models to the next
WARM = 30.0  # seconds of load before it begins: threads are made when they are needed
QUIET = 20.0  # seconds in which replaced models leave and connections end
PAGE, PICTURE = Path("docs/soak.md"), Path("docs/soak.svg")
SAMPLES = RESULTS / "soak.json"


def warm_up(server: Soaked, models: Models) -> None:
    """Load and one change of the models, until the engines have been compared."""
    with Traffic(server.port, Tally()):
        models.step()
        time.sleep(WARM)
        models.step()
        server.wait_for_engines()


def soak(server: Soaked, models: Models, tally: Tally, bar: Progress) -> list[Sample]:
    """Load for SECONDS; what was held meanwhile."""
    task = bar.add_task("soaking", total=SECONDS)
    samples: list[Sample] = []
    started, change, reread = time.monotonic(), CHANGE, CHANGE / 2
    while (now := time.monotonic() - started) < SECONDS:
        if now >= reread:
            server.reread()
            reread += CHANGE
        samples.append(Sample(now, tally.done(), len(tally.wrong), server.held()))
        if now >= change:
            bar.console.print(f"{now:5.0f} s {models.step()}; {told(samples[-1])}")
            change += CHANGE
        bar.update(task, completed=now, description=told(samples[-1]))
        time.sleep(EVERY)
    return samples


def told(sample: Sample) -> str:
    """A line while it runs."""
    held = sample.held
    return (
        f"{sample.requests} requests, {sample.wrong} wrong; {held.memory:.0f} MiB, "
        f"{held.files} files, {held.threads} threads, {held.greenlets} greenlets"
    )


def main() -> int:
    """0 when every answer was right and nothing grew."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    tally = Tally()
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as folder, Progress(console=console) as bar:
        bar.console.print("making the models")
        models = Models(Path(folder))
        models.make()
        with Soaked(Path(folder), models) as server:
            bar.console.print("warming up")
            warm_up(server, models)
            before = server.quiet(QUIET)
            with Traffic(server.port, tally):
                samples = soak(server, models, tally, bar)
            models.settle()
            bar.console.print("waiting until it is quiet")
            after = server.quiet(QUIET)
            tracebacks, status = server.tracebacks(), server.end()
    SAMPLES.write_text(json.dumps(samples))
    rows = courses(samples, before, after)
    PAGE.write_text(document(samples, rows, tally, tracebacks, status))
    PICTURE.write_text(draw(samples))
    print(PAGE.read_text())
    return int(bool(tally.wrong) or status != 0 or not all(row.flat() for row in rows))


if __name__ == "__main__":
    sys.exit(main())
