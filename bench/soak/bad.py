"""Bad clients: what each does on a connection of its own, and what it must be told."""

import io
import socket
import struct
import time
import zlib
from collections.abc import Callable
from typing import NamedTuple

from PIL import Image

from ..workload import FORM, form
from .good import DIGIT, JSON

LONG = 45.0  # seconds until a client no longer believes in an answer
OVER = 16 * 2**20  # bytes; the limit is 15 MiB

Act = Callable[[socket.socket], int | None]


class Bad(NamedTuple):
    """A client, the statuses that are right (None: closed without one), how often."""

    act: Act
    expected: tuple[int | None, ...]
    often: int


def post(body: bytes, kind: str, path: str = "/predict", length: int = -1) -> bytes:
    """A request, whose length may be a lie."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body) if length < 0 else length}\r\n\r\n"
    )
    return head.encode() + body


def says(data: bytes) -> Act:
    """Sends, and waits for what comes."""

    def act(sock: socket.socket) -> int | None:
        sock.sendall(data)
        return status(sock)

    return act


def leaves(data: bytes, after: float = 0.0, *, reset: bool = False) -> Act:
    """Sends, and is gone: with a close, or with a reset."""

    def act(sock: socket.socket) -> None:
        sock.sendall(data)
        time.sleep(after)
        if reset:
            linger = struct.pack("ii", 1, 0)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    return act


def drips(at_once: bytes) -> Act:
    """Sends a byte now and then, until the server has enough of it."""

    def act(sock: socket.socket) -> int | None:
        sock.sendall(at_once)
        sock.settimeout(0.5)
        until = time.monotonic() + LONG
        while time.monotonic() < until:
            try:
                return status(sock)
            except TimeoutError:
                sock.sendall(b"a")
        raise TimeoutError

    return act


def flood() -> bytes:
    """More than is allowed, in chunks, without saying how much."""
    plain, chunked = b"Content-Length: 0", b"Transfer-Encoding: chunked"
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    head = post(b"", "image/png").replace(plain, chunked)
    return head + chunk * (OVER // 0x10000) + b"0\r\n\r\n"


def status(sock: socket.socket) -> int | None:
    """Of the first reply; None where the server closes without a word."""
    data = b""
    while b"\r\n" not in data:
        part = sock.recv(65536)
        if not part:
            return None
        data += part
    return int(data.split()[1])


def bomb() -> bytes:
    """A PNG whose head says 40,000 x 40,000 pixels."""
    stream = io.BytesIO()
    Image.new("L", (1, 1)).save(stream, "PNG")
    png = stream.getvalue()
    head = b"IHDR" + struct.pack(">II", 40_000, 40_000) + png[24:29]
    return png[:12] + head + struct.pack(">I", zlib.crc32(head)) + png[33:]


def quick() -> dict[str, Bad]:
    """Those that are done with at once."""
    digit = DIGIT.read_bytes()
    photo, explain = post(form(digit), FORM), post(form(digit), FORM, "/explain")
    twice = post(b"", JSON).replace(b"\r\n\r\n", b"\r\nContent-Length: 7\r\n\r\n")
    fields = b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 33_000 + b"\r\n\r\n"
    refused = {
        "no picture": (post(b"garbage", "image/png"), 422),
        "half a picture": (post(digit[: len(digit) // 2], "image/png"), 422),
        "a bomb": (post(bomb(), "image/png"), 413),
        "half of JSON": (post(b'{"image":', JSON), 400),
        "a wrong shape": (post(b'{"instances":[[1],[2,3]]}', JSON), 422),
        "an unknown model": (post(form(digit), FORM, "/predict?model=no"), 404),
        "an unknown route": (b"GET /no HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        "another type": (post(b"a,b", "text/csv"), 415),
        "a wrong token": (post(b"{}", JSON, "/api/v1/no/predict"), 404),
        "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        "two lengths": (twice, 400),
        "33 KiB of fields": (fields, 431),
        "too long": (post(b"x" * 5000, "image/png", length=OVER), 413),
    }
    gone = {
        "half a body": leaves(photo[: len(photo) // 2]),
        "half a head": leaves(photo[:20]),
        "leaves at once": leaves(photo),
        "leaves soon": leaves(photo, 0.002),
        "resets": leaves(photo, reset=True),
    }
    return {
        **{kind: Bad(says(data), (told,), 5) for kind, (data, told) in refused.items()},
        **{kind: Bad(act, (None,), 10) for kind, act in gone.items()},
        "a flood": Bad(says(flood()), (413,), 1),
        "leaves an explanation": Bad(leaves(explain, 0.05), (None,), 2),
    }


def slow() -> dict[str, Bad]:
    """Those that hold their connection until the server ends it; seconds each."""
    photo = post(form(DIGIT.read_bytes()), FORM)
    return {
        "says nothing": Bad(says(b""), (None,), 1),
        "drips a head": Bad(drips(b"GET / HTTP/1.1\r\nA: "), (408,), 1),
        "drips a body": Bad(drips(photo[:300]), (408,), 1),
    }
