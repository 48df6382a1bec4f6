"""The folder of uploads: content-hash files and their index, within size and age.

For one thread of each process; processes share the folder through its lock. A file is
there before its record and gone before its record is: after a crash there may be a file
without a record, which the next sweep removes, but never the other way round for long.
"""

import fcntl
import hashlib
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ..errors import TooLarge
from .index import LINE_BYTES, Index, private, sync, sync_folder
from .record import Record

NAME = re.compile(r"[0-9a-f]{64}\.(png|jpg|txt)")
INDEX = "index.jsonl"
PART = "part"  # a file that is being written
DAY_S = 86_400.0


class Store:
    """Every method takes the lock, and raises OSError where the disk does."""

    def __init__(self, folder: Path, max_bytes: int, max_age_days: float) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._max_age = max_age_days * DAY_S
        self._index = Index(folder / INDEX)

    def exists(self) -> bool:
        """Whether anything was ever kept in the folder."""
        return (self._folder / INDEX).exists()

    def keep(self, content: bytes, suffix: str, record: Record) -> None:
        """Write `content`, and its record with file, size and time filled in.

        The oldest leave until there is room.
        """
        name = f"{hashlib.sha256(content).hexdigest()}.{suffix}"
        record = replace(record, file=name, size=len(content), time=time.time())
        if len(content) + LINE_BYTES > self._max_bytes:
            raise TooLarge("This is more than the server may keep in all.")
        with self._locked():
            self._make_room(len(content) + LINE_BYTES)
            if not (self._folder / name).exists():
                self._write(name, content)
            try:
                self._index.add(record)
            except OSError:
                self._remove_unused([name])
                raise
            self._index.compact()

    def forget(self, owner: str) -> int:
        """Delete what `owner` sent; how much that was."""
        if not self.exists():
            return 0
        with self._locked():
            theirs = [r for r in self._index.records.values() if r.owner == owner]
            self._drop(theirs)
            return len(theirs)

    def sweep(self) -> None:
        """Drop what is too old or lost its file; remove files without a record."""
        with self._locked():
            self._make_room(0)
            files = {f.name for f in self._folder.iterdir() if NAME.fullmatch(f.name)}
            records = list(self._index.records.values())
            self._drop([r for r in records if r.file not in files])
            self._remove_unused([*files, PART])
            self._index.compact()

    def records(self) -> list[Record]:
        """What is kept, the oldest first."""
        with self._locked():
            return list(self._index.records.values())

    def path(self, record: Record) -> Path:
        """Where its file is."""
        return self._folder / record.file

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Be alone in the folder, and know what is in it."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(self._folder / ".lock", "wb", opener=private) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._index.refresh()
            yield

    def _make_room(self, size: int) -> None:
        """Let go what is too old, and then the oldest until `size` more bytes fit."""
        oldest = time.time() - self._max_age
        total, leave = self._index.size + size, []
        going: Counter[str] = Counter()
        for record in self._index.records.values():
            if record.time >= oldest and total <= self._max_bytes:
                break
            leave.append(record)
            going[record.file] += 1
            total -= LINE_BYTES
            if going[record.file] == self._index.uses[record.file]:
                total -= record.size
        self._drop(leave)

    def _drop(self, records: list[Record]) -> None:
        """Files first: on a full disk only that makes room for the index."""
        if not records:
            return
        for name, uses in Counter(r.file for r in records).items():
            if uses == self._index.uses[name]:
                (self._folder / name).unlink(missing_ok=True)
        self._index.drop([r.key for r in records])

    def _remove_unused(self, names: list[str]) -> None:
        for name in names:
            if name not in self._index.uses:
                (self._folder / name).unlink(missing_ok=True)

    def _write(self, name: str, content: bytes) -> None:
        """All or nothing under its name, also through a power cut."""
        part = self._folder / PART
        try:
            with open(part, "wb", opener=private) as stream:
                stream.write(content)
                sync(stream)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        part.replace(self._folder / name)
        sync_folder(self._folder)
