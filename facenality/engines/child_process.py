"""A Python child process that gets one request and ends with the process that asked.

The pipe to the child stays open until it has answered: when the asking process ends,
however it does, the child reads the end of the pipe and ends too.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

TIMEOUT = 900.0  # seconds; the largest networks take one minute on two cores


def run(
    module: str, request: bytes, env: Mapping[str, str], timeout: float = TIMEOUT
) -> tuple[list[str], int]:
    """Run `python -m module` with one line of input; its output's lines and status."""
    with subprocess.Popen(  # noqa: S603  # ourselves, and no shell
        [sys.executable, "-P", "-m", module],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        bufsize=0,  # else closing would try again to write what could not be written
    ) as child:
        watch = threading.Timer(timeout, child.kill)
        watch.start()
        try:
            printed = _printed(child, request)
        finally:
            watch.cancel()
            child.kill()
    return printed, child.returncode


def _printed(child: subprocess.Popen[bytes], request: bytes) -> list[str]:
    assert child.stdin is not None  # noqa: S101  # both are pipes
    assert child.stdout is not None  # noqa: S101
    with suppress(BrokenPipeError):  # it has ended already, and may have said why
        child.stdin.write(request + b"\n")
    return child.stdout.read().decode(errors="replace").splitlines()


def read_request() -> str:
    """In the child: the request. From then on it ends with the asking process."""
    line = sys.stdin.readline()
    threading.Thread(target=_end_with_the_server, daemon=True).start()
    with suppress(OSError):  # Linux only: it goes first when memory runs out
        Path("/proc/self/oom_score_adj").write_text("1000")
    return line


def _end_with_the_server() -> None:
    while os.read(0, 1):  # nothing more is sent: this waits for the end of the pipe
        pass
    os._exit(1)
