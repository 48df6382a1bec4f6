"""The page's files: from memory, with types, ETags and a strict policy."""

import pytest

from serving import ROOT

FILES = [
    f"/static/{file.relative_to(ROOT / 'frontend').as_posix()}"
    for file in sorted((ROOT / "frontend").rglob("*.*"))
]
TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css"}


@pytest.mark.parametrize("path", ["/", *FILES])
def test_every_file_has_its_type_and_policy(server, path):
    reply = server.get(path)
    kind = TYPES.get(path.rsplit(".", 1)[-1], "text/html" if path == "/" else "image/")
    assert reply.status_code == 200
    assert reply.headers["Content-Type"].startswith(kind)
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    policy = reply.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/", FILES[0]])
def test_a_browser_that_has_the_file_gets_304(server, path):
    first = server.get(path)
    assert first.headers["Cache-Control"] == "no-cache"
    again = server.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = server.get(path, headers={"If-None-Match": '"other"'})
    assert other.status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/static/nothing.js",
        "/static/",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static//etc/passwd",
    ],
)
def test_nothing_outside_the_folder_is_served(server, path):
    reply = server.get(path)
    assert reply.status_code in (404, 308)
    assert "import" not in reply.text


def test_the_page_weighs_less_than_100_kilobytes_and_names_no_other_origin():
    files = [file for file in (ROOT / "frontend").rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 100_000
    for file in files:
        text = file.read_text().replace("http://www.w3.org/2000/svg", "")
        assert 'src="http' not in text
        assert 'import("http' not in text
