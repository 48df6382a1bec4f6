"""One GET for (the rest of) a file: the reply, or why there is none.

Proxies are taken from the environment, as the operator's other tools do.
"""

import ssl
from collections.abc import Iterator
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from .. import __version__

CHUNK = 256 * 1024
_LATER = (408, 416, 425, 429)  # and 5xx: another try may have another answer


class Again(Exception):
    """Not this time; `status` is the HTTP status, None where no server answered."""

    def __init__(self, why: str, status: int | None = 200) -> None:
        super().__init__(why)
        self.status = status


class Refused(Exception):
    """Asking again would not help."""


def ask(url: str, start: int, validator: str | None, timeout: float) -> HTTPResponse:
    """The reply to a GET of `url` from byte `start` on: 200 (all of it) or 206.

    `validator` makes the server send all of a file that is no longer the same.
    `timeout` is in seconds without a byte. Raises Again, Refused.
    """
    request = Request(url, headers=_headers(start, validator))  # noqa: S310  checked by mirror.py
    try:
        reply: HTTPResponse = build_opener(_Redirects).open(request, timeout=timeout)
    except HTTPError as error:
        error.close()
        raise _judged(error.code, error.reason) from None
    except URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise Refused(f"its certificate is not trusted ({error.reason})") from None
        raise Again(_said(error.reason), None) from None
    except (HTTPException, OSError) as error:
        raise Again(_said(error), None) from None
    return reply


def chunks(reply: HTTPResponse) -> Iterator[bytes]:
    """The body, as it comes. Raises Again when the connection breaks."""
    try:
        # read1 returns what is there; read would wait until a drip has filled a chunk.
        while chunk := reply.read1(CHUNK):
            yield chunk
    except (HTTPException, OSError) as error:
        raise Again(f"the connection broke ({_said(error)})") from None


def _headers(start: int, validator: str | None) -> dict[str, str]:
    headers = {
        "User-Agent": f"facenality/{__version__}",
        "Accept-Encoding": "identity",  # a checksum is of the file, not of its gzip
    }
    if start:
        headers["Range"] = f"bytes={start}-"
        if validator:
            headers["If-Range"] = validator
    return headers


def _judged(status: int, reason: str) -> Again | Refused:
    said = f"the server answered {status} {reason}".rstrip()
    return Again(said, status) if status in _LATER or status >= 500 else Refused(said)


def _said(error: object) -> str:
    """What an error says; `OSError` puts a number before it."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


class _Redirects(HTTPRedirectHandler):
    """Follow redirects, but never from https to anything less."""

    def redirect_request(
        self,
        req: Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> Request | None:
        allowed = ("https:",) if req.type == "https" else ("https:", "http:")
        if not newurl.lower().startswith(allowed):
            fp.close()
            raise Refused(f"the server redirects from {req.type} to {newurl}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
