"""The bundled sentiment model behind a token: a server that needs no TensorFlow."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serving import ROOT, Served

TOKEN = "0123456789abcdef"
PREDICT = f"/api/v1/{TOKEN}/predict"


@contextmanager
def texting(models: Path, *flags: str) -> Iterator[Served]:
    """Serve it out of `models`, which is an empty folder."""
    (models / "sentiment").symlink_to(ROOT / "models" / "sentiment")
    with Served(models, "--text-tokens", TOKEN, *flags) as server:
        server.wait_for_log("ready in")
        yield server
