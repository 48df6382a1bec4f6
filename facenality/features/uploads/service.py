"""Stores and deletes uploads for the hub; one thread does the disk I/O."""

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
MAX_WAITING_BYTES = 64 * MIB  # pictures that wait for the disk
R = TypeVar("R")


@dataclass(frozen=True)
class About:
    """What is stored beside an input; `token` is the id of the reply to it."""

    token: str
    model: str
    version: str
    prediction: str
    label: str | None = None


class Uploads:
    """The uploads folder; call it from greenlets of one hub."""

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

        Also if nothing new is stored: older uploads must still be deleted in time.
        """
        while True:
            with suppress(NotStored):  # it has been logged
                if self.keep != "none" or self._on_disk(self._store.exists):
                    self._on_disk(self._store.sweep)
            gevent.sleep(SWEEP_S)

    def store(self, sent: bytes | str, about: About) -> None:
        """Store a picture (bytes) or a text; returns when it is on the disk.

        Raises UnprocessableInput and TooLarge for a bad picture; NotStored.
        """
        self._on_disk(_keep, self._store, sent, about)

    def store_later(self, sent: bytes, about: About) -> None:
        """Store a picture without waiting; drop it if the disk has fallen behind."""
        if self._waiting + len(sent) > MAX_WAITING_BYTES:
            log.warning("uploads: a picture was not stored, the disk is too slow")
            return
        self._waiting += len(sent)
        gevent.spawn(self._store_quietly, sent, about)

    def forget(self, token: str) -> bool:
        """Delete the uploads of the reply with this id; True if there were any."""
        return self._on_disk(self._store.forget, owner_of(token)) > 0

    def _store_quietly(self, sent: bytes, about: About) -> None:
        try:
            self.store(sent, about)
        except FacenalityError as error:
            log.warning("uploads: a picture was not stored: %s", error)
        finally:
            self._waiting -= len(sent)

    def _on_disk(self, function: Callable[..., R], *args: object) -> R:
        try:
            return self._thread.run(function, *args)
        except OSError as error:
            log.error("uploads: %s: %s", self._folder, error.strerror or error)
            raise NotStored(
                "The server cannot write to its uploads folder now; nothing was "
                "changed. Its log says why.",
                retry_after=60.0,
            ) from None


def _keep(store: Store, sent: bytes | str, about: About) -> None:
    """Clean the upload and write it; runs in the thread."""
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
