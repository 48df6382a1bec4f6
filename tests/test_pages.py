"""The page's files: from memory, with types, a strict policy, and URLs that change."""

import re

import pytest
from flask import Flask

from browsing import watched_page
from facenality.web.routes import pages
from serving import ROOT

DOCUMENTS = ("index.html", "docs/docs.html")
NAMES = [
    name
    for file in sorted((ROOT / "frontend").rglob("*.*"))
    if (name := file.relative_to(ROOT / "frontend").as_posix()) not in DOCUMENTS
]
TYPES = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
PRELOAD = re.compile(r'rel="modulepreload" href="([^"]+)"')


@pytest.fixture(scope="module")
def static(server) -> str:
    """The path of this version of the page: /static/<version>/."""
    (version,) = set(re.findall(r"static/(\w{16})/", server.get("/").text))
    return f"/static/{version}/"


@pytest.mark.parametrize("name", NAMES)
def test_every_file_has_its_type_and_policy_and_may_be_kept(server, static, name):
    reply = server.get(static + name)
    assert reply.status_code == 200
    assert reply.headers["Content-Type"].startswith(TYPES[name.rsplit(".", 1)[-1]])
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    policy = reply.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_document_is_revalidated_each_time(server, path):
    first = server.get(path)
    assert first.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in first.headers["Content-Security-Policy"]
    assert first.headers["Cache-Control"] == "no-cache"
    again = server.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = server.get(path, headers={"If-None-Match": '"other"'})
    assert other.status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/static/nothing.js",
        "/static/app/page.js",
        "/static/0123456789abcdef/app/page.js",
        "/static/",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static//etc/passwd",
    ],
)
def test_other_versions_and_files_outside_the_folder_are_not_served(server, path):
    reply = server.get(path)
    assert reply.status_code in (404, 308)
    assert "import" not in reply.text
    assert "immutable" not in reply.headers.get("Cache-Control", "")


@pytest.mark.parametrize("name", ["", "app/page.js"])
def test_a_browser_gets_it_packed_and_others_plain(server, static, name):
    path = static + name if name else "/"
    packed = server.get(path, headers={"Accept-Encoding": "br, gzip;q=0.8"})
    plain = server.get(path, headers={"Accept-Encoding": "gzip;q=0"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert int(packed.headers["Content-Length"]) < len(plain.content)
    assert packed.content == plain.content, "as requests unpacks it"
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_all_modules_of_a_page_are_preloaded_and_nothing_else_is(
    chromium, server, path
):
    """One round trip for all modules, not one for each level of imports."""
    preloaded = {
        f"{server.url}/{url}" for url in PRELOAD.findall(server.get(path).text)
    }
    requested = set()
    with watched_page(chromium) as page:
        page.on("request", lambda request: requested.add(request.url))
        page.goto(server.url + path)
        page.wait_for_selector("#workspace:visible, details.operation")
        assert page.complaints == []
    modules = {url for url in requested if url.endswith(".js")}
    assert preloaded < modules
    others = {url.split("/", 5)[5] for url in modules - preloaded}
    entry = "app/page.js" if path == "/" else "docs/docs.js"
    words = {"words/en.js", "lib/format.js"}  # loaded once the language is known
    assert entry in others
    assert others <= {entry, *words}
    assert len(preloaded) > 5


def test_a_repeated_visit_fetches_only_what_may_have_changed(chromium, server):
    with watched_page(chromium) as page:
        page.goto(server.url)
        page.wait_for_selector("#workspace", state="visible")
        page.goto("about:blank")
        page.goto(server.url)
        page.wait_for_selector("#workspace", state="visible")
        transferred = page.evaluate(
            "performance.getEntriesByType('resource').filter(e => e.transferSize > 0)"
            ".map(e => new URL(e.name).pathname)"
        )
        assert {path for path in transferred if path.startswith("/static/")} == set()


@pytest.fixture
def site(tmp_path):
    """A small page: write its files, then start it anew with `open`."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "lib").mkdir()
    script = '<script type="module" src="static/page.js"></script>\n'
    (tmp_path / "index.html").write_text(f'<link href="static/a.css">\n{script}')
    (tmp_path / "docs" / "docs.html").write_text("<!doctype html>")
    (tmp_path / "page.js").write_text(
        "// import './comment.js';\nimport './lib/a.js';\n"
        "const later = () => import('./later.js');\nconst no = 'import \"x\";';\n"
    )
    (tmp_path / "lib" / "a.js").write_text(
        "import {\n  one,\n  two,\n} from '../b.js';\nimport all from './a.js';\n"
    )
    (tmp_path / "b.js").write_text("import * as page from './page.js';\n")

    def open_site():
        app = Flask(__name__, static_folder=None)
        app.register_blueprint(pages.routes(tmp_path))
        return app.test_client()

    return tmp_path, open_site


def test_preloads_are_read_from_the_imports(site):
    _, open_site = site
    html = open_site().get("/").text
    preloads = [url.split("/", 2)[2] for url in PRELOAD.findall(html)]
    assert preloads == ["b.js", "lib/a.js"]
    assert 'href="static/a.css"' not in html, "each URL names the version"


def test_an_import_of_a_missing_module_stops_the_start(site):
    folder, open_site = site
    (folder / "b.js").write_text("import { x } from './gone.js';\n")
    with pytest.raises(FileNotFoundError, match=r"b\.js imports \./gone\.js"):
        open_site()


def test_any_change_gives_all_files_new_urls(site):
    folder, open_site = site
    before = open_site()
    (url,) = [one for one in PRELOAD.findall(before.get("/").text) if "lib" in one]
    assert before.get(url).status_code == 200
    assert PRELOAD.findall(open_site().get("/").text) == PRELOAD.findall(
        before.get("/").text
    )
    (folder / "b.js").write_text("export const one = 1;\n")
    after = open_site()
    assert after.get(url).status_code == 404, "even of a file that did not change"
    assert url not in after.get("/").text


def test_the_page_weighs_less_than_100_kilobytes(server, static):
    paths = ("/", "/docs", *(static + name for name in NAMES))
    weights = [server.get(path).headers["Content-Length"] for path in paths]
    assert sum(map(int, weights)) < 100_000
