"""A proxy on the loopback that is the servers of Keras's files, under TLS.

It answers CONNECT itself and serves files under a certificate of the test's own: so
Keras downloads by its real addresses, and nothing leaves this machine.
"""

import shutil
import ssl
import subprocess
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from sites import Quiet, Site

HOST = "storage.googleapis.com"
Habit = Callable[["Handler", bytes], None]


class Proxy(Site):
    """Serves the files in `root` by their names; use as a context manager.

    `habit` answers a GET, given the file's content. `asked` collects hosts and names.
    """

    def __init__(self, root: Path, tls: ssl.SSLContext, habit: Habit | None = None):
        self.root, self.tls, self.habit = root, tls, habit or well
        self.asked: list[tuple[str, str]] = []
        super().__init__(Handler)
        self.server.proxy = self  # type: ignore[attr-defined]


def certified(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate of Keras's host that nobody has signed, and a context to serve it.

    Skips the test where openssl is not installed.
    """
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    file, key = folder / "certificate.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test"
    san = ["-addext", f"subjectAltName=DNS:{HOST}"]
    files = ["-keyout", key, "-out", file]
    subprocess.run([*command.split(), *san, *files], check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(file, key)
    return file, tls


class Handler(Quiet, BaseHTTPRequestHandler):
    """A CONNECT, and in its tunnel one GET."""

    host = ""

    def do_CONNECT(self) -> None:
        """Open the tunnel, whose other end is this handler."""
        self.host = self.path
        self.send_response(200)
        self.end_headers()
        proxy = self.server.proxy  # type: ignore[attr-defined]
        try:
            self.connection = proxy.tls.wrap_socket(self.connection, server_side=True)
        except OSError:  # the client does not trust the certificate
            return
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", 0)
        self.close_connection = False

    def do_GET(self) -> None:
        """The file of that name, or 404."""
        proxy = self.server.proxy  # type: ignore[attr-defined]
        name = self.path.rsplit("/", 1)[-1]
        proxy.asked.append((self.host, name))
        file = proxy.root / name
        if not file.is_file():
            self.send_error(404)
            return
        content = file.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        proxy.habit(self, content)

    def finish(self) -> None:
        """Close the tunnel, too."""
        super().finish()
        self.connection.close()


def well(handler: Handler, content: bytes) -> None:
    """As a good server."""
    handler.wfile.write(content)


def cuts(handler: Handler, content: bytes) -> None:
    """Closes the connection after half of the file."""
    handler.wfile.write(content[: len(content) // 2])


def drips(handler: Handler, content: bytes) -> None:
    """Half of the file, and then little by little, as long as somebody listens."""
    half = len(content) // 2
    try:
        handler.wfile.write(content[:half])
        for start in range(half, len(content), 1000):
            handler.wfile.write(content[start : start + 1000])
            time.sleep(0.1)
    except OSError:
        pass


def hangs(handler: Handler, content: bytes) -> None:
    """Half of the file, and then nothing for as long as a test waits."""
    handler.wfile.write(content[: len(content) // 2])
    time.sleep(8)
