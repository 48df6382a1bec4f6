"""Texts: model.py of any library, /predict with text, the route behind a token."""

import json
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from facenality.engines.open import open_engine
from facenality.errors import InvalidSetting, ModelLoadFailed
from facenality.web.auth import Tokens
from serving import Served

MODEL = """
def load(folder):
    return (folder / "words.txt").read_text().split()

def predict(words, instances):
    assert isinstance(instances, list), "texts come as a list"
    if "poison" in instances:
        raise ValueError("poisoned")
    good = [sum(word in text for word in words) for text in instances]
    return [[1.0 - bool(n), float(bool(n))] for n in good]
"""
CARD = 'task = "text-classification"\nlabels = ["Negative", "Positive"]\n'
TOKEN = "s3cret-ü"


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """A server of a text model behind two tokens, one of them in a file."""
    root = tmp_path_factory.mktemp("texts")
    folder = root / "models" / "sentiment"
    folder.mkdir(parents=True)
    (folder / "model.py").write_text(MODEL)
    (folder / "words.txt").write_text("love great\n")
    (folder / "model.toml").write_text(CARD)
    (root / "tokens").write_text("# mine\nfrom-file\n")
    flags = (f"--text-tokens={TOKEN}", f"--text-tokens-file={root / 'tokens'}")
    with Served(root / "models", *flags) as server:
        server.root = root
        yield server.ready()


def ask(server, document, token=TOKEN, **more):
    return server.post(f"/api/v1/{token}/predict", json=document, **more)


def test_texts_get_a_label_each_under_their_key(texts):
    reply = ask(texts, {"1": "I love it", "2": "I hate it", "ü": "GREAT? great"})
    assert reply.status_code == 200
    assert reply.json() == {"1": "Positive", "2": "Negative", "ü": "Positive"}
    assert list(reply.json()) == ["1", "2", "ü"]


def test_no_texts_get_no_labels(texts):
    assert ask(texts, {}).json() == {}


def test_ten_thousand_texts_are_answered_and_one_more_is_too_many(texts):
    many = {str(i): "love" if i % 3 else "hate" for i in range(10_000)}
    answered = ask(texts, many).json()
    assert len(answered) == 10_000
    assert all(
        (label == "Positive") == bool(int(i) % 3) for i, label in answered.items()
    )
    reply = ask(texts, many | {"more": "love"})
    assert (reply.status_code, reply.json()["code"]) == (413, "too_many_inputs")


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        (b"[]", 400, "object"),
        (b'"text"', 400, "object"),
        (b"{", 400, "not JSON"),
        (b"", 400, "not JSON"),
        (b'{"1": "\xff"}', 400, "not JSON"),
        (b'{"1": 5}', 422, "'1' must be a string"),
        (b'{"1": "love", "2": null}', 422, "'2' must be a string"),
        (b'{"1": "\\ud800"}', 422, "surrogate"),
        (b'{"\\ud800": "love"}', 422, "surrogate"),
        (b'{"1": "love", "2": "poison"}', 500, "log"),
    ],
)
def test_what_is_no_object_of_texts_is_refused(texts, body, status, word):
    reply = texts.post(f"/api/v1/{TOKEN}/predict", data=body)
    assert reply.status_code == status
    assert word in reply.json()["error"]


@pytest.mark.parametrize("token", ["wrong", "", "s3cret", TOKEN + "x", "%00", "%ff"])
def test_any_other_token_is_a_path_that_does_not_exist(texts, token):
    reply = ask(texts, {"1": "love"}, token=token)
    missing = texts.post("/nothing")
    assert reply.status_code == missing.status_code == 404
    assert reply.json()["error"] == missing.json()["error"]


def test_the_token_is_in_no_log_line(texts):
    ask(texts, {"1": "love"})
    texts.wait_for_log("POST /api/v1/<token>/predict 200")
    assert "s3cret" not in texts.log()


def test_a_malformed_request_does_not_put_the_token_into_the_log(texts):
    line = f"POST /api/v1/{TOKEN}/predict?x=a b HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(("127.0.0.1", texts.port)) as sock:
        sock.sendall(line.encode())
        assert sock.recv(1000).startswith(b"HTTP/1.1 400")
    texts.wait_for_log("a malformed request")
    assert "s3cret" not in texts.log()


def test_two_long_requests_leave_places_for_others(texts):
    many = {str(i): "love" for i in range(10_000)}
    with ThreadPoolExecutor(2) as pool:
        long = [pool.submit(ask, texts, many) for _ in range(2)]
        statuses = []
        while not all(one.done() for one in long):
            reply = texts.post("/predict", json={"text": "love"})
            statuses.append(reply.status_code)
    assert {one.result().status_code for one in long} == {200}
    assert set(statuses) == {200}


def test_a_token_of_the_file_is_taken_and_sighup_reads_it_again(texts):
    assert ask(texts, {}, token="from-file").status_code == 200
    (texts.root / "tokens").write_text("rotated\n")
    texts.process.send_signal(signal.SIGHUP)
    texts.wait_for_log("reloaded")
    assert ask(texts, {}, token="from-file").status_code == 404
    assert ask(texts, {}, token="rotated").status_code == 200


def test_predict_takes_a_text_and_instances(texts):
    one = texts.post("/predict", json={"text": "I love it"}).json()
    assert one["predictions"][0] == {"label": "Positive", "score": 1.0}
    two = texts.post("/predict", json={"instances": ["love", "hate", 5]}).json()
    assert [r.get("code") for r in two["results"]] == [None, None, "not_text"]
    image = texts.post("/predict", json={"image": "aGk="})
    assert image.status_code == 422
    assert "it takes text or instances" in image.json()["error"]


def test_other_origins_may_call_it(texts):
    reply = ask(texts, {}, headers={"Origin": "https://shop.example"})
    assert reply.headers["Access-Control-Allow-Origin"] == "*"


def test_without_tokens_there_is_no_such_route(server):
    assert ask(server, {}).status_code == 404


def test_a_model_that_takes_no_text_says_so(by_hand):
    with Served(by_hand, "--text-tokens=t", "--text-model=colours") as server:
        reply = ask(server.ready(), {"1": "a"}, token="t")
        assert reply.status_code == 422
        assert "set text_model" in reply.json()["error"]


def test_a_tokens_file_that_is_not_there_stops_the_start(tmp_path):
    with pytest.raises(InvalidSetting, match="cannot be read"):
        Tokens((), tmp_path / "gone")


def test_a_tokens_file_that_goes_leaves_the_old_tokens_in_force(tmp_path):
    file = tmp_path / "tokens"
    file.write_text("a\n")
    tokens = Tokens((), file)
    file.unlink()
    with pytest.raises(InvalidSetting):
        tokens.read()
    assert tokens.allow("a")


# --- model.py


def engine(tmp_path, code):
    (tmp_path / "model.py").write_text(code)
    return open_engine(tmp_path / "model.py", 4, lambda _stage: None)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("1 / 0", "model.py raised ZeroDivisionError"),
        ("def (", "model.py raised SyntaxError"),
        ("def load(folder): pass", r"has no function predict\(\)"),
        ("predict = 5\ndef load(folder): pass", r"has no function predict\(\)"),
        (
            "def load(folder): raise OSError('no disk')\ndef predict(m, x): pass",
            r"load\(\) of model.py raised OSError; see the log",
        ),
    ],
)
def test_a_model_py_that_does_not_keep_to_the_protocol_is_named(
    tmp_path, code, sentence
):
    with pytest.raises(ModelLoadFailed, match=sentence):
        engine(tmp_path, code)


def test_a_model_py_gets_arrays_for_what_is_no_text(tmp_path):
    code = "def load(folder): return 2\ndef predict(m, x): return m * x.sum((1, 2, 3))"
    scores = engine(tmp_path, code).predict(np.ones((3, 2, 2, 1), "float32"))
    assert scores.tolist() == [8, 8, 8]


def test_two_model_py_do_not_meet(tmp_path):
    answers = []
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        code = f"N = {number}\ndef load(f): return N\ndef predict(m, x): return x * N"
        answers.append(engine(folder, code))
    assert [e.predict(np.ones(1)).tolist() for e in answers] == [[1], [2]]


def test_a_first_prediction_that_fails_keeps_the_model_out(tmp_path):
    folder = tmp_path / "models" / "m"
    folder.mkdir(parents=True)
    (folder / "model.toml").write_text(CARD)
    (folder / "sample.txt").write_text("hello")
    (folder / "expected.json").write_text(json.dumps([]))
    for predict, sentence in (
        ("def predict(m, x): raise KeyError(1)", "first prediction raised KeyError"),
        ("def predict(m, x): return [[1, 0]]", "answers 1 rows for a batch of 2"),
    ):
        (folder / "model.py").write_text(f"def load(folder): pass\n{predict}")
        with Served(tmp_path / "models") as server:
            server.wait_for_log(sentence)
            time.sleep(0.05)
            assert sentence in server.get("/readyz").json()["error"]
