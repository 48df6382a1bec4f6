"""Our reader of heads and h11's, side by side: what we read, h11 reads the same way.

We may refuse more, never less: a request that only one of two readers sees is how
requests are smuggled. FUZZ=100000 gives it that many examples.
"""

import os

import h11
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facenality.errors import FacenalityError
from facenality.server.parser import Head, read_head
from test_http_heads import INVALID, VALID

EXAMPLES = int(os.environ.get("FUZZ", "500"))
TABLES = INVALID | {
    form: data.removeprefix(b"\r\n") for form, (data, _) in VALID.items()
}
SEEDS = [data.partition(b"\r\n\r\n")[0] for data in TABLES.values()]
LATER = {"33 KiB of fields"}  # refused before their head is read

# Pieces in which readers of HTTP have differed.
PIECES = [
    *(b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b"\x0b", b"\x0c", b"\x85", b"\xa0"),
    *(b":", b",", b";", b"_", b"%", b"*", b"\x7f", b"\xff", b"0", b"+", b"-", b"x"),
    *(b"HTTP/1.1", b"HTTP/1.0", b"http://x/", b"\r\n ", b" :", b"\r\n\r\n", b"GET "),
    *(
        b"Host: x\r\n",
        b"Host: y\r\n",
        b"Content-Length: 3\r\n",
        b"Content-Length: 4\r\n",
    ),
    *(b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: identity\r\n"),
    *(b"Connection: close\r\n", b"Connection: keep-alive\r\n", b"chunked", b"3, 3"),
    *(b"Expect: 100-continue\r\n", b"A: b\r\n", b"Content_Length: 7\r\n"),
]


@st.composite
def heads(draw) -> bytes:
    """A seed with up to four pieces put in, cut out, or doubled."""
    head = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(head)))
        end = min(len(head), start + draw(st.integers(0, 12)))
        piece = draw(st.sampled_from(PIECES) | st.binary(min_size=1, max_size=3))
        how = draw(st.sampled_from(["insert", "replace", "cut", "double"]))
        if how == "insert":
            head[start:start] = piece
        elif how == "replace":
            head[start:end] = piece
        elif how == "cut":
            del head[start:end]
        else:
            head[start:start] = head[start:end]
    return bytes(head)


def ours(raw: bytes) -> Head | None:
    """What the server makes of a head that ends at its first empty line."""
    try:
        return read_head(raw.partition(b"\r\n\r\n")[0])
    except FacenalityError:
        return None


def h11s(raw: bytes) -> tuple[h11.Request, h11.Connection] | None:
    reader = h11.Connection(h11.SERVER, max_incomplete_event_size=2**20)
    reader.receive_data(raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
    try:
        request = reader.next_event()
    except h11.RemoteProtocolError:
        return None
    assert isinstance(request, h11.Request), request
    return request, reader


def length_of(request: h11.Request) -> int | None:
    """Where h11 says that the body ends; None for a chunked one."""
    fields = dict(request.headers)
    if b"transfer-encoding" in fields:
        return None
    return int(fields.get(b"content-length", b"0"))


def compare(raw: bytes) -> bool:
    """Whether we read `raw`; then h11 must read the same."""
    head = ours(raw)
    if head is None:
        return False
    read = h11s(raw)
    assert read, f"we read what h11 refuses: {raw!r}"
    request, reader = read
    assert head.method.encode() == request.method
    assert head.version.encode() == b"HTTP/" + request.http_version
    assert head.fields == as_sent(request, head)
    assert head.framing.length == length_of(request)
    assert head.framing.expects_100 == reader.they_are_waiting_for_100_continue
    if head.framing.keep:
        said = b",".join(v for n, v in request.headers if n == b"connection")
        assert b"close" not in [option.strip() for option in said.lower().split(b",")]
    assert head.target.host or head.target.path == request.target.partition(b"?")[0]
    return True


@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(heads())
def test_what_we_read_of_mutated_heads_h11_reads_the_same_way(raw):
    compare(raw)


PLAIN = [
    b"GET /a?b HTTP/1.1\r\nHost: x:80\r\nConnection: close",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked",
    b"GET http://x/ HTTP/1.0\r\nExpect: 100-continue",
]


@pytest.mark.parametrize("head", PLAIN, ids=str)
def test_each_piece_at_each_place_is_read_as_h11_reads_it_or_refused(head):
    places = range(len(head) + 1)
    read = sum(
        compare(head[:at] + piece + head[at + cut :])
        for at in places
        for piece in PIECES
        for cut in (0, 1)
    )
    assert 0.02 < read / (2 * len(places) * len(PIECES)) < 0.5


@pytest.mark.parametrize("form", [*INVALID, *VALID])
def test_each_form_of_the_tables_is_read_as_h11_reads_it_or_refused(form):
    assert compare(TABLES[form]) is (form in VALID or form in LATER)


def as_sent(request: h11.Request, head: Head) -> list[tuple[bytes, bytes]]:
    """h11's fields, with what it mends: a repeated length, the case of a coding."""
    fields = list(request.headers)
    for at, (name, value) in enumerate(head.fields):
        if name == b"content-length" and head.fields[:at].count((name, value)):
            fields.insert(at, (name, value))
        if name == b"transfer-encoding":
            fields[at] = (name, value)
    return fields


def test_h11_reads_all_that_is_valid_but_for_an_empty_line_first():
    refused = [
        form
        for form, (data, _) in VALID.items()
        if ours(data) is not None and h11s(data) is None
    ]
    assert refused == []
