"""Keep and forget, for the hub: the disk is reached through one thread."""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import gevent

from ...errors import FacenalityError, NotStored
from ...scheduling.thread_pool import ThreadPool
from ...settings import MIB, Settings
from .index import Record, owner_of
from .sanitize import clean
from .store import Store

log = logging.getLogger(__name__)

SWEEP_S = 3600.0
MAX_WAITING_BYTES = 64 * MIB  # of pictures that the disk is too slow for
R = TypeVar("R")


@dataclass(frozen=True)
class About:
    """What is noted beside an input. `token` is the id of the reply that it got."""

    token: str
    model: str
    version: str
    prediction: str
    label: str | None = None


class Uploads:
    """The uploads folder, for greenlets of one hub."""

    def __init__(self, settings: Settings) -> None:
        self.keep = settings.keep_uploads
        self.max_age_days = settings.uploads_max_age_days
        self._folder = settings.uploads_dir
        self._store = Store(
            settings.uploads_dir, settings.uploads_max_bytes, self.max_age_days
        )
        self._thread = ThreadPool(1)
        self._waiting = 0

    def run(self) -> None:
        """Enforce age and size for as long as the server runs.

        Also where nothing more is kept: what was kept before has to leave in its time.
        """
        while True:
            with suppress(NotStored):  # the log has it
                if self.keep != "none" or self._on_disk(self._store.exists):
                    self._on_disk(self._store.sweep)
            gevent.sleep(SWEEP_S)

    def store(self, sent: bytes | str, about: About) -> None:
        """Keep a picture (bytes) or a text, once it is on the disk.

        Raises UnprocessableInput and TooLarge for what is no picture, NotStored.
        """
        self._on_disk(_keep, self._store, sent, about)

    def store_later(self, sent: bytes, about: About) -> None:
        """Keep a picture without waiting; not where the disk has fallen behind."""
        if self._waiting + len(sent) > MAX_WAITING_BYTES:
            log.warning("uploads: a picture was not kept, the disk is too slow")
            return
        self._waiting += len(sent)
        gevent.spawn(self._store_quietly, sent, about)

    def forget(self, token: str) -> bool:
        """Delete what the reply with this id had kept; whether there was anything."""
        return self._on_disk(self._store.forget, owner_of(token)) > 0

    def _store_quietly(self, sent: bytes, about: About) -> None:
        try:
            self.store(sent, about)
        except FacenalityError as error:
            log.warning("uploads: a picture was not kept: %s", error)
        finally:
            self._waiting -= len(sent)

    def _on_disk(self, function: Callable[..., R], *args: object) -> R:
        try:
            return self._thread.run(function, *args)
        except OSError as error:
            log.error("uploads: %s: %s", self._folder, error.strerror or error)
            raise NotStored(
                "The server's folder of uploads cannot be written now; nothing was "
                "changed. Its log says why.",
                retry_after=60.0,
            ) from None


def _keep(store: Store, sent: bytes | str, about: About) -> None:
    """In the thread: clean, then write."""
    content, suffix = (sent.encode(), "txt") if isinstance(sent, str) else clean(sent)
    record = Record(
        owner_of(about.token),
        file="",
        size=0,
        time=time.time(),
        model=about.model,
        version=about.version,
        label=about.label,
        prediction=about.prediction,
    )
    store.keep(content, suffix, record)
