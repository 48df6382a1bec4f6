"""Downloads resume, are checked, and end in a file or in one sentence."""

import hashlib
import io
import socket
from dataclasses import replace
from http.client import HTTPMessage
from urllib.request import Request

import pytest

import mirroring
from facenality.fetching import asking, checksums
from facenality.fetching.checksums import FetchFailed
from facenality.fetching.download import NotReached, download
from facenality.fetching.pace import Limits
from mirroring import Mirror

CONTENT = bytes(range(256)) * 400
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()
HASTY = Limits(timeout=0.3, window=0.2, slowest=1000, first_pause=0.001)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "w.h5").write_bytes(CONTENT)
    return tmp_path / "served"


@pytest.fixture
def target(tmp_path):
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache" / "w.h5"


def get(served, target, checksum=SHA256, limits=HASTY, tell=lambda here, total: None):
    return download(f"{served.url}w.h5", target, checksum, tell, limits)


def only(target):
    return [file.name for file in target.parent.iterdir()] == [target.name]


@pytest.mark.parametrize("checksum", [SHA256, SHA256.upper(), MD5, None])
def test_a_file_comes_whole_and_is_checked(root, target, checksum):
    told = []
    with Mirror(root) as served:
        get(served, target, checksum, tell=lambda *now: told.append(now))
    assert target.read_bytes() == CONTENT
    assert only(target)
    assert told[0] == (0, len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert served.asked[0]["Accept-Encoding"] == "identity"


def test_a_broken_connection_is_resumed_where_it_broke(root, target):
    with Mirror(root, mirroring.cuts(30_000), mirroring.cuts(20_000)) as served:
        get(served, target)
    assert target.read_bytes() == CONTENT
    assert [asked.get("Range") for asked in served.asked] == [
        None,
        "bytes=30000-",
        "bytes=50000-",
    ]
    assert served.asked[1]["If-Range"] == '"1"'


def test_a_later_run_goes_on_with_what_an_earlier_one_left(root, target):
    with Mirror(root, mirroring.cuts(30_000)) as served:
        with pytest.raises(FetchFailed, match="kept; run the command again"):
            get(served, target, limits=replace(HASTY, tries=1))
        assert not target.exists()
        get(served, target)
    assert served.asked[1]["Range"] == "bytes=30000-"
    assert target.read_bytes() == CONTENT
    assert only(target)


def test_a_server_without_ranges_is_taken_from_the_start(root, target):
    habits = mirroring.cuts(30_000), mirroring.without_range
    with Mirror(root, *habits) as served:
        get(served, target)
    assert target.read_bytes() == CONTENT


def test_a_file_that_changed_meanwhile_is_taken_from_the_start(root, target):
    with Mirror(root, mirroring.cuts(30_000)) as served:
        with pytest.raises(FetchFailed):
            get(served, target, limits=replace(HASTY, tries=1))
        served.etag = '"2"'
        (root / "w.h5").write_bytes(CONTENT[::-1])
        get(served, target, hashlib.sha256(CONTENT[::-1]).hexdigest())
    assert target.read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("habit", [mirroring.another_range, mirroring.fails(416)])
def test_a_range_that_is_not_the_one_asked_for_is_not_used(root, target, habit):
    with Mirror(root, mirroring.cuts(30_000), habit) as served:
        get(served, target)
    assert target.read_bytes() == CONTENT
    assert "Range" not in served.asked[2]


def test_without_validator_and_checksum_nothing_is_resumed(root, target):
    with Mirror(root, mirroring.cuts(30_000), etag=None) as served:
        get(served, target, None)
    assert "Range" not in served.asked[1]
    with Mirror(root, mirroring.cuts(30_000), etag=None) as served:
        get(served, target, SHA256)
    assert served.asked[1]["Range"] == "bytes=30000-"
    assert target.read_bytes() == CONTENT


def test_a_part_of_which_nothing_is_known_is_dropped(root, target):
    target.with_name("w.h5.part").write_bytes(b"x" * 1000)
    with Mirror(root) as served:
        get(served, target)
    assert "Range" not in served.asked[0]
    assert only(target)


def test_a_wrong_checksum_is_refused_and_removed(root, target):
    with Mirror(root) as served, pytest.raises(FetchFailed, match=r"It was removed\."):
        get(served, target, "0" * 64)
    assert not list(target.parent.iterdir())


@pytest.mark.parametrize("status", [400, 403, 404, 407])
def test_what_the_server_has_not_is_asked_for_once(root, target, status):
    habits = [mirroring.fails(status)] * 2
    with (
        Mirror(root, *habits) as served,
        pytest.raises(FetchFailed, match=f"not fetched: the server answered {status}"),
    ):
        get(served, target)
    assert len(served.asked) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_server_in_trouble_is_asked_again(root, target, status):
    with Mirror(root, *[mirroring.fails(status)] * 4) as served:
        get(served, target)
    assert target.read_bytes() == CONTENT
    with (
        Mirror(root, *[mirroring.fails(status)] * 5) as served,
        pytest.raises(FetchFailed, match=f"in 5 tries: the server answered {status}"),
    ):
        get(served, target.with_name("other.h5"))


@pytest.mark.parametrize(
    ("habit", "why"),
    [
        (mirroring.drips, "slower than 1000 bytes a second"),
        (mirroring.hangs, "timed out"),
    ],
)
def test_a_server_that_drips_or_hangs_is_left(root, target, habit, why):
    with Mirror(root, habit, habit) as served, pytest.raises(FetchFailed, match=why):
        get(served, target, limits=replace(HASTY, tries=1))


@pytest.mark.parametrize(
    ("habit", "checksum", "why"),
    [
        (mirroring.boasts(HASTY.most + 1), SHA256, "more than the 2147483648 allowed"),
        (mirroring.boasts(10**15), SHA256, "more than"),
        (mirroring.without_length, None, "does not say how long"),
        (mirroring.boasts(-5), None, "does not say how long"),
    ],
)
def test_sizes_are_looked_at_before_a_byte_is_written(
    root, target, habit, checksum, why
):
    with Mirror(root, habit) as served, pytest.raises(FetchFailed, match=why):
        get(served, target, checksum)
    assert not target.exists()


def test_what_does_not_fit_on_the_disk_is_not_begun(root, target):
    huge = replace(HASTY, most=1 << 60)
    habit = mirroring.boasts(1 << 59)
    with Mirror(root, habit) as served, pytest.raises(FetchFailed, match="do not fit"):
        get(served, target, limits=huge)


def test_a_file_of_unknown_length_is_bounded_and_its_checksum_decides(root, target):
    with Mirror(root, mirroring.without_length) as served:
        get(served, target)
    assert target.read_bytes() == CONTENT
    short = replace(HASTY, most=1000)
    with (
        Mirror(root, mirroring.without_length) as served,
        pytest.raises(FetchFailed, match="sent more than 1000 bytes"),
    ):
        get(served, target.with_name("other.h5"), limits=short)


def test_a_refused_connection_is_a_matter_of_the_network(target):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # and nobody listens
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/w.h5"
        with pytest.raises(NotReached, match="2 times: Connection refused"):
            download(url, target, SHA256, lambda here, total: None, HASTY)


def test_redirects_are_followed_but_not_out_of_http(root, target):
    with Mirror(root, mirroring.redirects("/w.h5")) as served:
        get(served, target)
    assert target.read_bytes() == CONTENT
    with (
        Mirror(root, mirroring.redirects("ftp://127.0.0.1/w.h5")) as served,
        pytest.raises(FetchFailed, match="redirects from http to ftp"),
    ):
        get(served, target.with_name("other.h5"))


def test_https_is_never_left_for_less():
    redirects, asked = asking._Redirects(), Request("https://here/w.h5")
    arguments = asked, io.BytesIO(), 302, "Found", HTTPMessage()
    assert redirects.redirect_request(*arguments, "https://there/w.h5")
    with pytest.raises(asking.Refused, match="from https to http://there"):
        redirects.redirect_request(*arguments, "http://there/w.h5")


def test_a_certificate_must_be_trusted(root, target, tmp_path, monkeypatch):
    certificate, tls = mirroring.certified(tmp_path)
    with Mirror(root, tls=tls) as served:
        with pytest.raises(FetchFailed, match="its certificate is not trusted"):
            get(served, target)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        get(served, target)
    assert target.read_bytes() == CONTENT


def test_checksums_are_read_as_sha256sum_and_md5sum_write_them(tmp_path):
    file = tmp_path / "SHA256SUMS"
    file.write_text(f"{SHA256}  w.h5\n\n{MD5} *deep/er/x.h5\n")
    assert checksums.read(file) == {"w.h5": SHA256, "x.h5": MD5}


@pytest.mark.parametrize("text", ["w.h5", f"{SHA256[:-1]}  w.h5", f"{SHA256}\tw.h5"])
def test_a_line_that_is_no_checksum_is_named(tmp_path, text):
    file = tmp_path / "SHA256SUMS"
    file.write_text(f"{MD5}  good.h5\n{text}\n")
    with pytest.raises(FetchFailed, match="line 2"):
        checksums.read(file)
    with pytest.raises(FetchFailed, match="cannot be read"):
        checksums.read(tmp_path / "none")
