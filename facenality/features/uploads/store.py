"""The uploads folder: files named by content hash, their index, and the limits.

Use it from one thread of each process; processes share the folder by the index's
transactions. A file is written before its row and deleted before its row. A crash may
leave a file without a row or a row without a file; the next sweep removes both.
"""

import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ...errors import TooLarge
from .index import JOURNAL, NAME, ROW_BYTES, Index, Record, transaction

FILE = re.compile(r"[0-9a-f]{64}\.(png|jpg|txt)")
PART = "part"  # a file that is being written
DAY_S = 86_400.0


class Store:
    """Every method may wait for other processes, and raises OSError if the disk fails.

    Call it from a thread, never on the hub: SQLite and fsync block.
    """

    def __init__(self, folder: Path, max_bytes: int, max_age_days: float) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._max_age = max_age_days * DAY_S

    def exists(self) -> bool:
        """True if something was ever stored in the folder."""
        return any((self._folder / name).exists() for name in (NAME, JOURNAL))

    def keep(self, content: bytes, suffix: str, record: Record) -> None:
        """Write `content`, and its record with file, size and time filled in.

        Deletes the oldest uploads until there is room. Raises TooLarge if `content` is
        larger than the folder may be.
        """
        name = f"{hashlib.sha256(content).hexdigest()}.{suffix}"
        record = replace(record, file=name, size=len(content), time=time.time())
        if len(content) + ROW_BYTES > self._max_bytes:
            raise TooLarge(
                "The upload is larger than the server's whole uploads quota."
            )
        with self._index() as index:
            self._make_room(index, len(content) + ROW_BYTES)
        try:
            with self._index() as index:
                if not (self._folder / name).exists():
                    self._write(name, content)
                index.add(record)
        except OSError:
            self._remove_unused(name)
            raise

    def forget(self, owner: str) -> int:
        """Delete the uploads of `owner`; return their number."""
        if not self.exists():
            return 0
        with self._index() as index:
            records = index.records(owner)
            for record in records:
                self._drop(index, record)
        return len(records)

    def sweep(self) -> None:
        """Delete old uploads, records without a file, and files without a record."""
        with self._index() as index:
            self._make_room(index, 0)
            files = {f.name for f in self._folder.iterdir() if FILE.fullmatch(f.name)}
            records = index.records()
            for record in records:
                if record.file not in files:
                    index.drop(record)
            for name in (*files - {record.file for record in records}, PART):
                (self._folder / name).unlink(missing_ok=True)

    def records(self) -> list[Record]:
        """All records, the oldest first."""
        with self._index() as index:
            return index.records()

    def path(self, record: Record) -> Path:
        """The path of the record's file."""
        return self._folder / record.file

    @contextmanager
    def _index(self) -> Iterator[Index]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with transaction(self._folder) as index:
            yield index

    def _make_room(self, index: Index, size: int) -> None:
        """Delete expired uploads, then the oldest until `size` more bytes fit."""
        limit = time.time() - self._max_age
        while oldest := index.oldest():
            if oldest.time >= limit and index.size + size <= self._max_bytes:
                break
            self._drop(index, oldest)

    def _drop(self, index: Index, record: Record) -> None:
        """Delete the file first: on a full disk SQLite's journal needs its room."""
        if index.uses(record.file) == 1:
            self.path(record).unlink(missing_ok=True)
        index.drop(record)

    def _remove_unused(self, name: str) -> None:
        """Delete a file whose row could not be written, unless another row names it."""
        with self._index() as index:
            if not index.uses(name):
                (self._folder / name).unlink(missing_ok=True)

    def _write(self, name: str, content: bytes) -> None:
        """Write the file completely or not at all, even if the power fails."""
        part = self._folder / PART
        try:
            with open(part, "wb", opener=_private) as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError:
            part.unlink(missing_ok=True)
            raise
        part.replace(self._folder / name)
        _sync_folder(self._folder)


def _private(path: str, flags: int) -> int:
    """An opener for files that only this user may read."""
    return os.open(path, flags, 0o600)


def _sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
