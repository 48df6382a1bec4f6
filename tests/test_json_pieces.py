"""Long JSON in pieces: read as in one, and numbers become arrays."""

import json
import os
import threading

import gevent
import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facenality.errors import Malformed
from facenality.scheduling.decode_pool import DecodePool
from facenality.web import json_body, json_chunked
from facenality.web.json_body import JsonBodies
from facenality.web.json_chunked import Marks

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "300"))  # the long form: 10,000

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.integers(-9, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "[", "]},{", '"', "\\", '\\"', "a,b", "\u00e9", "x" * 40])
)
NUMBERS = st.integers(1, 4).flatmap(
    lambda n: st.lists(st.lists(st.integers(0, 99), min_size=n, max_size=n))
)
VALUES = st.recursive(
    SCALARS | NUMBERS,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=40,
)


def in_pieces(text):
    """In very small ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_chunked, "PIECE_BYTES", 12)
        return json_chunked.loads(text, Marks(text), orjson.loads)


def plain(value):
    """With lists for arrays."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.tolist() if isinstance(value, np.ndarray) else value


@settings(max_examples=EXAMPLES, deadline=None)
@given(VALUES, st.sampled_from([None, 1]))
def test_any_value_is_read_as_in_one(value, indent):
    text = json.dumps(value, indent=indent, ensure_ascii=False).encode()
    assert plain(in_pieces(text)) == json.loads(text)


@settings(max_examples=EXAMPLES, deadline=None)
@given(VALUES, st.data())
def test_what_is_no_json_in_one_is_none_in_pieces(value, data):
    """A byte left out, put in or exchanged: both read the same, or neither does."""
    text = json.dumps(value).encode()
    at = data.draw(st.integers(0, len(text)))
    more = data.draw(st.sampled_from([b"", *(b"%c" % c for c in b'[]{},:" \\1e')]))
    text = text[:at] + more + text[at + data.draw(st.integers(0, 1)) :]
    try:
        expected = orjson.loads(text)
    except ValueError:
        with pytest.raises(ValueError):  # noqa: PT011  # whatever the sentence
            in_pieces(text)
    else:
        assert plain(in_pieces(text)) == expected


@pytest.mark.parametrize(
    ("text", "dtype"),
    [
        (b"[[1,2,3],[4,5,6],[7,8,9]]", "int64"),
        (b"[[1,2,3],[4,5.5,6],[7,8,9]]", "float64"),
        (b"[ [1e3, 2], [3, 4],\n [5, 6], [7, 8] ]", "float64"),
        (b"[[true,false],[true,true],[true,true]]", "float64"),
        (b"[[[1],[2],[3]],[[4],[5],[6]],[[7],[8],[9]]]", "int64"),
        (b"[[],[],[],[],[],[]]", "int64"),
    ],
)
def test_numbers_become_one_array(text, dtype):
    got = in_pieces(text)
    assert got.dtype == dtype
    assert np.array_equal(got, orjson.loads(text))
    assert in_pieces(b'{"instances":' + text + b"}")["instances"].dtype == dtype


@pytest.mark.parametrize(
    "text",
    [
        b"[[1,2,3],[4,5,6],[7,8]]",
        b"[[1,2,3],[4,5,6],[7,8,null]]",
        b'[[1,2,3],[4,5,6],["7",8,9]]',
        b"[1,2,3,4,5,6,7,[8],9,10,11,12]",
        b"[0.5,18446744073709551615,0.5,0.5]",
        b"[1.5,9007199254740993,1.5,9007199254740993]",
        b'[{"a":1},{"a":2},{"a":3}]',
    ],
)
def test_what_is_no_array_stays_lists(text):
    got = in_pieces(text)
    assert isinstance(got, list)
    assert got == orjson.loads(text)


def test_no_more_than_a_piece_is_parsed_at_once():
    row = b"[" + b",".join([b"0.25"] * 20_000) + b"]"  # longer than a piece
    text = b'{"signature_name":"a","instances":[' + b",".join([row] * 9) + b"]}"
    sizes = []

    def parse(piece):
        sizes.append(len(piece))
        return orjson.loads(piece)

    document = json_chunked.loads(text, Marks(text), parse)
    assert document["signature_name"] == "a"
    assert document["instances"].shape == (9, 20_000)
    assert max(sizes) <= json_chunked.PIECE_BYTES + 2
    assert sum(sizes) < len(text) + 4 * len(sizes)


@pytest.mark.parametrize(
    ("tail", "sentence"),
    [
        (b",nul]", "byte 1000"),
        (b",]", "comma"),
        (b',{"a":1[' + b"0," * 40_000 + b"0]}]", "byte 1000"),
        (b"]]", "not a list or an object"),
        (b"}", "not a list or an object"),
        (b",[" + b"[" * 64 + b"]" * 64 + b"]]", "deeper than 64"),
    ],
)
def test_what_is_wrong_in_a_long_text_is_said(tail, sentence):
    with pytest.raises(Malformed, match=f"not JSON: .*{sentence}"):
        json_body.loads(b"[" + b",".join([b"123456789"] * 10_000) + tail)


def test_many_values_are_parsed_in_a_thread_and_few_are_not(monkeypatch):
    where = []
    parse = json_body._parsed

    def seen(body):
        where.append(threading.current_thread() is threading.main_thread())
        return parse(body)

    monkeypatch.setattr(json_body, "_parsed", seen)
    decoders = DecodePool(1)
    try:
        bodies = JsonBodies(decoders, 8 * 2**20)
        assert len(bodies.parse(b'{"image":"' + b"A" * 300_000 + b'"}')["image"]) == 3e5
        assert where == [True]
        many = gevent.spawn(bodies.parse, b"[" + b"0," * 60_000 + b"0]").get()
        assert many.tolist() == [0] * 60_001
        assert not any(where[1:])
    finally:
        decoders.close()
