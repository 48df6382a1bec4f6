"""Where the files that Keras asks for are taken from: its own origin, or a mirror."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from . import checksums
from .checksums import FetchFailed
from .download import Tell, download
from .pace import Limits

# What --mirror stands in for. Source: the addresses in keras/src/applications/*.py; the
# last one is EfficientNet's.
ORIGINS = (
    "https://storage.googleapis.com/tensorflow/keras-applications/",
    "https://storage.googleapis.com/download.tensorflow.org/data/",
    "https://storage.googleapis.com/keras-applications/",
)


@dataclass(frozen=True)
class Asked:
    """A file that Keras wants."""

    name: str
    origin: str  # Keras's own address of it
    checksum: str | None  # that Keras knows: a digest in hex, SHA-256 or MD5


@dataclass(frozen=True)
class Source:
    """The operator's choice of where files come from; `named` are his own checksums."""

    mirror: str | None
    cache_dir: Path
    named: Mapping[str, str]

    def checksum(self, asked: Asked) -> str | None:
        """What the file must match: the operator's word goes before Keras's.

        It goes by the name in the address: Keras calls a few files otherwise at home.
        """
        return self.named.get(asked.origin.rsplit("/", 1)[-1], asked.checksum)

    def get(self, asked: Asked, tell: Tell, limits: Limits) -> Path:
        """The file, from the cache where it is whole. Raises FetchFailed, OSError."""
        url, checksum = self.url(asked), self.checksum(asked)
        if checksum is None and not url.startswith("https:"):
            raise FetchFailed(
                f"Keras knows no checksum of {asked.name}, so it is taken over https "
                "only, or with --checksums FILE that names it."
            )
        target = self.cached(asked)
        if target.is_file():
            if checksum is None or checksums.matches(target, checksum):
                return target
            target.unlink()
        target.parent.mkdir(parents=True, exist_ok=True)
        return download(url, target, checksum, tell, limits)

    def cached(self, asked: Asked) -> Path:
        """Its place in the cache: files of the same name from two places differ."""
        place = sha256(self.url(asked).encode()).hexdigest()[:12]
        return self.cache_dir / "fetch" / f"{place}-{asked.name}"

    def url(self, asked: Asked) -> str:
        """Its address here. Raises FetchFailed where the mirror stands in for none."""
        if self.mirror is None:
            return asked.origin
        for origin in ORIGINS:
            if asked.origin.startswith(origin):
                return f"{self.mirror.rstrip('/')}/{asked.origin.removeprefix(origin)}"
        raise FetchFailed(f"--mirror has no place for {asked.origin}")


def checked(mirror: str | None) -> str | None:
    """`mirror`, an http or https address to which paths can be added.

    Raises FetchFailed. A password in it would end up in messages and logs.
    """
    if mirror is None:
        return None
    try:
        parts = urlsplit(mirror)
        usable = parts.scheme in ("http", "https") and parts.hostname
        plain = mirror.isascii() and mirror.isprintable() and " " not in mirror
        if usable and plain and parts.port != 0 and not set("@?#") & set(mirror):
            return mirror
    except ValueError:  # a port that is no number, a broken [IPv6] address
        pass
    raise FetchFailed(
        "--mirror must be an http or https address, without user, password or query, "
        "such as https://mirror.example/keras/"
    )
