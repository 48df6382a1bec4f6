"""The ways in which a vetter says no."""


class Refused(Exception):
    """The rest of a sentence that begins with the file's name, and how to mend it."""


def damaged(error: Exception) -> Refused:
    """Bytes that nobody can read, whatever they make a library raise."""
    return Refused(
        f"is damaged, or no model ({type(error).__name__}): copy it again, or save it "
        "again"
    )


def shown(text: object) -> str:
    """A name from a file that nobody trusts, fit for one line of a log."""
    whole = str(text)
    return repr(whole if len(whole) <= 60 else f"{whole[:20]}...{whole[-37:]}")
