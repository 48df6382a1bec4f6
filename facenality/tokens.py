"""Secrets that let clients in, from the settings and from a file that may change."""

import hmac
import logging
from pathlib import Path

from .errors import WrongSetting

log = logging.getLogger(__name__)

WEAK = 16  # characters; 16 random hexadecimal digits are 64 bits


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
            _bytes(word) for word in words if word and not word.startswith("#")
        )

    def allow(self, token: str) -> bool:
        """Whether `token` is one of ours; all are compared, whichever it is."""
        given = _bytes(token)
        # A list, not a generator: any() would stop at the first that fits.
        return any([hmac.compare_digest(given, t) for t in self._tokens])  # noqa: C419


class Keys(Tokens):
    """API keys. The log tells what is wrong with them, since nobody else sees them."""

    def read(self) -> None:
        """As tokens are read. Raises WrongSetting."""
        super().read()
        if self.configured and not self._tokens:
            log.warning("there is no API key: every prediction is refused")
        weak = sum(len(key) < WEAK for key in self._tokens)
        if weak:
            log.warning(
                "%d of %d API keys are shorter than %d characters and may be guessed; "
                "openssl rand -hex 32 makes a good one",
                weak,
                len(self._tokens),
                WEAK,
            )


def _bytes(token: str) -> bytes:
    """UTF-8; bytes that are none came here as surrogates, and stay different ones."""
    return token.encode("utf-8", "surrogatepass")
