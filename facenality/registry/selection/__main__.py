"""The child process that compares engines: one request in, one reply out."""

import logging
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path

from ...errors import FacenalityError
from .child_process import ANSWER, QUESTION, Answer, Question

NICE = 10  # whoever is served goes first


def main() -> None:
    """Read the question, write the answer as the last line, and end."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries and custom.py print is not the answer
    question = QUESTION.validate_json(sys.stdin.readline())
    threading.Thread(target=_end_with_the_server, daemon=True).start()
    _stand_back()
    print(ANSWER.dump_json(_answered(question)).decode(), file=answers, flush=True)


def _answered(question: Question) -> Answer:
    from .compare import judge

    try:
        return Answer(judge(question))
    except FacenalityError as error:
        logging.getLogger(__name__).debug("no verdict", exc_info=error)
        return Answer(sentence=str(error))


def _end_with_the_server() -> None:
    while os.read(0, 1):  # nothing more is sent: this waits for the end of the pipe
        pass
    os._exit(1)


def _stand_back() -> None:
    """Yield the processor to the server, and go first when memory runs out."""
    os.nice(NICE)
    with suppress(OSError):  # Linux only
        Path("/proc/self/oom_score_adj").write_text("1000")


if __name__ == "__main__":
    main()
