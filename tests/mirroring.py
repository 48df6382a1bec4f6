"""A mirror of Keras's files: real HTTP, with the habits of bad servers."""

import shutil
import ssl
import subprocess
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from sites import Quiet, Site

Habit = Callable[["Handler"], None]


class Mirror(Site):
    """Serves the files under `root`; use as a context manager.

    `habits` are for the first requests, one each; after them everything goes well.
    `asked` collects the headers of every request.
    """

    def __init__(
        self,
        root: Path,
        *habits: Habit,
        etag: str | None = '"1"',
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.root, self.habits, self.etag = root, list(habits), etag
        self.asked: list[dict[str, str]] = []
        super().__init__(Handler, tls)
        self.server.mirror = self  # type: ignore[attr-defined]
        self.url += "/"


def certified(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate of 127.0.0.1 that nobody has signed, and a context to serve by it.

    Skips the test where openssl is not installed.
    """
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    file, key = folder / "certificate.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=mirror"
    san = ["-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", key, "-out", file]
    subprocess.run([*command.split(), *san, *files], check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(file, key)
    return file, tls


class Handler(Quiet, BaseHTTPRequestHandler):
    """One request; the habits below take it for `self`."""

    def do_GET(self) -> None:
        """The next habit, or a good answer."""
        mirror = self.server.mirror  # type: ignore[attr-defined]
        mirror.asked.append(dict(self.headers))
        habit = mirror.habits.pop(0) if mirror.habits else well
        habit(self)

    @property
    def content(self) -> bytes:
        """The file that is asked for."""
        return (self.server.mirror.root / self.path.lstrip("/")).read_bytes()

    @property
    def start(self) -> int:
        """Where the range begins that is asked for; 0 if the file is another now."""
        etag = self.server.mirror.etag
        if "Range" not in self.headers or self.headers.get("If-Range", etag) != etag:
            return 0
        return int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))

    def head(self, start: int, length: int | None, **headers: str) -> None:
        """The head of a reply with the file from `start` on."""
        self.send_response(206 if start else 200)
        total = len(self.content)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        if length is not None:
            self.send_header("Content-Length", str(length))
        if self.server.mirror.etag:
            self.send_header("ETag", self.server.mirror.etag)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()


def well(handler: Handler) -> None:
    """As a good server: the range, with its length; 404 for what is not there."""
    try:
        content = handler.content
    except (FileNotFoundError, IsADirectoryError):
        handler.send_error(404)
        return
    start = handler.start
    if start >= len(content):
        handler.send_error(416)
        return
    handler.head(start, len(content) - start)
    handler.wfile.write(content[start:])


def cuts(after: int) -> Habit:
    """Closes the connection after so many bytes of the body."""

    def cut(handler: Handler) -> None:
        rest = handler.content[handler.start :]
        handler.head(handler.start, len(rest))
        handler.wfile.write(rest[:after])

    return cut


def without_range(handler: Handler) -> None:
    """Sends the whole file whatever is asked for."""
    handler.head(0, len(handler.content))
    handler.wfile.write(handler.content)


def fails(status: int) -> Habit:
    """Answers with this status."""
    return lambda handler: handler.send_error(status)


def drips(handler: Handler) -> None:
    """One byte at a time, for as long as somebody listens."""
    handler.head(0, len(handler.content))
    try:
        for byte in handler.content:
            handler.wfile.write(bytes([byte]))
            time.sleep(0.02)
    except OSError:
        pass


def hangs(handler: Handler) -> None:
    """Half of the file, and then nothing."""
    handler.head(0, len(handler.content))
    handler.wfile.write(handler.content[: len(handler.content) // 2])
    time.sleep(0.6)


def boasts(length: int) -> Habit:
    """Promises so many bytes."""
    return lambda handler: handler.head(0, length)


def without_length(handler: Handler) -> None:
    """The end of the connection is the end of the file."""
    handler.head(0, None)
    handler.wfile.write(handler.content)


def another_range(handler: Handler) -> None:
    """Goes on at another place than asked for."""
    handler.head(1, len(handler.content) - 1)
    handler.wfile.write(handler.content[1:])


def redirects(to: str) -> Habit:
    """Sends the client elsewhere."""

    def redirect(handler: Handler) -> None:
        handler.send_response(302)
        handler.send_header("Location", to)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return redirect
