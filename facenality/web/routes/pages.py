"""The page and its static files, held in memory: the hub never waits for a disk."""

import gzip
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

FRONTEND = Path(__file__).parents[3] / "frontend"

# Nothing inline, nothing from elsewhere; pictures of the visit are blob: and data:.
POLICY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        "img-src 'self' blob: data:; connect-src 'self'; media-src 'self' blob:; "
        "manifest-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'"
    ),
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}

# The machine's own table differs from host to host; a module of type text/plain is
# dead.
TYPES = {".js": "text/javascript", ".svg": "image/svg+xml", ".css": "text/css"}


def routes(folder: Path = FRONTEND) -> Blueprint:
    """`/`, `/docs` and `/static/…`, from the files in `folder` as they are now."""
    blueprint = Blueprint("pages", __name__)
    files = {
        file.relative_to(folder).as_posix(): keep(file.read_bytes(), _kind(file))
        for file in folder.rglob("*")
        if file.is_file()
    }

    @blueprint.get("/")
    def index() -> Response:
        return send(files["index.html"])

    @blueprint.get("/docs")
    def docs() -> Response:
        return send(files["docs/docs.html"])

    @blueprint.get("/static/<path:name>")
    def static(name: str) -> Response:
        if name not in files:
            raise NotFound
        return send(files[name])

    return blueprint


@dataclass(frozen=True)
class File:
    """In memory, with its content type."""

    content: bytes
    packed: bytes | None  # by gzip, where that is shorter
    kind: str


def keep(content: bytes, kind: str) -> File:
    """`content`, packed once for all who will ask."""
    packed = gzip.compress(content, mtime=0)
    return File(content, packed if len(packed) < len(content) else None, kind)


def _kind(file: Path) -> str:
    kind = TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0]
    return kind or "application/octet-stream"


def send(file: File) -> Response:
    """The file, or 304 where the browser has it. Names carry no hash: ask each time."""
    packed = file.packed if request.accept_encodings["gzip"] else None
    response = Response(packed or file.content, mimetype=file.kind, headers=POLICY)
    if packed:
        response.content_encoding = "gzip"
    response.vary.add("Accept-Encoding")
    response.add_etag()
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response
