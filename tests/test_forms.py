"""multipart/form-data as in RFC 7578 and RFC 2046; werkzeug is the second opinion."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.filepost import encode_multipart_formdata
from werkzeug.formparser import MultiPartParser

from facenality.errors import Malformed, TooLarge
from facenality.web.multipart import parse

PART = 'Content-Disposition: form-data; name="image"; filename="a.jpg"\r\n'
ONE = [("image", b"one")]

FORMS = {
    "one file": (f"--b\r\n{PART}\r\none\r\n--b--\r\n", ONE),
    "no line break at the end": (f"--b\r\n{PART}\r\none\r\n--b--", ONE),
    "a preamble and an epilogue": (
        f"hello\r\n--b\r\n{PART}\r\none\r\n--b--\r\n--b\r\nbye",
        ONE,
    ),
    "spaces after the boundary": (f"--b \t\r\n{PART}\r\none\r\n--b--  \r\n", ONE),
    "more headers": (
        f"--b\r\nX-A: 1\r\n{PART}Content-Type: image/jpeg\r\n\r\none\r\n--b--",
        ONE,
    ),
    "a header in other case, folded": (
        "--b\r\ncontent-DISPOSITION:form-data; name=image;\r\n"
        "\tfilename=a\r\n\r\none\r\n--b--",
        ONE,
    ),
    "a file name beyond ASCII": (
        '--b\r\nContent-Disposition: form-data; name="image"; filename="é.jpg"\r\n'
        "\r\none\r\n--b--",
        ONE,
    ),
    "a file name as RFC 5987": (
        "--b\r\nContent-Disposition: form-data; name=image; "
        "filename*=UTF-8''%C3%A9\r\n\r\none\r\n--b--",
        ONE,
    ),
    "a boundary within the content": (
        f"--b\r\n{PART}\r\na--b\r\n--bx\r\na--b--\r\n--b--",
        [("image", b"a--b\r\n--bx\r\na--b--")],
    ),
    "an empty file": (f"--b\r\n{PART}\r\n\r\n--b--", [("image", b"")]),
    "an empty file without its line break": (
        f"--b\r\n{PART}\r\n--b--",
        [("image", b"")],
    ),
    "a text field is no file": (
        "--b\r\nContent-Disposition: form-data; name=image\r\n\r\none\r\n--b--",
        [],
    ),
    "a part without Content-Disposition": ("--b\r\nX: 1\r\n\r\none\r\n--b--", []),
    "a part without a head": ("--b\r\none\r\n--b--", []),
    "an empty form": ("--b--\r\n", []),
    "nothing": ("", []),
}


@pytest.mark.parametrize("name", FORMS)
def test_valid_forms_give_their_files(name):
    form, expected = FORMS[name]
    assert parse(form.encode(), "b").files == expected


HEAD = b"Content-Disposition: form-data; name=x"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"--b\r\n" + HEAD + b";a=b" * 2500 + b"\r\n\r\nx\r\n--b--", "part may have"),
        (b"--b\r\n" + b"ab\r\n" * 2500 + b"\r\nx\r\n--b--", "part may have"),
        (
            (b"--b\r\n" + HEAD + b";a=b" * 100 + b"\r\n\r\nx\r\n") * 999 + b"--b--",
            "those of all parts",
        ),
        (b"--b\r\n\r\n" + b"\r\n--bc" * 20_000 + b"\r\n--b--", "form may have"),
    ],
    ids=["parameters", "lines", "many parts", "lines like boundaries"],
)
def test_what_would_keep_the_hub_is_refused(body, sentence):
    with pytest.raises(TooLarge, match=sentence):
        parse(body, "b")


def test_only_boundaries_on_their_own_line_are_looked_at():
    """15 MiB of dashes stopped the hub for 3.3 s."""
    content = b"x" + b"-" * 100_000
    form = b"-----\r\n" + HEAD + b'; filename=""\r\n\r\n' + content + b"\r\n-------\r\n"
    assert parse(form, "---").files == [("x", content)]


@pytest.mark.parametrize("boundary", ["", "é"])
def test_a_boundary_that_cannot_be_is_refused(boundary):
    with pytest.raises(Malformed, match="boundary"):
        parse(b"--b--", boundary)


@pytest.mark.parametrize("cut", [1, 6, 30])
def test_a_form_without_its_last_boundary_is_cut_short(cut):
    form = f"--b\r\n{PART}\r\n{'x' * 40}\r\n--b--".encode()
    with pytest.raises(Malformed, match="truncated"):
        parse(form[:-cut], "b")


def test_a_form_has_at_most_a_thousand_parts():
    part = f"--b\r\n{PART}\r\nx\r\n".encode()
    assert len(parse(part * 1000 + b"--b--", "b").files) == 1000
    with pytest.raises(TooLarge):
        parse(part * 1001 + b"--b--", "b")


CONTENT = st.binary(max_size=40) | st.sampled_from(
    [b"--b", b"\r\n--b", b"\r\n--", b"\r\n\r\n", b"\r\n--bb--", b"\r", b"\n--b--"]
)
NAME = st.text("abcé -", min_size=1, max_size=5)


@given(st.lists(st.tuples(NAME, CONTENT), max_size=4))
def test_what_a_client_encodes_comes_back_as_werkzeug_reads_it(sent):
    fields = [(name, ("a.jpg", content)) for name, content in sent]
    body, _ = encode_multipart_formdata(fields, boundary="b-long-enough")
    assert parse(body, "b-long-enough").files == sent
    parser = MultiPartParser(stream_factory=lambda **_: io.BytesIO())
    _, theirs = parser.parse(io.BytesIO(body), b"b-long-enough", len(body))
    read = [(name, file.read()) for name, file in theirs.items(multi=True)]
    assert sorted(read) == sorted(sent)


@given(st.lists(st.tuples(NAME, st.text("ab é\r\n-", max_size=9)), max_size=4))
def test_texts_come_back_too_and_the_last_of_a_name_counts(sent):
    body, _ = encode_multipart_formdata(sent, boundary="b-long-enough")
    form = parse(body, "b-long-enough")
    assert form.texts == dict(sent)
    assert form.files == []


@given(st.binary(max_size=200), st.integers(0, 400))
def test_any_bytes_are_read_or_refused(noise, at):
    form = f"--b\r\n{PART}\r\n{'x' * 40}\r\n--b--".encode()
    broken = form[:at] + noise + form[at:]
    try:
        assert all(
            isinstance(content, bytes) for _, content in parse(broken, "b").files
        )
    except Malformed:
        assert broken.count(b"--b") >= 1
