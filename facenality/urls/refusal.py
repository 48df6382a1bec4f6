"""Why a URL is not fetched: for the operator's log, never for the client."""


class Refused(Exception):
    """The reason, without anything that the client wrote."""
