"""Where files are taken from, and where they wait until they are a model."""

import hashlib
from pathlib import Path

import pytest

from facenality.fetching import mirror
from facenality.fetching.checksums import FetchFailed
from facenality.settings import default_cache_dir
from mirroring import Mirror


@pytest.mark.parametrize(
    "address",
    [
        "mirror.example",
        "http://",
        "http://user:secret@mirror.example/",
        "http://mirror.example/?a=b",
        "http://mirror.example:port/",
        "http://mirror.example/a b",
        "http://[::1/",
    ],
)
def test_an_address_that_cannot_be_a_mirror_is_refused_without_its_password(address):
    with pytest.raises(FetchFailed, match="must be an http or https") as refused:
        mirror.checked(address)
    assert "secret" not in str(refused.value)


def test_a_damaged_file_in_the_cache_is_fetched_again(tmp_path):
    (tmp_path / "w.h5").write_bytes(b"weights")
    asked = mirror.Asked(
        "w.h5", mirror.ORIGINS[0] + "w.h5", hashlib.md5(b"weights").hexdigest()
    )
    with Mirror(tmp_path) as there:
        source = mirror.Source(there.url, tmp_path / "cache", {})
        for _ in range(2):
            file = source.get(asked, lambda here, total: None, mirror.Limits())
        assert len(there.asked) == 1
        file.write_bytes(b"weighty")
        file = source.get(asked, lambda here, total: None, mirror.Limits())
        assert file.read_bytes() == b"weights"


def test_the_cache_is_where_the_users_programs_have_theirs(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert default_cache_dir() == Path("/somewhere/facenality")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_cache_dir() == Path("~/.cache/facenality").expanduser()


def test_the_operators_checksums_go_by_the_name_in_the_address():
    asked = mirror.Asked("nasnet.h5", mirror.ORIGINS[0] + "nasnet/NASNet.h5", "0" * 32)
    assert mirror.Source(None, Path("c"), {}).checksum(asked) == "0" * 32
    named = {"NASNet.h5": "1" * 64, "nasnet.h5": "2" * 64}
    assert mirror.Source(None, Path("c"), named).checksum(asked) == "1" * 64
