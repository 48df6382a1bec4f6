"""A Docker engine for the tests: the machine's own, or one that lives for the tests.

Where no engine runs, root on Debian starts one: images are built with the host's
network and no bridge; then the engine is started again inside a network namespace of
its own, so that 172.16.239.10 exists there and nowhere else.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
BASES = {
    "python:3.11-slim-bookworm": "python3,python3-venv",
    "nginx:1.30": "nginx-light",
}
KEPT = Path(os.environ.get("BASE_IMAGES", "/var/tmp/facenality-bases"))


def unavailable() -> str | None:
    """Why no container can run here; None where one can."""
    if _answers(os.environ):
        return None
    if os.geteuid() != 0:
        return "no Docker engine runs, and only root can start one"
    missing = [t for t in ("dockerd", "mmdebstrap", "nsenter") if not shutil.which(t)]
    return f"no Docker engine runs, and {missing[0]} is missing" if missing else None


def kept_file(name: str, maker: Path, *more: str, **environ: str) -> Path:
    """A file that `maker OUT more…` makes; again only when `maker` has changed."""
    words = "\0".join((maker.read_text(), *more))
    file = KEPT / f"{hashlib.sha256(words.encode()).hexdigest()[:8]}-{name}"
    if not file.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        # Under a name of its own: another process may make it as well.
        ours = file.with_name(f"{file.name}.{os.getpid()}")
        subprocess.run([maker, ours, *more], env=os.environ | environ, check=True)
        ours.rename(file)
    return file


def _answers(environ: Any) -> bool:
    if not shutil.which("docker"):
        return False
    done = subprocess.run(["docker", "info"], env=environ, capture_output=True)
    return done.returncode == 0


def cannot(why: str) -> None:
    """Skip the test; where CI promised that it can run, fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


class Engine:
    """`docker`, and commands beside its containers; use as a context manager."""

    def __init__(self) -> None:
        self.own = not _answers(os.environ)
        self.environ = dict(os.environ, DOCKER_BUILDKIT="0")
        self.prefix: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if self.own:
            try:
                self._begin()
            except BaseException:
                self.__exit__()
                raise
        return self

    def _begin(self) -> None:
        self._name = f"facenality{os.getpid()}"
        self._work = Path(tempfile.mkdtemp(prefix="engine.", dir="/var/tmp"))
        self.environ |= {
            "DOCKER_HOST": f"unix://{self._work}/docker.sock",
            "DOCKER_CONFIG": str(self._work / "config"),
        }
        self._start("--bridge=none", "--iptables=false", "--ip-forward=false")
        for name, packages in BASES.items():
            self._import(name, packages)
        self._plug_in(self._work / "config" / "cli-plugins" / "docker-compose")

    def __exit__(self, *_: object) -> None:
        if not self.own:
            return
        if self._process:
            self._stop()
        subprocess.run(["ip", "netns", "del", self._name], capture_output=True)
        subprocess.run(["umount", "-R", self._work], capture_output=True)
        shutil.rmtree(self._work, ignore_errors=True)
        groups = sorted(
            Path("/sys/fs/cgroup").rglob(f"{self._name}*/**/"), reverse=True
        )
        for group in groups:
            subprocess.run(["rmdir", group], capture_output=True)

    def enter_network(self) -> None:
        """From here on containers run, in a network that only this test sees."""
        if not self.own:
            return
        self._stop()
        subprocess.run(["ip", "netns", "add", self._name], check=True)
        # Not `ip netns exec`: that one remounts /sys and hides the control groups.
        self.prefix = ["nsenter", f"--net=/run/netns/{self._name}"]
        self.beside("ip", "link", "set", "lo", "up")
        self._start()

    def composes(self) -> list[list[str]]:
        """Each Compose that is here, the newest last."""
        known = (["docker-compose"], ["docker", "compose"])
        return [one for one in known if self._succeeds(*one, "version")]

    @contextmanager
    def tagged(self, image: str, name: str) -> Iterator[None]:
        """Call `image` something else meanwhile."""
        before = self.docker("inspect", "-f", "{{.Id}}", name).strip()
        self.docker("tag", image, name)
        try:
            yield
        finally:
            self.docker("tag", before, name)

    def docker(self, *words: object, **more: Any) -> str:
        """What `docker …` printed."""
        return self.run("docker", *words, **more)

    def beside(self, *words: object, **more: Any) -> str:
        """What a command printed that ran in the containers' network."""
        return self.run(*self.prefix, *words, **more)

    def run(self, *words: object, **more: Any) -> str:
        """What a command printed. Raises AssertionError with its complaint."""
        done = subprocess.run(
            [str(word) for word in words],
            env=self.environ,
            capture_output=True,
            text=True,
            cwd=more.pop("cwd", ROOT),
            **more,
        )
        if done.returncode:
            raise AssertionError(
                f"{words} failed: {done.stdout[-3000:]}{done.stderr[-3000:]}"
            )
        return done.stdout

    def _succeeds(self, *words: str) -> bool:
        try:
            self.run(*words)
        except (AssertionError, OSError):
            return False
        return True

    def _start(self, *options: str) -> None:
        words = ["dockerd", "--data-root", self._work / "root"]
        words += ["--exec-root", self._work / "exec", "--pidfile", self._work / "pid"]
        words += ["-H", self.environ["DOCKER_HOST"], "--storage-driver", "overlay2"]
        words += [f"--cgroup-parent=/{self._name}", *options]
        with (self._work / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self.prefix, *map(str, words)], stdout=log, stderr=log
            )
        deadline = time.monotonic() + 30
        while not _answers(self.environ):
            assert time.monotonic() < deadline, (self._work / "log").read_text()[-3000:]
            time.sleep(0.1)

    def _stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(60)
        self._process = None
        for mount in (self._work / "exec" / "netns").glob("*"):
            subprocess.run(["umount", mount], capture_output=True)

    def _plug_in(self, plugin: Path) -> None:
        kept = kept_file("compose-v2", HERE / "compose_v2.sh")
        plugin.parent.mkdir(parents=True)
        plugin.symlink_to(kept)

    def _import(self, name: str, packages: str) -> None:
        tar = kept_file(
            f"{name.replace(':', '_')}.tar", HERE / "base_image.sh", packages
        )
        path = "PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
        command = 'CMD ["nginx", "-g", "daemon off;"]'
        self.docker(
            "import", "-c", f"ENV {path} LANG=C.UTF-8", "-c", command, tar, name
        )
