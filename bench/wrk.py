"""wrk, the load generator: so many connections, each sending when it has its answer."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import requests

SCRIPT = Path(__file__).with_name("form.lua")
TIMEOUT = 30  # seconds for an answer; later it counts as lost
_LINE = re.compile(
    r"bench: seconds=([\d.]+) p50=([\d.]+) p99=([\d.]+) max=([\d.]+) "
    r"lost=(\d+) statuses=(\S*)"
)
Run = subprocess.Popen[str]


@dataclass(frozen=True)
class Sent:
    """What is sent: a file as a body of this content type; none is a GET."""

    file: Path | None = None
    kind: str = ""
    every_ms: int = 0  # a pause before each request; 0 sends at once
    header: str = ""  # one more, "Name: value"


@dataclass(frozen=True)
class Load:
    """What came back. Latencies are in milliseconds, of all answers."""

    seconds: float
    p50: float
    p99: float
    most: float
    lost: int = 0  # connections refused, reset or timed out
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def good(self) -> int:
        """Answers of 2xx."""
        return sum(n for status, n in self.statuses.items() if 200 <= status < 300)

    @property
    def rate(self) -> float:
        """Good answers per second; errors are no throughput."""
        return self.good / self.seconds

    @property
    def errors(self) -> float:
        """The share of what was asked that was not answered well."""
        asked = sum(self.statuses.values()) + self.lost
        return 1 - self.good / asked if asked else 1.0


def install() -> None:
    """Have wrk from the distribution, where it is missing and that is allowed."""
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    words = [*root, "apt-get", "install", "-qq", "-y", "wrk"]
    if not shutil.which("wrk") and shutil.which("apt-get"):
        subprocess.run(words, stdout=subprocess.DEVNULL)
    if not shutil.which("wrk"):
        raise SystemExit("wrk, which sends the load, is missing: apt-get install wrk")


def once(url: str, sent: Sent) -> requests.Response:
    """The same request a single time."""
    body = sent.file.read_bytes() if sent.file else b""
    return requests.post(url, body, headers={"Content-Type": sent.kind}, timeout=30)


def start(url: str, sent: Sent, clients: int, seconds: float) -> Run:
    """Begin a load; `result` waits for its end."""
    environ = dict(os.environ)
    if sent.file:
        environ |= {"BENCH_BODY": str(sent.file), "BENCH_TYPE": sent.kind}
        environ["BENCH_HEADER"] = sent.header
    if sent.every_ms:
        environ["BENCH_DELAY_MS"] = str(sent.every_ms)
    words = ["wrk", "-t1", f"-c{clients}", f"-d{max(1, round(seconds))}s"]
    words += [f"--timeout={TIMEOUT}s", f"--script={SCRIPT}", url]
    pipe = subprocess.PIPE
    return subprocess.Popen(words, env=environ, stdout=pipe, stderr=pipe, text=True)


def result(process: Run) -> Load:
    """What the load found."""
    out, err = process.communicate()
    if process.returncode or "bench:" not in out:
        raise RuntimeError(f"wrk failed: {err or out}")
    return parse(out)


def run(url: str, sent: Sent, clients: int, seconds: float) -> Load:
    """Begin a load and wait for its end."""
    return result(start(url, sent, clients, seconds))


def parse(out: str) -> Load:
    """The line that form.lua prints. Raises ValueError where it is not there."""
    match = _LINE.search(out)
    if match is None:
        raise ValueError(f"this is no output of form.lua: {out!r}")
    *times, lost, statuses = match.groups()
    pairs = (pair.split("=") for pair in statuses.split(",") if pair)
    counts = {int(status): int(count) for status, count in pairs}  # wrk has one thread
    seconds, p50, p99, most = map(float, times)
    return Load(seconds, p50, p99, most, int(lost), counts)
