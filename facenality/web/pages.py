"""The page and its static files, held in memory: the hub never waits for a disk."""

import mimetypes
from pathlib import Path

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

FRONTEND = Path(__file__).parents[2] / "frontend"

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
    """`/` and `/static/…`, from the files in `folder` as they are now."""
    blueprint = Blueprint("pages", __name__)
    files = {
        file.relative_to(folder).as_posix(): _response(file)
        for file in folder.rglob("*")
        if file.is_file()
    }

    @blueprint.get("/")
    def index() -> Response:
        return _send(files, "index.html")

    @blueprint.get("/static/<path:name>")
    def static(name: str) -> Response:
        return _send(files, name)

    return blueprint


def _response(file: Path) -> tuple[bytes, str]:
    kind = TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0]
    return file.read_bytes(), kind or "application/octet-stream"


def _send(files: dict[str, tuple[bytes, str]], name: str) -> Response:
    """The file, or 304 where the browser has it. Names carry no hash: ask each time."""
    if name not in files:
        raise NotFound
    content, kind = files[name]
    response = Response(content, mimetype=kind, headers=POLICY)
    response.add_etag()
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response
