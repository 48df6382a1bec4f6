"""index.sqlite: one row for each upload, shared by the processes of this machine.

A transaction also locks the folder: it begins IMMEDIATE, so that only one process at a
time reads rows, writes or removes files, and commits. If a process is killed, the next
one rolls its transaction back. Deleted rows are overwritten by zeros (secure_delete).

An index.jsonl of an earlier version is imported once and removed.
"""

import hashlib
import json
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path

log = logging.getLogger(__name__)

NAME = "index.sqlite"
JOURNAL = "index.jsonl"
ROW_BYTES = 512  # size that a row counts for, in addition to its file
LOCK_TIMEOUT_S = 60.0  # seconds to wait for the transactions of other processes

# Triggers update `total`: adding up all sizes for each upload would take longer and
# longer. A file counts once, however many rows name it.
_SCHEMA = (  # its 512 is ROW_BYTES
    """CREATE TABLE uploads (
        id INTEGER PRIMARY KEY, owner TEXT NOT NULL, file TEXT NOT NULL,
        size INTEGER NOT NULL, time REAL NOT NULL, model TEXT NOT NULL,
        version TEXT NOT NULL, label TEXT, prediction TEXT NOT NULL,
        UNIQUE (owner, file)
    )""",
    "CREATE INDEX uploads_by_file ON uploads (file)",
    "CREATE TABLE total (bytes INTEGER NOT NULL)",
    "INSERT INTO total VALUES (0)",
    """CREATE TRIGGER added AFTER INSERT ON uploads BEGIN
        UPDATE total SET bytes = bytes + 512 + NEW.size *
            ((SELECT count(*) FROM uploads WHERE file = NEW.file) = 1);
    END""",
    """CREATE TRIGGER deleted AFTER DELETE ON uploads BEGIN
        UPDATE total SET bytes = bytes - 512 - OLD.size *
            (NOT EXISTS (SELECT 1 FROM uploads WHERE file = OLD.file));
    END""",
)


@dataclass(frozen=True)
class Record:
    """A stored upload. `owner` is a hash, so readers of the index cannot delete it."""

    owner: str
    file: str  # SHA-256 of the content, and a suffix
    size: int
    time: float  # seconds since 1970
    model: str
    version: str
    label: str | None  # the right label; None if it was not corrected
    prediction: str  # the answer that the sender saw


_COLUMNS = ", ".join(field.name for field in fields(Record))


def owner_of(token: str) -> str:
    """The owner for a reply's id: its hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class Index:
    """The rows, within one transaction, in the order in which they were added."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._sql = connection

    @property
    def size(self) -> int:
        """Bytes of all files, and ROW_BYTES for each row."""
        (size,) = self._sql.execute("SELECT bytes FROM total").fetchone()
        return int(size)

    def records(self, owner: str | None = None) -> list[Record]:
        """All records, or those of `owner`, the oldest first."""
        rows = self._sql.execute(
            f"SELECT {_COLUMNS} FROM uploads WHERE ?1 IS NULL OR owner = ?1 "  # noqa: S608
            "ORDER BY id",
            (owner,),
        )
        return [Record(*row) for row in rows]

    def oldest(self) -> Record | None:
        """The oldest record, or None; it is deleted first."""
        row = self._sql.execute(
            f"SELECT {_COLUMNS} FROM uploads ORDER BY id LIMIT 1"  # noqa: S608
        ).fetchone()
        return Record(*row) if row else None

    def uses(self, file: str) -> int:
        """How many records name this file."""
        (uses,) = self._sql.execute(
            "SELECT count(*) FROM uploads WHERE file = ?", (file,)
        ).fetchone()
        return int(uses)

    def add(self, record: Record) -> None:
        """Add a record; it replaces the same owner's record of the same file."""
        self.drop(record)
        marks = ", ".join("?" * len(fields(Record)))
        self._sql.execute(
            f"INSERT INTO uploads ({_COLUMNS}) VALUES ({marks})",  # noqa: S608
            tuple(map(_storable, astuple(record))),
        )

    def drop(self, record: Record) -> None:
        """Delete a record; no error if it does not exist."""
        self._drop(record.owner, record.file)

    def _drop(self, owner: str, file: str) -> None:
        self._sql.execute(
            "DELETE FROM uploads WHERE owner = ? AND file = ?", (owner, file)
        )

    def prepare(self, journal: Path) -> None:
        """Create the tables if they are missing, and import `journal`."""
        (version,) = self._sql.execute("PRAGMA user_version").fetchone()
        if version:
            return
        for statement in _SCHEMA:
            self._sql.execute(statement)
        if journal.exists():
            for line in journal.read_bytes().splitlines()[1:]:
                self._read(line)
        self._sql.execute("PRAGMA user_version = 1")

    def _read(self, line: bytes) -> None:
        """Apply a line of the journal: add a record, or delete one."""
        try:
            entry = json.loads(line)
            if "drop" in entry:
                owner, file = entry["drop"]
                self._drop(owner, file)
            else:
                self.add(Record(**entry["keep"]))
        except (ValueError, TypeError, KeyError, sqlite3.Error):
            log.warning("uploads: skipped a line of %s that cannot be read", JOURNAL)


@contextmanager
def transaction(folder: Path) -> Iterator[Index]:
    """The index in `folder`, exclusively; commits unless the block raises.

    Raises OSError if the disk or the database fails; then no row has changed.
    """
    file, journal = folder / NAME, folder / JOURNAL
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    try:
        with closing(
            sqlite3.connect(file, LOCK_TIMEOUT_S, isolation_level=None)
        ) as sql:
            sql.execute("PRAGMA secure_delete = ON")
            sql.execute("PRAGMA synchronous = FULL")
            sql.execute("BEGIN IMMEDIATE")
            index = Index(sql)
            index.prepare(journal)
            yield index
            sql.execute("COMMIT")  # without it, closing rolls back
    except sqlite3.Error as error:
        raise OSError(f"{file}: {error}") from error
    journal.unlink(missing_ok=True)


def _storable(value: object) -> object:
    """Replace halves of surrogate pairs, which JSON allows and SQLite does not."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return value
