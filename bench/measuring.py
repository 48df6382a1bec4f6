"""What smaller measurements share: how long, how often, and a load in its own process."""

import json
import os
import subprocess
import sys

CLIENTS = 32
SECONDS = float(os.environ.get("BENCH_SECONDS", "10"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))


def measured(*args: object, module: str = "bench.load") -> subprocess.Popen[str]:
    """Start a measurement in a process of its own."""
    words = [sys.executable, "-m", module, *map(str, args)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def result(process: subprocess.Popen[str]) -> object:
    """What the measurement printed."""
    out, _ = process.communicate()
    if process.returncode:
        raise SystemExit("a measurement failed; see above")
    return json.loads(out)


def milliseconds(seconds: list[float], part: float) -> float:
    """A percentile, in milliseconds."""
    return 1000 * sorted(seconds)[int(part * (len(seconds) - 1))]
