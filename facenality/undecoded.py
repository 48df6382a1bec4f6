"""An instance that is decoded by the thread that computes it.

Decoder threads are for many. A request that is alone is soonest done where one thread
does both: it saves two hops between threads, and the pixels are still in that core's
cache.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from .arrays import Arrays
from .errors import Expired, FacenalityError

log = logging.getLogger(__name__)


class Undecoded:
    """`seconds` is what decoding took; whoever no longer waits sets `gone`."""

    def __init__(self, decode: Callable[[Any], Arrays], payload: Any) -> None:
        self._decode = decode
        self._payload = payload
        self.seconds = 0.0
        self.gone = False

    def decoded(self) -> Arrays:
        """The instance. Raises FacenalityError; Expired where nobody waits any more."""
        started = time.monotonic()
        try:
            instance = self._decode(self._payload)
        except FacenalityError:
            raise
        except Exception:
            log.exception("decoding failed")
            raise FacenalityError(
                "The server failed on this input; its log says why."
            ) from None
        self.seconds = time.monotonic() - started
        if self.gone:
            raise Expired("Nobody waits for it any more.")
        return instance
