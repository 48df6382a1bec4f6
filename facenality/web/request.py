"""A request's body -> payloads: forms, image bodies, JSON and compressed bodies.

Also reads the numbers (1, 2, …) that clients write in queries, forms and paths.
"""

import re
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import IO, Any

import flask
from flask import request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from ..arrays import LISTS
from ..errors import Malformed, TooLarge, UnprocessableInput, UnsupportedType
from ..scheduling.decode_pool import DecodePool, DecodeQueueKey
from ..tasks import Payload
from . import multipart

FIELDS = ("image", "file")  # of a form; clients of two older servers use one each
JSON_FIELDS = ("image", "url", "text", "instances")
MAX_FILES = 64
PIECE_BYTES = 256 * 1024


class Request(flask.Request):
    """Reads its whole body into memory, up to `max_body_bytes`."""

    def body(self) -> bytes:
        """The whole body. Raises RequestEntityTooLarge.

        werkzeug silently truncates a chunked body at the limit, so this looks for more.
        """
        stream = self.stream  # refuses a length beyond the limit
        if self.content_length is not None:
            return _exactly(self.environ["wsgi.input"], self.content_length)
        body: bytes = stream.read()
        try:
            more = self.environ["wsgi.input"].read(1)
        except OSError:
            raise Malformed("The chunks of the body cannot be read.") from None
        if more:
            raise RequestEntityTooLarge
        return body


@dataclass(frozen=True)
class Sent:
    """The payloads of one request; `many` means that the results go into a list.

    `others` holds the other fields of the form or the JSON.
    """

    payloads: list[Payload]
    many: bool
    fetch_seconds: float | None = None  # if the payload was fetched from a URL
    others: Mapping[str, Any] = field(default_factory=dict)


Fetch = Callable[[str], bytes]
ReadJson = Callable[["Request"], Any]


def unfetched(_url: str) -> bytes:
    """A `Fetch` for routes that do not take URLs."""
    raise UnprocessableInput("Send the image itself, not its URL.")


def read(
    request: Request, fields: Iterable[str], read_json: ReadJson, fetch: Fetch
) -> Sent:
    """The payloads in `request`, for a task that takes these JSON `fields`.

    Raises Malformed, TooLarge, UnsupportedType, UnprocessableInput, and what
    `read_json` and `fetch` raise.
    """
    mimetype = request.mimetype
    if mimetype == "multipart/form-data":
        return _form(request)
    if mimetype.startswith("image/"):
        return Sent([request.body()], many=False)
    if mimetype == "application/json" or mimetype.endswith("+json"):
        return _json(read_json(request), tuple(fields), fetch)
    raise UnsupportedType(
        f"The content type {mimetype or 'of this request'!r} is not supported; send "
        "multipart/form-data with a file in 'image', an image/* body, or JSON."
    )


def _form(request: Request) -> Sent:
    form = multipart.parse(request.body(), request.mimetype_params.get("boundary", ""))
    files = [one for name in FIELDS for field, one in form.files if field == name]
    if not files:
        raise Malformed(
            "The form has no file in the field 'image' (or 'file'); with curl, use "
            "-F image=@picture.jpg.",
            code="no_file",
        )
    _check_count(len(files))
    return Sent(list(files), many=len(files) > 1, others=form.texts)


def _exactly(stream: IO[bytes], length: int) -> bytes:
    """Read `length` bytes in few pieces; werkzeug would copy them 64 KiB at a time."""
    pieces = []
    while length > 0:
        try:
            piece = stream.read(min(length, PIECE_BYTES))
        except OSError:
            piece = b""
        if not piece:
            raise ClientDisconnected
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)


def _json(document: Any, fields: tuple[str, ...], fetch: Fetch) -> Sent:
    field = _only_field(document)
    if field not in fields:
        raise UnprocessableInput(
            f"This model does not take {field!r}; it takes {' or '.join(fields)}."
        )
    sent = _payloads(field, document[field], fetch)
    return replace(sent, others={k: v for k, v in document.items() if k != field})


def _only_field(document: Any) -> str:
    """The field that carries the input, of which there must be exactly one."""
    if not isinstance(document, dict):
        raise Malformed('The JSON must be an object, like {"image": "<base64>"}.')
    present = [field for field in JSON_FIELDS if field in document]
    if len(present) != 1:
        raise Malformed(f"The JSON needs exactly one of {', '.join(JSON_FIELDS)}.")
    return present[0]


def _payloads(field: str, value: Any, fetch: Fetch) -> Sent:
    if field == "instances":
        if not isinstance(value, LISTS) or not len(value):
            raise Malformed("'instances' must be a list with at least one instance.")
        _check_count(len(value))
        return Sent(list(value), many=True)
    if not isinstance(value, str):
        raise Malformed(f"{field!r} must be a string.")
    if field == "url":
        started = time.monotonic()
        fetched = fetch(value)
        return Sent([fetched], many=False, fetch_seconds=time.monotonic() - started)
    return Sent([value], many=False)


def _check_count(count: int) -> None:
    if count > MAX_FILES:
        raise TooLarge(
            f"The request has {count} inputs; at most {MAX_FILES} are allowed.",
            code="too_many_inputs",
        )


# zlib's wbits: a gzip member, or the zlib stream that HTTP calls deflate.
ENCODINGS = {"gzip": 31, "deflate": 15}


def body(
    request: Request, decoders: DecodePool, key: DecodeQueueKey, most: int
) -> bytes:
    """The body of at most `most` bytes, decompressed in the decode queue of `key`.

    Raises Malformed, TooLarge, UnsupportedType.
    """
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding != "identity" and encoding not in ENCODINGS:
        raise UnsupportedType(
            f"Content-Encoding {encoding[:80]!r} is not supported; send gzip, deflate "
            "or none."
        )
    if (request.content_length or 0) > most:
        raise _too_large(most)
    sent = request.body()
    if encoding == "identity":
        if len(sent) > most:
            raise _too_large(most)
        return sent
    return decoders.run(key, partial(decompress, encoding=encoding, most=most), sent)


def decompress(packed: bytes, encoding: str, most: int) -> bytes:
    """Decompress `packed`; stops at one byte more than `most`, and raises TooLarge."""
    reader = zlib.decompressobj(ENCODINGS[encoding])
    try:
        plain = reader.decompress(packed, most + 1)
    except zlib.error:
        raise Malformed(
            f"The body is not {encoding}, although its Content-Encoding says so."
        ) from None
    if len(plain) > most:
        raise _too_large(most)
    if not reader.eof or reader.unused_data:
        raise Malformed(f"The {encoding} body is truncated, or has data after its end.")
    return plain


def _too_large(most: int) -> TooLarge:
    return TooLarge(
        f"The body may have at most {most / 2**20:.0f} MiB after decompression."
    )


PATTERN = "[1-9][0-9]{0,17}"
_NUMBER = re.compile(PATTERN)


def number(name: str) -> int | None:
    """The query parameter `name` as a number, or None if it is absent."""
    if name not in request.args:  # faster than get(), which raises and catches an error
        return None
    return whole_number(f"?{name}=", request.args[name])


def whole_number(name: str, text: str | None) -> int | None:
    """`text` as a number, or None if it is None. Raises Malformed."""
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise Malformed(f"{name} must be a whole number, 1 or larger.")
    return int(text)
