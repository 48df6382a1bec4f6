"""One file over HTTP: resumed where it stopped, checked before it gets its name.

    url ─ ask (Range, If-Range) ─▶ reply ─ append ─▶ NAME.part ─ check ─▶ NAME
           │                         │                  │
       NotReached              cut, slow, 5xx     wrong checksum: removed
           └──── again, a few times ─┘

Bytes that arrived stay in NAME.part when everything else fails: the next run resumes.
"""

import re
import shutil
import time
from collections.abc import Callable
from http.client import HTTPResponse
from pathlib import Path

from . import asking, checksums
from .asking import Again, Refused
from .checksums import FetchFailed
from .pace import Limits, Pace
from .part import Part, validator

_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")

Tell = Callable[[int, int | None], None]  # bytes here, bytes of the whole file


class NotReached(FetchFailed):
    """No server answered: a question of the network, not of the file."""

    code = "not_reached"


def download(
    url: str, target: Path, checksum: str | None, tell: Tell, limits: Limits
) -> Path:
    """Fetch `url` to `target`. Raises FetchFailed; OSError where the disk fails.

    `checksum` is a digest in hex (SHA-256 or MD5), or None where nobody knows it: then
    the server must tell the length. What does not match is removed.
    """
    part = Part(target)
    tried = 0
    while not part.complete:
        tried += 1
        try:
            _receive(url, part, checksum is not None, tell, limits)
        except Again as why:
            if why.status == 416:  # there is no such range: the file has changed
                part.drop()
            if tried >= _tries(why, part, limits):
                raise _given_up(url, why, tried) from None
            time.sleep(limits.first_pause * 2 ** (tried - 1))
        except Refused as why:
            raise FetchFailed(f"{url} was not fetched: {why}.") from None
    if checksum and not checksums.matches(part.file, checksum):
        part.drop()
        raise FetchFailed(
            f"{url} was fetched, but its checksum is not {checksum}: damaged or "
            "another file. It was removed."
        )
    return part.publish()


def _tries(why: Again, part: Part, limits: Limits) -> int:
    """A server that has sent something before is worth waiting for."""
    return limits.tries if why.status or part.size else limits.tries_unanswered


def _given_up(url: str, why: Again, tried: int) -> FetchFailed:
    if why.status is None:
        return NotReached(f"{url} could not be reached, {tried} times: {why}.")
    return FetchFailed(
        f"{url} did not come whole in {tried} tries: {why}. What has arrived is kept; "
        "run the command again to go on."
    )


def _receive(url: str, part: Part, checked: bool, tell: Tell, limits: Limits) -> None:
    """Add to `part` what one reply brings. Raises Again, Refused.

    It goes on only where something will tell that it was the same file.
    """
    if part.size and (part.total is None or not (checked or part.validator)):
        part.drop()
    with asking.ask(url, part.size, part.validator, limits.timeout) as reply:
        if reply.status == 206:
            _agree(reply, part)
        else:
            part.restart(_length(reply), reply.headers)
        _refuse_size(part, checked, limits)
        _append(reply, part, tell, limits)
    if part.total is None:
        part.total = part.size  # the checksum will tell
    if not part.complete:
        raise Again(f"the connection broke after {part.size} of {part.total} bytes")


def _agree(reply: HTTPResponse, part: Part) -> None:
    """A reply that goes on must go on exactly here, with the same file."""
    told = _RANGE.fullmatch(reply.headers.get("Content-Range", ""))
    same = validator(reply.headers) in (None, part.validator)
    if not (same and told and (int(told[1]), int(told[2])) == (part.size, part.total)):
        part.drop()
        raise Again("the file has changed meanwhile")


def _length(reply: HTTPResponse) -> int | None:
    text = reply.headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() else None


def _refuse_size(part: Part, checked: bool, limits: Limits) -> None:
    """Before a byte is written: too large, or nobody knows how large."""
    if part.total is None:
        if not checked:
            raise Refused("the server does not say how long the file is")
        return
    if part.total > limits.most:
        part.drop()
        raise Refused(f"{part.total} bytes are more than the {limits.most} allowed")
    free = shutil.disk_usage(part.file.parent).free
    if part.total - part.size > free:
        raise Refused(f"{part.total} bytes do not fit on the disk, {free} are free")


def _append(reply: HTTPResponse, part: Part, tell: Tell, limits: Limits) -> None:
    pace = Pace(limits)
    most = limits.most if part.total is None else part.total
    with part.file.open("ab") as stream:
        tell(stream.tell(), part.total)
        for chunk in asking.chunks(reply):
            if stream.tell() + len(chunk) > most:
                stream.truncate(0)
                raise Refused(f"the server sent more than {most} bytes")
            stream.write(chunk)
            tell(stream.tell(), part.total)
            pace.count(len(chunk))
