"""A request's head -> the WSGI environ of PEP 3333."""

from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from .head import Head

_PLAIN = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}


def environ_of(head: Head, given: dict[str, Any]) -> dict[str, Any]:
    """`given` with what `head` says.

    A field that is repeated is joined by commas. Names with an underscore are left out:
    in the environ they could not be told from the same with a hyphen.
    """
    target = head.target
    environ = given | {
        "REQUEST_METHOD": head.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(target.path.decode("ascii"), "latin-1"),
        "QUERY_STRING": target.query.decode("ascii"),
        "SERVER_PROTOCOL": head.version,
    }
    for name, value in head.fields:
        if b"_" in name:
            continue
        key, text = _key(name), value.decode("latin-1")
        if key in environ and key != "CONTENT_LENGTH":
            text = environ[key] + ("; " if key == "HTTP_COOKIE" else ",") + text
        environ[key] = text
    if target.host is not None:
        environ["HTTP_HOST"] = target.host.decode("ascii")
    return environ


@lru_cache(maxsize=512)
def _key(name: bytes) -> str:
    plain = _PLAIN.get(name)
    return plain or "HTTP_" + name.decode("ascii").upper().replace("-", "_")
