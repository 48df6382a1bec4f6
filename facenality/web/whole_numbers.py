"""Numbers from 1 on, as clients write them in queries, forms and paths."""

import re

from flask import request

from ..errors import Malformed

PATTERN = "[1-9][0-9]{0,17}"
_NUMBER = re.compile(PATTERN)


def number(name: str) -> int | None:
    """The one that the query calls `name`, or None where it is absent."""
    if name not in request.args:  # get() would raise and catch an error
        return None
    return whole_number(f"?{name}=", request.args[name])


def whole_number(name: str, text: str | None) -> int | None:
    """`text` as a number, or None where it is None. Raises Malformed."""
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise Malformed(f"{name} must be a whole number from 1 on.")
    return int(text)
