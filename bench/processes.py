"""Processes started for a measurement: found again however they fork, and all ended.

Every one inherits a variable that no other process has, so that daemons which left their
group and lost their parent (Ray's do) are still known. Linux only, as /proc is.
"""

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

TICKS, PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
GRACE = 5.0  # seconds from SIGTERM to SIGKILL
SETTLE_SECONDS = 8.0


class Tree:
    """A process with all its descendants."""

    def __init__(
        self, words: Sequence[str], log: Path, folder: Path, more: Mapping[str, str]
    ) -> None:
        self._mark, self._log = f"BENCH_MARK={uuid.uuid4().hex}", log
        name, _, value = self._mark.partition("=")
        with log.open("w") as stream:
            self.root = subprocess.Popen(
                words,
                cwd=folder,
                env={**os.environ, **more, name: value},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )

    def log(self) -> str:
        """What it has printed so far."""
        return self._log.read_text(errors="replace")

    def pids(self) -> list[int]:
        """All that carry the mark and are alive."""
        all_ = (int(path.name) for path in Path("/proc").glob("[0-9]*"))
        return [pid for pid in all_ if self._mark.encode() in _read(pid, "environ")]

    def resident_mb(self) -> float:
        """Resident memory of all together, MB; shared pages count for each."""
        return sum(map(resident_mb, self.pids()))

    def cpu_seconds(self) -> float:
        """Core-seconds that all living ones have used."""
        return sum(map(cpu_seconds, self.pids()))

    def end(self) -> None:
        """SIGTERM to the first; when it has gone, SIGKILL to whatever it left behind."""
        self.root.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.root.wait(GRACE)
        while left := self.pids():
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        self.root.wait()


@contextmanager
def running(
    words: Sequence[str], log: Path, folder: Path, more: Mapping[str, str]
) -> Iterator[Tree]:
    """A tree of processes that is gone afterwards, also after Ctrl-C."""
    log.parent.mkdir(parents=True, exist_ok=True)
    tree = Tree(words, log, folder, more)
    try:
        yield tree
    finally:
        tree.end()


def resident_mb(pid: int) -> float:
    """Resident memory of one process, MB; 0 where it has ended."""
    words = _read(pid, "statm").split()
    return int(words[1]) * PAGE / 1e6 if words else 0.0


def cpu_seconds(pid: int) -> float:
    """User and system time; fields 14 and 15 of proc(5), after the bracketed name."""
    words = _read(pid, "stat").rpartition(b")")[2].split()
    return (int(words[11]) + int(words[12])) / TICKS if words else 0.0


def settle(spent: Callable[[], float], within: float = SETTLE_SECONDS) -> None:
    """Let a server finish what an earlier load left behind: wrk does not wait."""
    until, before = time.monotonic() + within, -1.0
    while (now := spent()) - before > 0.02 and time.monotonic() < until:
        before = now
        time.sleep(0.2)


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:  # it has ended meanwhile, or is not ours
        return b""
