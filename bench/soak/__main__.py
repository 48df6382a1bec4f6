"""Half an hour of everything at once; then a table.

SOAK_MINUTES=5 is a shorter one. Good and bad clients (good.py, bad.py), a version of a model
published or removed every minute, SIGHUPs; what the server's process holds, every five
seconds. Writes docs/soak.md.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from ..workload import RESULTS
from .models import Models
from .report import Sample, courses, document
from .server import Soaked
from .traffic import Tally, Traffic

SECONDS = 60 * float(os.environ.get("SOAK_MINUTES", "30"))
EVERY = 5.0  # seconds from sample to sample
CHANGE = 60.0  # seconds from one change of the models to the next
WARM = 30.0  # seconds of load before it begins: threads are made when they are needed
QUIET = 20.0  # seconds in which replaced models leave and connections end
PAGE = Path("docs/soak.md")


def warm_up(server: Soaked, models: Models) -> None:
    """Load and one change of the models, until the engines have been compared."""
    with Traffic(server.port, Tally()):
        models.step()
        time.sleep(WARM)
        models.step()
        server.wait_for_engines()


def soak(
    server: Soaked, models: Models, tally: Tally, console: Console
) -> list[Sample]:
    """Load for SECONDS; what was held meanwhile."""
    samples: list[Sample] = []
    started, change, reread = time.monotonic(), CHANGE, CHANGE / 2
    while (now := time.monotonic() - started) < SECONDS:
        if now >= reread:
            server.reread()
            reread += CHANGE
        samples.append(Sample(now, tally.done(), server.held()))
        if now >= change:
            told = f"{tally.done()} requests, {len(tally.wrong)} wrong"
            console.log(f"{models.step()}; {told}; {samples[-1].held}")
            change += CHANGE
        time.sleep(EVERY)
    return samples


def main() -> int:
    """0 when every answer was right and nothing grew."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    tally, console = Tally(), Console(stderr=True)
    with tempfile.TemporaryDirectory() as folder:
        console.log("making the models")
        models = Models(Path(folder))
        models.make()
        with Soaked(Path(folder), models) as server:
            console.log("warming up")
            warm_up(server, models)
            before = server.quiet(QUIET)
            console.log(f"soaking for {SECONDS:.0f} s")
            with Traffic(server.port, tally):
                samples = soak(server, models, tally, console)
            models.settle()
            console.log("waiting until it is quiet")
            after = server.quiet(QUIET)
            tracebacks, status = server.tracebacks(), server.end()
    (RESULTS / "soak.json").write_text(json.dumps(samples))
    rows = courses(samples, before, after)
    PAGE.write_text(document(samples[-1].seconds, rows, tally, tracebacks, status))
    print(PAGE.read_text())
    return int(bool(tally.wrong) or status != 0 or not all(row.flat() for row in rows))


if __name__ == "__main__":
    sys.exit(main())
