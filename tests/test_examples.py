"""What comes with a model to try it: GET /models/<name>/examples/<file>."""

import pytest

import made
from facenality.registry import repository, samples
from made import picture
from serving import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    models = tmp_path_factory.mktemp("models")
    made.colours(models / "colours" / "1")
    made.colours(models / "colours" / "2")
    made.multi_label(models / "several")
    beside = models / "colours" / "examples"
    beside.mkdir()
    (beside / "red.png").write_bytes(picture("red"))
    (beside / "page.html").write_text("<script>alert(1)</script>")
    (models / "colours" / "2" / "sample.jpg").write_bytes(picture(form="JPEG"))
    with Served(models, "--model", "colours") as server:
        yield server.ready()


def described(served, name: str, version: str) -> dict:
    models = served.get("/models").json()["models"]
    return next(m for m in models if (m["name"], m["version"]) == (name, version))


def test_models_names_the_golden_sample_first_and_leaves_out_what_is_no_input(served):
    assert described(served, "colours", "1")["examples"] == ["red.png"]
    assert described(served, "colours", "2")["examples"] == ["sample.jpg", "red.png"]
    assert described(served, "several", "1")["examples"] == []


def test_an_example_is_served_as_it_lies_there_and_can_be_predicted(served):
    reply = served.get("/models/colours/examples/red.png")
    assert reply.content == picture("red")
    assert reply.headers["Content-Type"] == "image/png"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    answer = served.post("/predict", files={"image": reply.content}).json()
    assert answer["predictions"][0]["label"] == "red"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("colours/examples/page.html", "not_found"),
        ("colours/examples/model.toml", "not_found"),
        ("colours/examples/..%2f..%2fapp.py", "not_found"),
        ("colours/examples/sample.jpg?version=1", "not_found"),
        ("colours/examples/sample.jpg?version=9", "no_such_version"),
        ("nobody/examples/sample.jpg", "no_such_model"),
    ],
)
def test_nothing_else_is_served(served, path, code):
    reply = served.get(f"/models/{path}")
    assert (reply.status_code, reply.json()["code"]) == (404, code)


def test_only_labels_that_exclude_each_other_are_not_multi_label(served):
    assert described(served, "several", "1")["multi_label"] is True
    assert described(served, "colours", "1")["multi_label"] is False


def test_an_example_larger_than_memory_should_hold_is_left_out(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "model.keras").write_bytes(b"")
    (tmp_path / "mine" / "sample.png").write_bytes(bytes(samples.LARGEST + 1))
    (found,) = repository.scan(tmp_path)
    assert samples.read_examples(found) == {}
