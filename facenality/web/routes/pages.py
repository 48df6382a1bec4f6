"""The page and the API docs, held in memory: the event loop never waits for a disk.

The files of `frontend/` are served under `/static/<version>/`, where the version is a
hash of all of them: a browser may keep them for ever, and never mixes two versions of
the page. The two documents name the version, and are revalidated each time.
"""

import gzip
import hashlib
import mimetypes
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

FRONTEND = Path(__file__).parents[3] / "frontend"
DOCUMENTS = {"/": "index.html", "/docs": "docs/docs.html"}

# Nothing inline and nothing from other origins; the page shows its inputs as blob: and
# data: URLs.
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
REVALIDATE = "no-cache"
KEEP = "public, max-age=31536000, immutable"

# The host's own table may differ, and browsers refuse a module sent as text/plain.
TYPES = {".js": "text/javascript", ".svg": "image/svg+xml", ".css": "text/css"}

# `import './a.js';` and `import { b } from './b.js';`, also over several lines. A call
# of import() is not one: it loads a module when it is first needed.
_IMPORT = re.compile(r"""^import\s(?:[^;'"()]*?\sfrom\s*)?['"]([^'"\n]+)['"];""", re.M)
_ENTRY = re.compile(r'^ *<script type="module" src="static/([^"]+)"></script>\n', re.M)


def routes(folder: Path = FRONTEND) -> Blueprint:
    """`/`, `/docs` and `/static/…`, from the files in `folder` as they are now.

    Raises FileNotFoundError if a module imports one that does not exist.
    """
    blueprint = Blueprint("pages", __name__)
    contents = {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
    version = _version(contents)
    documents = {
        path: keep(_document(contents, name, version), "text/html", REVALIDATE)
        for path, name in DOCUMENTS.items()
    }
    files = {
        f"{version}/{name}": keep(content, _kind(name), KEEP)
        for name, content in contents.items()
        if name not in DOCUMENTS.values()
    }

    @blueprint.get("/")
    def index() -> Response:
        return send(documents["/"])

    @blueprint.get("/docs")
    def docs() -> Response:
        return send(documents["/docs"])

    @blueprint.get("/static/<path:name>")
    def static(name: str) -> Response:
        if name not in files:
            raise NotFound  # also for another version: an open page then reloads
        return send(files[name])

    return blueprint


def _version(contents: dict[str, bytes]) -> str:
    """A hash of all names and contents: 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for name, content in contents.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def _document(contents: dict[str, bytes], name: str, version: str) -> bytes:
    """An HTML file with the version in its URLs.

    One modulepreload line for each module that its script imports, so that they are
    fetched in one round trip instead of one for each level of imports.
    """
    html = contents[name].decode()
    found = _ENTRY.search(html)
    if found:
        lines = (
            f'  <link rel="modulepreload" href="static/{module}">\n'
            for module in static_imports(contents, found[1])
        )
        html = html[: found.end()] + "".join(lines) + html[found.end() :]
    return html.replace('="static/', f'="static/{version}/').encode()


def static_imports(contents: dict[str, bytes], entry: str) -> list[str]:
    """The modules that `entry` imports, directly or through others, sorted.

    Raises FileNotFoundError if one of them is not among `contents`.
    """
    found: set[str] = set()
    waiting = [entry]
    while waiting:
        importer = waiting.pop()
        for target in _IMPORT.findall(contents[importer].decode()):
            module = posixpath.normpath(
                posixpath.join(posixpath.dirname(importer), target)
            )
            if module not in contents:
                raise FileNotFoundError(
                    f"frontend/{importer} imports {target}, which does not exist"
                )
            if module not in found:
                found.add(module)
                waiting.append(module)
    return sorted(found - {entry})


@dataclass(frozen=True)
class File:
    """In memory, with its content type and its Cache-Control header."""

    content: bytes
    packed: bytes | None  # gzip, if that is shorter
    kind: str
    caching: str


def keep(content: bytes, kind: str, caching: str = REVALIDATE) -> File:
    """`content`, compressed once for all requests."""
    packed = gzip.compress(content, mtime=0)
    return File(content, packed if len(packed) < len(content) else None, kind, caching)


def _kind(name: str) -> str:
    kind = TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0]
    return kind or "application/octet-stream"


def send(file: File) -> Response:
    """The file, or 304 if the browser has it already."""
    packed = file.packed if request.accept_encodings["gzip"] else None
    response = Response(packed or file.content, mimetype=file.kind, headers=POLICY)
    if packed:
        response.content_encoding = "gzip"
    response.vary.add("Accept-Encoding")
    response.add_etag()
    response.headers["Cache-Control"] = file.caching
    response.make_conditional(request)
    return response
