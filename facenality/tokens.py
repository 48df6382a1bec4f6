"""Secrets that let clients in, from the settings and from a file that may change."""

import hmac
from pathlib import Path

from .errors import WrongSetting


class Tokens:
    """Compared as bytes, in constant time."""

    def __init__(self, given: tuple[str, ...], file: Path | None) -> None:
        self._given = given
        self._file = file
        self._tokens: tuple[bytes, ...] = ()
        self.configured = bool(given or file)
        self.read()

    def read(self) -> None:
        """Read the file, one token a line; for the start and for SIGHUP.

        Raises WrongSetting; what was read before stays in force.
        """
        lines: list[str] = []
        if self._file:
            try:
                lines = self._file.read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                raise WrongSetting(f"{self._file} cannot be read: {error}") from None
        words = (line.strip() for line in (*self._given, *lines))
        self._tokens = tuple(
            word.encode() for word in words if word and not word.startswith("#")
        )

    def allow(self, token: str) -> bool:
        """Whether `token` is one of ours; all are compared, whichever it is."""
        given = token.encode("utf-8", "surrogatepass")
        # A list, not a generator: any() would stop at the first that fits.
        return any([hmac.compare_digest(given, t) for t in self._tokens])  # noqa: C419
