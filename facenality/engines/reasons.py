"""Why a library could not do something, in one line."""

import re


def first_line(error: Exception) -> str:
    """The first line that says more than where."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    lines = [line.strip() for line in plain.splitlines()]
    telling = [line for line in lines if line and not line.startswith("Exception ")]
    return telling[0] if telling else type(error).__name__
