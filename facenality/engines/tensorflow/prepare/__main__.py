"""The child process: reads a request, writes graph and answer, and ends."""

from ....errors import FacenalityError
from ...child_process import read_request
from .process import REQUEST, Prepared, write_answer


def main() -> None:
    """Answer the request on standard input."""
    request = REQUEST.validate_json(read_request())
    from . import child

    try:
        answer = child.prepare(request)
    except FacenalityError as error:
        answer = Prepared(sentence=str(error))
    write_answer(request.folder, answer)


if __name__ == "__main__":
    main()
