"""Checksums of downloaded files: who names them, and whether a file matches."""

import hashlib
import re
from pathlib import Path

from ..errors import FacenalityError

# A line of `sha256sum` or `md5sum`: the digest, a blank, " " or "*", the name.
_LINE = re.compile(r"([0-9a-fA-F]{64}|[0-9a-fA-F]{32}) [ *](.+)")


class FetchFailed(FacenalityError):
    """A model that could not be fetched; the sentence says what was tried."""

    code = "fetch_failed"


def read(file: Path) -> dict[str, str]:
    """Name -> digest in hex, from a file as `sha256sum` or `md5sum` writes it.

    A folder before a name is left out, as every file that Keras asks for has a name of
    its own. Raises FetchFailed.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FetchFailed(f"--checksums {file} cannot be read: {error}") from None
    found = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line)
        if not match:
            raise FetchFailed(
                f"--checksums {file}, line {number}: it should be as sha256sum writes "
                "it, 'DIGEST  NAME'"
            )
        found[match[2].rsplit("/", 1)[-1]] = match[1].lower()
    return found


def matches(file: Path, checksum: str) -> bool:
    """Whether `file` has this digest: SHA-256 if it is 64 digits long, else MD5."""
    return digest(file, "sha256" if len(checksum) == 64 else "md5") == checksum.lower()


def digest(file: Path, algorithm: str = "sha256") -> str:
    """The digest of a file's content, in hex.

    Keras names MD5 for its older files: good against damage, and against anybody who
    cannot make Keras name another digest; not against who made the file itself.
    """
    with file.open("rb") as stream:
        hasher = hashlib.new(algorithm, usedforsecurity=False)
        return hashlib.file_digest(stream, lambda: hasher).hexdigest()
