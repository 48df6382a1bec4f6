"""The child process: reads a request, writes graph and answer, and ends."""

import os
import sys
import threading
from contextlib import suppress
from pathlib import Path

from ....errors import FacenalityError
from .process import REQUEST, Prepared, write_answer


def main() -> None:
    """Answer the request on standard input."""
    request = REQUEST.validate_json(sys.stdin.readline())
    threading.Thread(target=_end_with_the_server, daemon=True).start()
    with suppress(OSError):  # Linux only: it goes first when memory runs out
        Path("/proc/self/oom_score_adj").write_text("1000")
    from . import child

    try:
        answer = child.prepare(request)
    except FacenalityError as error:
        answer = Prepared(sentence=str(error))
    write_answer(request.folder, answer)


def _end_with_the_server() -> None:
    while os.read(0, 1):  # nothing more is sent: this waits for the end of the pipe
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
