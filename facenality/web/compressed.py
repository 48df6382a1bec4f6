"""Bodies that a client has compressed, opened within the same limits as others."""

import zlib
from functools import partial

from ..decoders import Decoders, Line
from ..errors import Malformed, TooLarge, UnsupportedType
from .requests import Request

# zlib's wbits: a gzip member, or the zlib stream that HTTP calls deflate.
ENCODINGS = {"gzip": 31, "deflate": 15}


def body(request: Request, decoders: Decoders, line: Line, most: int) -> bytes:
    """The body of at most `most` bytes, decompressed when it is the turn of `line`.

    Raises Malformed, TooLarge, UnsupportedType.
    """
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding != "identity" and encoding not in ENCODINGS:
        raise UnsupportedType(
            f"The encoding {encoding[:80]!r} is not read; send gzip, deflate or none."
        )
    if (request.content_length or 0) > most:
        raise _too_large(most)
    sent = request.body()
    if encoding == "identity":
        if len(sent) > most:
            raise _too_large(most)
        return sent
    return decoders.run(line, partial(opened, encoding=encoding, most=most), sent)


def opened(packed: bytes, encoding: str, most: int) -> bytes:
    """What `packed` holds; never makes more than a byte beyond `most`."""
    reader = zlib.decompressobj(ENCODINGS[encoding])
    try:
        plain = reader.decompress(packed, most + 1)
    except zlib.error:
        raise Malformed(f"The body is not {encoding}, as its header says.") from None
    if len(plain) > most:
        raise _too_large(most)
    if not reader.eof or reader.unused_data:
        raise Malformed(f"The {encoding} body is cut short, or goes on after its end.")
    return plain


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"The body may have {most / 2**20:.0f} MiB, also decompressed.")
