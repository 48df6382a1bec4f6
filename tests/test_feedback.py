"""POST /feedback and DELETE /feedback/<id> over a real socket; what lies on disk."""

import shutil
import sqlite3
import time
from base64 import b64encode
from contextlib import closing

import pytest
import requests
from PIL import Image

import made
from made import picture
from serving import ROOT, Served

GREY = picture("grey")
TRUE = {"label": "light", "model": "tones", "version": "1", "prediction": "dark 0.6"}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    made.tones(folder / "tones")
    made.tones(folder / "values", task="image-regression")
    made.tones(folder / "numbers", task="tensor")
    shutil.copytree(ROOT / "models" / "sentiment", folder / "sentiment")
    return folder


@pytest.fixture(scope="module")
def flagged(models, tmp_path_factory):
    """A server that keeps what it is corrected on, and its folder."""
    folder = tmp_path_factory.mktemp("kept") / "uploads"
    with keeping("flagged", models, folder) as served:
        yield served.ready(), folder


def keeping(what, models, folder, *flags) -> Served:
    where = ("--uploads-dir", str(folder), "--model", "tones")
    return Served(models, "--keep-uploads", what, *where, *flags)


def correct(server, data=TRUE, image=GREY, **more) -> requests.Response:
    return server.post("/feedback", files={"image": image}, data=data, **more)


def delete(server, token, **more) -> requests.Response:
    return requests.delete(f"{server.url}/feedback/{token}", timeout=30, **more)


def records(folder) -> list[dict]:
    """What the index says is kept, read by SQL."""
    with closing(sqlite3.connect(folder / "index.sqlite")) as index:
        index.row_factory = sqlite3.Row
        rows = index.execute("SELECT * FROM uploads ORDER BY id")
        return [dict(row) for row in rows]


def pictures(folder) -> set[str]:
    return {file.name for file in folder.iterdir() if len(file.name) > 60}


def wait_until(true) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_correction_is_kept_until_its_sender_deletes_it(flagged):
    server, folder = flagged
    reply = correct(server)
    token = reply.json()["id"]
    assert reply.status_code == 200
    assert reply.json() == {"success": True, "id": token}
    assert len(token) == 32
    (record,) = records(folder)
    assert {**record, **TRUE} == record
    with Image.open(folder / record["file"]) as kept:
        assert (kept.size, kept.getpixel((0, 0))) == ((60, 40), (128, 128, 128))
    assert token.encode() not in (folder / "index.sqlite").read_bytes()

    assert delete(server, token).json()["success"] is True
    assert pictures(folder) == set()
    assert records(folder) == []
    again = delete(server, token)
    assert (again.status_code, again.json()["code"]) == (404, "no_such_upload")


def test_a_second_thought_replaces_nothing_of_others_and_keeps_one_file(flagged):
    server, folder = flagged
    first = correct(server).json()["id"]
    second = correct(server, {**TRUE, "label": "dark"}).json()["id"]
    assert len(pictures(folder)) == 1
    assert [record["label"] for record in records(folder)] == ["light", "dark"]
    delete(server, first)
    assert len(pictures(folder)) == 1
    delete(server, second)
    assert len(pictures(folder)) == 0


def test_base64_is_kept_as_the_picture_it_is(flagged):
    server, folder = flagged
    sent = {"image": b64encode(GREY).decode(), **TRUE}
    token = server.post("/feedback", json=sent).json()["id"]
    (name,) = pictures(folder)
    with Image.open(folder / name) as kept:
        assert kept.size == (60, 40)
    delete(server, token)


def test_a_text_is_kept_for_a_model_of_texts(flagged):
    server, folder = flagged
    text = "not a word of truth 😀"
    sent = {"text": text, "model": "sentiment", "label": "Negative"}
    token = server.post("/feedback", json=sent).json()["id"]
    (record,) = records(folder)
    assert (record["model"], record["label"]) == ("sentiment", "Negative")
    assert record["file"].endswith(".txt")
    assert (folder / record["file"]).read_text() == text
    delete(server, token)


@pytest.mark.parametrize(
    "path",
    ["/uploads", "/uploads/{}", "/static/../uploads/{}", "/feedback/{}", "/static/{}"],
)
def test_what_is_kept_is_never_served(flagged, path):
    server, folder = flagged
    token = correct(server).json()["id"]
    (name,) = pictures(folder)
    assert server.get(path.format(name)).status_code in (404, 405)
    delete(server, token)


BAD = {
    "a label that the model lacks": (
        {"data": {**TRUE, "label": "pink"}},
        (422, "no_such_label", "light, dark"),
    ),
    "no label": ({"data": {"model": "tones"}}, (400, "malformed", "'label'")),
    "no picture": ({"files": {}, "data": TRUE}, (415, "unsupported_type", "image")),
    "two pictures": (
        {"files": [("image", GREY), ("image", GREY)]},
        (400, "malformed", "A correction is for one input"),
    ),
    "not a picture": ({"files": {"image": b"zz"}}, (422, "not_an_image", "JPEG")),
    "an unknown model": (
        {"data": {**TRUE, "model": "cats"}},
        (404, "no_such_model", "cats"),
    ),
    "an unknown version": (
        {"data": {**TRUE, "version": "9"}},
        (404, "no_such_version", "9"),
    ),
    "a version that is no number": (
        {"data": {**TRUE, "version": "new"}},
        (400, "malformed", "version must be a whole number"),
    ),
    "a model that names values": (
        {"data": {"model": "values", "label": "dark"}},
        (422, "not_usable", "labels"),
    ),
    "a model of plain numbers": (
        {"data": {"model": "numbers", "label": "dark"}},
        (422, "not_usable", "labels"),
    ),
    "an essay": (
        {"data": {**TRUE, "prediction": "x" * 2001}},
        (422, "not_usable", "2000"),
    ),
    "a label that is no string": (
        {"json": {"text": "a", "model": "sentiment", "label": 1}, "files": None},
        (400, "malformed", "'label' must be a string"),
    ),
    "a picture as text": (
        {"data": {"model": "sentiment", "label": "Negative"}},
        (422, "not_text", "takes text"),
    ),
    "from another origin": (
        {"headers": {"Origin": "https://evil.example"}},
        (422, "cross_origin", "own page"),
    ),
    "from nowhere": ({"headers": {"Origin": "null"}}, (422, "cross_origin", "")),
    "from another site": (
        {"headers": {"Sec-Fetch-Site": "cross-site"}},
        (422, "cross_origin", "own page"),
    ),
    "from a neighbour": (
        {"headers": {"Sec-Fetch-Site": "same-site"}},
        (422, "cross_origin", "own page"),
    ),
}


@pytest.mark.parametrize(("sent", "expected"), BAD.values(), ids=BAD)
def test_what_is_not_kept_says_why(flagged, sent, expected):
    server, folder = flagged
    whole = {"files": {"image": GREY}, "data": TRUE} | sent
    if "json" in sent:
        whole = sent
    reply = server.post("/feedback", **whole)
    body = reply.json()
    assert (reply.status_code, body["code"]) == expected[:2]
    assert expected[2] in body["error"]
    assert pictures(folder) == set()


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://behind-a-proxy.example"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://{}"},
        {"Origin": "https://{}"},
        {},
    ],
)
def test_the_servers_own_page_and_programs_may_send_and_delete(flagged, headers):
    server, _ = flagged
    ours = {k: v.format(f"127.0.0.1:{server.port}") for k, v in headers.items()}
    reply = correct(server, headers=ours)
    assert reply.status_code == 200
    assert "Access-Control-Allow-Origin" not in reply.headers
    assert delete(server, reply.json()["id"], headers=ours).status_code == 200


def test_another_site_deletes_nothing_though_it_knew_the_id(flagged):
    server, folder = flagged
    token = correct(server).json()["id"]
    reply = delete(server, token, headers={"Origin": "https://evil.example"})
    assert (reply.status_code, reply.json()["code"]) == (422, "cross_origin")
    assert len(pictures(folder)) == 1
    assert delete(server, token).status_code == 200


@pytest.mark.parametrize("token", ["x", "%00", "é", "a" * 5000, "%ed%a0%80"])
def test_an_id_that_is_none_is_404(flagged, token):
    assert delete(flagged[0], token).status_code == 404


def test_corrected_pictures_only_are_kept_when_flagged(flagged):
    server, folder = flagged
    assert server.post("/predict", files={"image": GREY}).status_code == 200
    assert pictures(folder) == set()


def test_by_default_nothing_is_kept_and_the_page_is_told(server, tmp_path):
    about = server.get("/models").json()
    assert about["keep_uploads"] == "none"
    reply = correct(server)
    assert (reply.status_code, reply.json()["code"]) == (404, "uploads_not_kept")
    assert "keep_uploads" in reply.json()["error"]
    assert delete(server, "0" * 32).status_code == 404


def test_the_page_is_told_what_is_kept_and_for_how_long(flagged):
    about = flagged[0].get("/models").json()
    assert about["keep_uploads"] == "flagged"
    assert about["uploads_max_age_days"] == 90


def test_every_predicted_picture_is_kept_when_all_is_and_its_id_deletes_it(
    models, tmp_path
):
    folder = tmp_path / "uploads"
    with keeping("all", models, folder) as server:
        server.ready()
        files = [("image", picture(colour)) for colour in ("white", "black")]
        body = server.post("/predict", files=[*files, ("image", b"zz")]).json()
        numbers = {"instances": [[[[0]] * 24] * 24]}
        assert server.post("/predict", json=numbers).status_code == 200
        server.post("/predict?model=sentiment", json={"text": "a"})
        wait_until(lambda: len(pictures(folder)) == len(records(folder)) == 2)
        shown = [(one["prediction"], one["label"]) for one in records(folder)]
        assert sorted(shown) == [("dark", None), ("light", None)]
        correct(server, image=files[0][1])
        assert len(pictures(folder)) == 2
        assert delete(server, body["id"]).status_code == 200
        (left,) = records(folder)
        assert left["label"] == "light"


def test_what_was_kept_can_be_deleted_when_nothing_more_is_kept(models, tmp_path):
    folder = tmp_path / "uploads"
    with keeping("flagged", models, folder) as server:
        token = correct(server.ready()).json()["id"]
    with keeping("none", models, folder) as server:
        assert delete(server.ready(), token).status_code == 200
    assert pictures(folder) == set()


def test_what_is_too_old_is_gone_soon_after_the_start(models, tmp_path):
    folder = tmp_path / "uploads"
    with keeping("flagged", models, folder) as server:
        correct(server.ready())
    assert len(pictures(folder)) == 1
    with keeping("none", models, folder, "--uploads-max-age-days", "1e-9"):
        wait_until(lambda: not pictures(folder) and not records(folder))


def test_a_folder_that_cannot_be_written_is_said_to_the_sender_and_the_log(
    models, tmp_path
):
    (tmp_path / "file").write_text("in the way")
    with keeping("all", models, tmp_path / "file" / "uploads") as server:
        server.ready()
        server.wait_for_log(r"ERROR +uploads: .*Not a directory")
        reply = correct(server)
        assert (reply.status_code, reply.json()["code"]) == (503, "not_stored")
        assert reply.headers["Retry-After"] == "60"
        assert "uploads folder" in reply.json()["error"]
        assert str(tmp_path) not in reply.text
        assert server.post("/predict", files={"image": GREY}).status_code == 200
        server.wait_for_log(r"WARNING +uploads: a picture was not stored")
