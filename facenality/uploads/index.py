"""index.jsonl: lines are only added, until the dead ones are too many.

To be used under the folder's lock. The first line is the file's own random name: by it
another process knows that the index was written anew. A line that a crash cut short is
cut off by whoever comes next; other processes' lines are read before anything is done.
"""

import logging
import os
import secrets
from collections import Counter
from pathlib import Path
from typing import IO

from . import record
from .record import Key, Record

log = logging.getLogger(__name__)

SPARE_LINES = 1000  # dead ones that are no reason yet to write the index anew
LINE_BYTES = 512  # that a record counts for beside its file


class Index:
    """The live records by key, the oldest first, and how often each file is used."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._begin(b"")

    def _begin(self, name: bytes) -> None:
        self.records: dict[Key, Record] = {}
        self.uses: Counter[str] = Counter()
        self.size = 0  # bytes of all files, and of the index itself, about
        self._name = name
        self._end = len(name)  # of what has been read
        self._lines = 0

    def refresh(self) -> None:
        """Read what was written since the last time, by whomever. Raises OSError."""
        with open(self._file, "a+b", opener=private) as stream:
            stream.seek(0)
            name = stream.readline()
            if name != self._name:
                self._begin(name)
            stream.seek(self._end)
            data = stream.read()
            whole = data[: data.rfind(b"\n") + 1]
            self._end += len(whole)
            stream.truncate(self._end)
        for line in whole.splitlines():
            self._read(line)
        if not name.endswith(b"\n"):
            self._create()

    def _create(self) -> None:
        """Begin a file that is new, or was cut short in its first line."""
        os.truncate(self._file, 0)
        name = _new_name()
        self._begin(b"")
        self._append(name)
        self._name = name

    def add(self, one: Record) -> None:
        """Add a record. Raises OSError, and then nothing has been written."""
        self._append(record.kept(one))
        self._apply(one)

    def drop(self, keys: list[Key]) -> None:
        """Take records away. Raises OSError."""
        self._append(b"".join(map(record.dropped, keys)))
        for key in keys:
            self._apply(key)

    def compact(self) -> None:
        """Write the live records anew where most lines are dead."""
        if self._lines <= 2 * len(self.records) + SPARE_LINES:
            return
        try:
            self._write_anew(self._file.with_name("index.fresh"))
        except OSError as error:
            log.error("uploads: the index stays long: %s", error.strerror)

    def _write_anew(self, fresh: Path) -> None:
        with open(fresh, "wb", opener=private) as stream:
            stream.write(_new_name())
            stream.writelines(map(record.kept, self.records.values()))
            sync(stream)
        fresh.replace(self._file)
        sync_folder(self._file.parent)

    def _read(self, line: bytes) -> None:
        self._lines += 1
        try:
            self._apply(record.read(line))
        except (ValueError, TypeError, KeyError):
            log.warning("uploads: a line of the index cannot be read; it is left out")

    def _apply(self, said: Record | Key) -> None:
        old = self.records.pop(said.key if isinstance(said, Record) else said, None)
        if old:
            self.uses[old.file] -= 1
            self.size -= LINE_BYTES
            if not self.uses[old.file]:
                del self.uses[old.file]
                self.size -= old.size
        if isinstance(said, Record):
            self.records[said.key] = said
            self.uses[said.file] += 1
            self.size += LINE_BYTES + (0 if self.uses[said.file] > 1 else said.size)

    def _append(self, data: bytes) -> None:
        with open(self._file, "ab", buffering=0, opener=private) as stream:
            try:
                written = 0
                while written < len(data):  # a disk that is nearly full takes a part
                    written += stream.write(data[written:])
                sync(stream)
            except OSError:
                stream.truncate(self._end)
                raise
        self._end += len(data)
        self._lines += data.count(b"\n")


def private(path: str, flags: int) -> int:
    """An opener for files that nobody else is to read."""
    return os.open(path, flags, 0o600)


def sync(stream: IO[bytes]) -> None:
    """Make what was written outlast a power cut."""
    stream.flush()
    os.fsync(stream.fileno())


def sync_folder(folder: Path) -> None:
    """The same for a rename in `folder`."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _new_name() -> bytes:
    return b'{"index": "%s"}\n' % secrets.token_hex(16).encode()
