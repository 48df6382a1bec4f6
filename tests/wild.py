"""Servers of the wild Internet: raw HTTP and HTTPS, with what bad ones do."""

import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

import pytest

Habit = bytes | Callable[["Wild", Any], None]


class Wild:
    """Answers each path by its habit, once a connection; use as a context manager.

    `asked` collects the requests' heads, `connections` counts who came at all.
    """

    def __init__(
        self,
        habits: Mapping[str, Habit],
        *,
        host: str = "127.0.0.1",
        name: str = "localhost",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.habits = dict(habits)
        self.asked: list[str] = []
        self.connections = 0
        self.hung_up = 0
        self.over = Event()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family, backlog=256)
        self._tls = tls
        self.port = self._listener.getsockname()[1]
        scheme = "https" if tls else "http"
        self.authority = f"{name}:{self.port}"
        self.url = f"{scheme}://{self.authority}"
        self._threads = [Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        # close() alone would leave accept() waiting.
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(20)
        self._listener.close()

    def wait_for_hung_up(self, count: int, seconds: float = 8) -> None:
        """Until so many clients have closed before they were answered."""
        deadline = time.monotonic() + seconds
        while self.hung_up < count:
            assert time.monotonic() < deadline, f"{self.hung_up} of {count} hung up"
            time.sleep(0.01)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(20)
            try:
                if self._tls:
                    with self._tls.wrap_socket(connection, server_side=True) as tls:
                        self._answer(tls)
                else:
                    self._answer(connection)
            except OSError:
                self.hung_up += 1

    def _answer(self, connection: Any) -> None:
        sent = b""
        while b"\r\n\r\n" not in sent:
            more = connection.recv(65536)
            if not more:
                return
            sent += more
        head, _, rest = sent.partition(b"\r\n\r\n")
        self.asked.append(head.decode() + "\r\n")
        length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
        left = int(length[1]) - len(rest) if length else 0
        while left > 0:  # a body that nobody reads would end in a reset
            left -= len(connection.recv(65536)) or left
        path = head.split(b" ")[1].decode().partition("?")[0]
        habit = self.habits.get(path, reply(b"", status="404 Not Found"))
        if isinstance(habit, bytes):
            connection.sendall(habit)
        else:
            habit(self, connection)


def reply(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """A whole and honest reply."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode() + body


def head(*headers: str) -> bytes:
    """The head of a reply, whose body is the habit's business."""
    return "".join(f"{h}\r\n" for h in ("HTTP/1.1 200 OK", *headers, "")).encode()


def chunked(body: bytes, size: int) -> bytes:
    """A reply in chunks."""
    parts = [body[i : i + size] for i in range(0, len(body), size)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return head("Transfer-Encoding: chunked") + chunks + b"0\r\n\r\n"


def redirect(to: str, status: str = "302 Found") -> bytes:
    """Go elsewhere."""
    return reply(b"", f"Location: {to}", status=status)


def drips(start: bytes, drop: bytes = b"x", pause: float = 0.02) -> Habit:
    """`start`, and then a drop now and then, for ever."""

    def drip(server: Wild, connection: Any) -> None:
        connection.sendall(start)
        while not server.over.is_set():
            connection.sendall(drop)
            time.sleep(pause)

    return drip


def hangs(start: bytes = b"") -> Habit:
    """`start`, and then nothing until the client hangs up."""

    def hang(server: Wild, connection: Any) -> None:
        connection.sendall(start)
        connection.settimeout(0.05)
        while not server.over.is_set():
            try:
                if connection.recv(1) == b"":
                    raise ConnectionResetError
            except TimeoutError:
                continue

    return hang


def floods(start: bytes, what: bytes) -> Habit:
    """`start`, and then `what` as fast as it goes, for ever."""

    def flood(server: Wild, connection: Any) -> None:
        connection.sendall(start)
        while not server.over.is_set():
            connection.sendall(what * 4096)

    return flood


class Authority:
    """A certificate authority of the test's own; `file` is what trusts it."""

    def __init__(self, folder: Path) -> None:
        if not shutil.which("openssl"):
            pytest.skip("openssl is not installed")
        self._folder = folder
        self.file = folder / "ca.pem"
        self._openssl(
            "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=Authority "
            "-keyout ca.key -out ca.pem"
        )

    def serves(self, *names: str, days: int = 2) -> ssl.SSLContext:
        """A context to serve by, for a certificate of `names` (DNS:…, IP:…)."""
        (self._folder / "san").write_text(f"subjectAltName={','.join(names)}\n")
        self._openssl(
            "req -newkey rsa:2048 -nodes -subj /CN=leaf -keyout leaf.key -out leaf.csr"
        )
        self._openssl(
            f"x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -days {days} "
            "-extfile san -out leaf.pem"
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._folder / "leaf.pem", self._folder / "leaf.key")
        return context

    def _openssl(self, command: str) -> None:
        subprocess.run(
            ["openssl", *command.split()],
            cwd=self._folder,
            check=True,
            capture_output=True,
        )
