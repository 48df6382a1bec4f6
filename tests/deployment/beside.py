"""The shipped nginx site, unmodified, with TLS, beside the container."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from composed import SAMPLE, Composed
from engine import HERE, ROOT, Engine

NAME = "facenality.test"


def certify(folder: Path) -> Path:
    """A certificate as certbot would name it; the file of who signed it."""
    new = ("openssl", "req", "-x509", "-days", "90", "-nodes")
    new += ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    authority, key = folder / "authority.crt", folder / "authority.key"
    _run(
        *(*new, "-subj", "/CN=authority", "-keyout", key, "-out", authority),
        *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
    )
    _run(
        *(*new, "-subj", f"/CN={NAME}", "-CA", authority, "-CAkey", key),
        *("-addext", f"subjectAltName=DNS:{NAME},IP:127.0.0.1"),
        *("-addext", "basicConstraints=critical,CA:FALSE"),
        *("-addext", "keyUsage=critical,digitalSignature"),
        *("-addext", "extendedKeyUsage=serverAuth"),
        *("-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"),
    )
    return authority


def _run(*words: object) -> None:
    subprocess.run(list(map(str, words)), check=True, capture_output=True)


class Site:
    """nginx and the container behind it."""

    def __init__(self, composed: Composed, certificate: Path) -> None:
        self.composed, self.certificate = composed, certificate

    def curl(self, path: str, *words: object) -> str:
        """What curl printed of https://NAME/path."""
        known = ("--resolve", f"{NAME}:443:127.0.0.1", "--cacert", self.certificate)
        return self.composed.curl(*known, f"https://{NAME}{path}", *words)

    def asked(self, path: str, *words: object) -> tuple[int, dict[str, str], str]:
        """Status, headers and body."""
        reply = self.curl(path, "--include", "-H", "Expect:", *words)
        head, _, body = reply.replace("\r\n", "\n").partition("\n\n")
        first, *lines = head.splitlines()
        headers = dict(line.lower().split(": ", 1) for line in lines)
        return int(first.split()[1]), headers, body

    def said_to(self, head: bytes) -> tuple[str, str]:
        """The first line and the body that nginx answers to these bytes."""
        words = ("openssl", "s_client", "-quiet", "-connect", "127.0.0.1:443")
        asked = subprocess.run(
            [*self.composed.engine.prefix, *words, "-ign_eof"],
            input=head,
            capture_output=True,
            timeout=20,
            check=False,
        )
        head_, _, body = asked.stdout.decode().partition("\r\n\r\n")
        return head_.splitlines()[0], body

    def nginx_log(self) -> str:
        """The access log so far."""
        return (self.certificate.parent / "logs" / "facenality.log").read_text()

    def wait_for_predictions(self, more: int, seconds: float = 60) -> None:
        """Until nginx has passed on `more` good answers."""
        enough = self._predictions() + more
        deadline = time.monotonic() + seconds
        while self._predictions() < enough:
            assert time.monotonic() < deadline, self.nginx_log()[-3000:]
            time.sleep(0.1)

    def _predictions(self) -> int:
        return self.nginx_log().count('"POST /predict" 200 ')

    @contextmanager
    def load(self) -> Iterator[dict[str, int]]:
        """Clients that predict meanwhile; afterwards, what they were told."""
        told: dict[str, int] = {}
        words = [*self.composed.engine.prefix, sys.executable, HERE / "load.py"]
        words += ["https://127.0.0.1", self.certificate, SAMPLE]
        clients = subprocess.Popen(
            list(map(str, words)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield told
        finally:
            printed, _ = clients.communicate(timeout=90)
        told |= json.loads(printed)


def why_not(engine: Engine) -> str | None:
    """Why nginx cannot run beside the container."""
    if shutil.which("nginx") is None:
        return "nginx is missing"
    try:
        engine.beside("unshare", "-m", "true")
    except AssertionError:
        return "only root can give nginx mounts of its own"
    taken = engine.beside("sh", "-c", "cat /proc/net/tcp /proc/net/tcp6")
    # Local address, port in hexadecimal; 0A is LISTEN.
    ports = {line.split()[1][-4:] for line in taken.splitlines() if " 0A " in line}
    return "port 80 or 443 is taken" if ports & {"0050", "01BB"} else None


@contextmanager
def nginx(composed: Composed, folder: Path) -> Iterator[Site]:
    """The site, until the block ends."""
    site = Site(composed, certify(folder))
    words = [HERE / "nginx_beside.sh", ROOT / "nginx" / "facenality.conf", folder]
    (folder / "logs").mkdir()
    with (folder / "log").open("w") as log:
        process: subprocess.Popen[Any] = subprocess.Popen(
            [*composed.engine.prefix, *map(str, words)], stderr=log
        )
    try:
        deadline = time.monotonic() + 20
        while not _answers(site):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.1)
        yield site
    finally:
        process.terminate()
        process.wait(20)


def _answers(site: Site) -> bool:
    try:
        return bool(site.curl("/livez", "--fail"))
    except AssertionError:
        return False
