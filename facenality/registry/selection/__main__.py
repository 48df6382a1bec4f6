"""The child process that compares engines: one request in, one reply out."""

import logging
import os

from ...engines.child_process import read_request
from ...errors import FacenalityError
from .child_process import ANSWER, QUESTION, Answer, Question

NICE = 10  # whoever is served goes first


def main() -> None:
    """Read the question, write the answer as the last line, and end."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries and custom.py print is not the answer
    question = QUESTION.validate_json(read_request())
    os.nice(NICE)
    print(ANSWER.dump_json(_answered(question)).decode(), file=answers, flush=True)


def _answered(question: Question) -> Answer:
    from .compare import judge

    try:
        return Answer(judge(question))
    except FacenalityError as error:
        logging.getLogger(__name__).debug("no verdict", exc_info=error)
        return Answer(sentence=str(error))


if __name__ == "__main__":
    main()
