"""POST /explain over a real socket: the map says what the model looked at."""

import io
import json
import shutil
from base64 import b64encode

import numpy as np
import pytest
from PIL import Image

import made
from made import picture
from serving import ROOT, Served

DIGITS = ROOT / "models" / "digits"
SPOT = ((30 + 40) / 2 / 48, (14 + 22) / 2 / 48)  # the middle of what `spot` looks at
SIDEWAYS = 6  # EXIF: to be turned a quarter clockwise


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explained")
    for fit in ("stretch", "crop", "pad"):
        made.spot(folder / fit, fit)
    made.words(folder / "words.keras")
    (folder / "words.keras").rename(folder / "bag.keras")
    made.traits(folder / "traits")
    made.sums(folder / "sums.keras")
    made.multi_label(folder / "several")
    made.channels_first(folder / "first")
    for name in ("digits", "sentiment"):
        shutil.copytree(ROOT / "models" / name, folder / name)
    with Served(folder, "--model", "stretch") as served:
        yield served.ready()


def noise(size: tuple[int, int], turned: bool = False) -> bytes:
    """Grey grain as PNG, in which nothing stands out; `turned` as EXIF undoes it."""
    grain = np.random.default_rng(5).integers(90, 166, (size[1], size[0], 3), "uint8")
    image = Image.fromarray(grain)
    exif = Image.Exif()
    if turned:
        image = image.transpose(Image.Transpose.ROTATE_90)
        exif[0x0112] = SIDEWAYS
    stream = io.BytesIO()
    image.save(stream, "PNG", exif=exif)
    return stream.getvalue()


def lit(size: tuple[int, int], at: tuple[float, float], turned: bool = False) -> bytes:
    """Black, with a white spot `at` a fraction of the picture and others elsewhere."""
    pixels = np.zeros((size[1], size[0]), "uint8")
    for x, y in (at, (0.3, 0.2), (0.25, 0.75), (0.8, 0.85)):
        left, top = round((x - 0.11) * size[0]), round((y - 0.11) * size[1])
        right, bottom = round((x + 0.11) * size[0]), round((y + 0.11) * size[1])
        pixels[max(0, top) : bottom, max(0, left) : right] = 255
    image, exif = Image.fromarray(pixels), Image.Exif()
    if turned:
        image = image.transpose(Image.Transpose.ROTATE_90)
        exif[0x0112] = SIDEWAYS
    stream = io.BytesIO()
    image.save(stream, "PNG", exif=exif)
    return stream.getvalue()


def hottest(body) -> tuple[float, float]:
    """The middle of the hottest cell, in fractions of the upright picture."""
    values = np.array(body["heatmap"]["values"])
    assert values.shape == (body["heatmap"]["rows"], body["heatmap"]["cols"])
    row, column = np.unravel_index(values.argmax(), values.shape)
    left, top, right, bottom = body["picture"]["box"]
    x = (column + 0.5) / values.shape[1]
    y = (row + 0.5) / values.shape[0]
    return left + x * (right - left), top + y * (bottom - top)


@pytest.mark.parametrize("turned", [False, True], ids=["upright", "turned by EXIF"])
@pytest.mark.parametrize(
    ("fit", "size", "place"),
    [
        ("stretch", (96, 96), SPOT),
        ("stretch", (200, 50), SPOT),
        ("crop", (192, 96), (0.25 + SPOT[0] / 2, SPOT[1])),
        ("crop", (96, 192), (SPOT[0], 0.25 + SPOT[1] / 2)),
        ("pad", (192, 96), (SPOT[0], 2 * SPOT[1] - 0.5)),
        ("pad", (96, 192), (2 * SPOT[0] - 0.5, SPOT[1])),
    ],
)
def test_the_hottest_cell_is_where_the_model_looks(server, fit, size, place, turned):
    files, label = {"image": lit(size, place, turned)}, {"label": "bright"}
    body = server.post(f"/explain?model={fit}", files=files, data=label).json()
    assert body["label"] == "bright"
    assert (body["picture"]["width"], body["picture"]["height"]) == size
    left, top, right, bottom = body["picture"]["box"]
    x, y = hottest(body)
    assert x == pytest.approx(place[0], abs=(right - left) / body["heatmap"]["cols"])
    assert y == pytest.approx(place[1], abs=(bottom - top) / body["heatmap"]["rows"])


def test_a_value_is_what_the_score_loses_when_the_patch_has_the_mean_colour(server):
    """Each patch goes half a cell beyond its own; the middle one, put by hand."""
    pixels = np.random.default_rng(3).random((48, 48, 3)).round(3)
    explained = server.post("/explain", json={"instances": [pixels.tolist()]}).json()
    assert explained["heatmap"]["rows"] == explained["heatmap"]["cols"] == 7
    covered = pixels.copy()
    covered[17:31, 31:45] = pixels.mean((0, 1))  # 48 / 7 * (2.5 … 4.5), (4.5 … 6.5)
    both = {"instances": [pixels.tolist(), covered.tolist()]}
    before, after = (
        next(p["probability"] for p in one["predictions"] if p["label"] == "bright")
        for one in server.post("/predict", json=both).json()["results"]
    )
    sign = 1 if explained["label"] == "bright" else -1
    value = sign * explained["heatmap"]["values"][3][5]
    assert abs(value) > 1e-3
    assert value == pytest.approx(before - after, abs=1e-5)


def test_another_label_is_explained_where_it_is_named(server):
    files = {"image": lit((96, 96), SPOT)}
    best = server.post("/explain", files=files).json()
    forms = [
        {"files": files, "data": {"label": "dark"}},
        {"files": files, "params": {"label": "dark"}},
    ]
    for form in forms:
        other = server.post("/explain", **form).json()
        assert other["label"] == "dark"
        mirrored = -np.array(best["heatmap"]["values"])
        np.testing.assert_allclose(other["heatmap"]["values"], mirrored, atol=1e-5)


def test_a_picture_of_one_colour_has_no_part_that_matters(server):
    body = server.post("/explain", files={"image": picture("white")}).json()
    assert np.abs(body["heatmap"]["values"]).max() < 1e-5


def test_base64_is_explained_as_the_file_is(server):
    image = lit((96, 96), SPOT)
    sent = {"image": b64encode(image).decode(), "label": "bright"}
    form = {"files": {"image": image}, "data": {"label": "bright"}}
    one, other = server.post("/explain", json=sent), server.post("/explain", **form)
    assert one.json()["heatmap"] == other.json()["heatmap"]
    assert one.json()["picture"] == other.json()["picture"]


def test_numbers_are_explained_as_a_picture_of_their_own_size(server):
    pixels = np.asarray(Image.open(io.BytesIO(lit((48, 48), SPOT)))) / 255
    numbers = np.repeat(pixels[..., None], 3, 2).tolist()
    body = server.post("/explain", json={"instances": [numbers]}).json()
    assert body["picture"] == {"width": 48, "height": 48, "box": [0, 0, 1, 1]}
    assert hottest(body) == pytest.approx(SPOT, abs=0.1)


@pytest.mark.parametrize("model", ["several", "first"])
def test_several_sigmoids_and_channels_first_are_explained(server, model):
    """A red half: only hiding of it takes from `red`."""
    halves = Image.new("RGB", (80, 48), "black")
    halves.paste("red", (0, 0, 40, 48))
    stream = io.BytesIO()
    halves.save(stream, "PNG")
    sent = {"files": {"image": stream.getvalue()}, "data": {"label": "red"}}
    body = server.post(f"/explain?model={model}", **sent).json()
    values = np.array(body["heatmap"]["values"])
    middle = values.shape[1] // 2
    assert values[:, :middle].min() > 0 >= values[:, middle + 1 :].max()


def test_a_value_of_a_regression_is_explained(server):
    image = lit((64, 64), (0.7, 0.4))
    sent = {"files": {"image": image}, "data": {"label": "half"}}
    body = server.post("/explain?model=traits", **sent).json()
    first = server.post("/explain?model=traits", files={"image": image}).json()
    assert (first["label"], body["label"]) == ("brightness", "half")
    np.testing.assert_allclose(
        first["heatmap"]["values"], 2 * np.array(body["heatmap"]["values"]), atol=1e-3
    )
    predicted = server.post("/predict?model=traits", files={"image": image}).json()
    assert body["value"] == pytest.approx(predicted["predictions"][1]["value"])


def test_the_digits_model_looks_at_the_ink(server):
    file = DIGITS / "sample.png"  # dark on light
    body = server.post(
        "/explain?model=digits", files={"image": file.read_bytes()}
    ).json()
    assert body["label"] == "3"
    x, y = hottest(body)
    ink = np.asarray(Image.open(file).convert("L")) < 128
    row, column = int(y * ink.shape[0]), int(x * ink.shape[1])
    assert ink[row - 9 : row + 10, column - 9 : column + 10].any()
    values = np.array(body["heatmap"]["values"])
    assert values[:, [0, -1]].max() < 0.1 < values.max(), "the margin says nothing"


def words(body) -> dict[str, float]:
    return {word["text"]: word["weight"] for word in body["words"]}


def test_the_words_that_mattered_of_a_text(server):
    text = "so good, 😀 not bad\nat all"
    sent = {"text": text, "label": "1"}
    body = server.post("/explain?model=bag", json=sent).json()
    assert [text[word["start"] : word["end"]] for word in body["words"]] == text.split()
    weights = words(body)
    assert weights["good,"] > 0.3
    assert weights["bad"] < -0.3
    neutral = {w: n for w, n in weights.items() if w not in ("good,", "bad")}
    assert max(map(abs, neutral.values())) < 1e-6
    assert body["probability"] == pytest.approx(0.5, abs=1e-6)
    assert "heatmap" not in body


@pytest.mark.parametrize(
    ("text", "label", "word"),
    [
        ("What a wonderful evening", "Positive", "wonderful"),
        ("The train was terrible today", "Negative", "terrible"),
        ("the food was not good", "Negative", "not"),
    ],
)
def test_the_sentiment_model_shows_the_word_that_decided(server, text, label, word):
    body = server.post("/explain?model=sentiment", json={"text": text}).json()
    weights = words(body)
    assert body["label"] == label
    assert max(weights, key=weights.__getitem__) == word


def test_a_text_without_words_has_none(server):
    body = server.post("/explain?model=bag", json={"text": " \n"}).json()
    assert body["words"] == []


PNG = picture("red")
BAD = {
    "no such label": (
        "/explain",
        {"files": {"image": PNG}, "data": {"label": "cat"}},
        (422, "no_such_label", "dark, bright"),
    ),
    "a label that is no string": (
        "/explain?model=bag",
        {"json": {"text": "a", "label": 1}},
        (400, "malformed", "'label'"),
    ),
    "two pictures": (
        "/explain",
        {"files": [("image", PNG), ("image", PNG)]},
        (400, "malformed", "Only one input"),
    ),
    "no picture": ("/explain", {"files": {"x": b"a"}}, (400, "no_file", "no file")),
    "not a picture": (
        "/explain",
        {"files": {"image": b"zzz"}},
        (422, "not_an_image", "JPEG"),
    ),
    "plain numbers": (
        "/explain?model=sums",
        {"json": {"instances": [[1, 2, 3, 4]]}},
        (422, "not_usable", "pictures or texts"),
    ),
    "no such model": (
        "/explain?model=cats",
        {"files": {"image": PNG}},
        (404, "no_such_model", "cats"),
    ),
    "another method": ("/explain", None, (405, "method_not_allowed", "POST")),
}


@pytest.mark.parametrize(("path", "sent", "expected"), BAD.values(), ids=BAD)
def test_what_cannot_be_explained_says_why(server, path, sent, expected):
    reply = server.get(path) if sent is None else server.post(path, **sent)
    body = reply.json()
    assert (reply.status_code, body["code"]) == expected[:2]
    assert expected[2] in body["error"]
    assert body["success"] is False


def test_other_sites_may_not_read_explanations(server):
    theirs = {"Origin": "https://other.example"}
    reply = server.post("/explain", files={"image": PNG}, headers=theirs)
    assert "Access-Control-Allow-Origin" not in reply.headers


def test_the_reply_is_json_of_plain_numbers(server):
    reply = server.post("/explain", files={"image": noise((60, 40), turned=True)})
    body = json.loads(reply.text, parse_constant=pytest.fail)
    assert list(body) == [
        *("success", "label", "probability", "heatmap", "picture", "model", "id")
    ]
