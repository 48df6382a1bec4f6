"""The page's files: from memory, with types, ETags and a strict policy."""

import re

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


@pytest.mark.parametrize("path", ["/", FILES[0]])
def test_a_browser_gets_it_packed_and_others_plain(server, path):
    packed = server.get(path, headers={"Accept-Encoding": "br, gzip;q=0.8"})
    plain = server.get(path, headers={"Accept-Encoding": "gzip;q=0"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert int(packed.headers["Content-Length"]) < len(plain.content)
    assert packed.content == plain.content, "as requests unpacks it"
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"


def imported(name: str, seen: set[str]) -> set[str]:
    """The modules that `name` needs at once, itself included."""
    if name not in seen:
        seen.add(name)
        text = (ROOT / "frontend" / name).read_text()
        for other in re.findall(r"^import [^;]*?'\./([\w.-]+)';", text, re.M):
            imported(other, seen)
    return seen


def test_what_the_page_needs_at_once_is_fetched_at_once(server):
    """One round trip for all modules, not one for each step of the imports."""
    index = server.get("/").text
    preloaded = re.findall(r'rel="modulepreload" href="static/([\w.-]+)"', index)
    assert {*preloaded, "page.js"} == imported("page.js", set())


def test_the_page_weighs_less_than_100_kilobytes_and_names_no_other_origin(server):
    weights = [server.get(path).headers["Content-Length"] for path in ("/", *FILES)]
    assert sum(map(int, weights)) < 100_000
    for file in (file for file in (ROOT / "frontend").rglob("*") if file.is_file()):
        text = file.read_text().replace("http://www.w3.org/2000/svg", "")
        assert 'src="http' not in text
        assert 'import("http' not in text
