"""The sentiment model tells positive from negative tweets, and no text upsets it."""

import importlib.util
import json
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.full

SENTIMENT = Path(__file__).parent.parent / "models" / "sentiment"
ARTIFACTS = ("artifacts.json", "expected.json")

# From the rules' examples in Porter's paper, whole words taken to the end; the last row
# is about the two rules that he changed later.
STEMS = """
caresses:caress ponies:poni ties:ti caress:caress cats:cat
feed:feed agreed:agre plastered:plaster bled:bled motoring:motor sing:sing
conflated:conflat troubled:troubl sized:size hopping:hop tanned:tan falling:fall
hissing:hiss fizzed:fizz failing:fail filing:file happy:happi sky:sky
relational:relat conditional:condit rational:ration valenci:valenc hesitanci:hesit
digitizer:digit radicalli:radic differentli:differ vileli:vile analogousli:analog
vietnamization:vietnam predication:predic operator:oper feudalism:feudal
decisiveness:decis hopefulness:hope callousness:callous formaliti:formal
sensitiviti:sensit sensibiliti:sensibl
triplicate:triplic formative:form formalize:formal electriciti:electr
electrical:electr hopeful:hope goodness:good
revival:reviv allowance:allow inference:infer airliner:airlin gyroscopic:gyroscop
adjustable:adjust defensible:defens irritant:irrit replacement:replac
adjustment:adjust dependent:depend adoption:adopt homologou:homolog communism:commun
activate:activ angulariti:angular homologous:homolog effective:effect
bowdlerize:bowdler probate:probat rate:rate cease:ceas controll:control roll:roll
generalizations:gener oscillators:oscil
terribly:terribl apology:apolog
"""

PREPROCESSED = [
    ("", []),
    ("I LOVE it", ["love"]),
    ("RT @bob: nice https://t.co/x?y=1 www.a.example", ["nice"]),
    ("#Mondays @alice", ["mondai"]),
    ("Great :-) :D ;) <3 (: xD ^_^", ["great", ":)"]),
    ("sad :( :'( T_T </3 D:", ["sad", ":("]),
    ("hm :/ -_-", ["hm", ":/"]),
    ("😍👍", ["😍", "👍"]),
    ("I do NOT like #Mondays :(", ["not", "NOT_like", "NOT_mondai", ":("]),
    ("don't go", ["not", "NOT_go"]),
    ("don\u2019t go", ["not", "NOT_go"]),
    ("dont go", ["not", "NOT_go"]),
    ("never again", ["not", "NOT_again"]),
    ("not slow, good", ["not", "NOT_slow", "good"]),
    ("not slow :) good", ["not", "NOT_slow", ":)", "good"]),
    (
        "not one two three four five",
        ["not", "NOT_on", "NOT_two", "NOT_three", "NOT_four", "five"],
    ),
    ("not only good", ["not", "NOT_onli", "good"]),
    ("not fast because busy", ["not", "NOT_fast", "becaus", "busi"]),
    ("never been so happy", ["veri", "happi"]),
    ("can't wait", ["excit"]),
    ("can't thank you enough", ["thank", "veri", "much"]),
    ("nothing but joy", ["joi"]),
    ("slow. ugly but cheap", ["slow", "cheap"]),
    ("goooood goood", ["good", "god"]),
    ("John's 10/10", ["john", "10/10"]),
    ("good good GOOD", ["good"]),
    ("abc" * 20 + " fine", ["fine"]),
]

TOLD = [
    ("I love it", "Positive"),
    ("What a great day :)", "Positive"),
    ("Can't wait to see you!", "Positive"),
    ("not bad", "Positive"),
    ("😍", "Positive"),
    ("Loooove this", "Positive"),
    ("The queue was terrible but the food was amazing", "Positive"),
    ("I hate it", "Negative"),
    ("This is the worst phone ever", "Negative"),
    ("not good", "Negative"),
    ("isn't good", "Negative"),
    ("I don't love it", "Negative"),
    ("💔", "Negative"),
    ("The food was amazing but the staff were rude", "Negative"),
]

ODD = {
    "empty": "",
    "blank": " \n\t ",
    "only emoji": "🙂" * 50,
    "only punctuation": "?!.,;:'\"",
    "NUL": "\0good\0",
    "lone surrogate": "\ud83d bad \udc00",
    "other scripts": "とても良い عظيم хорошо",
    "combining marks": "e\u0301\u0323" * 1000,
}

# 100,000 characters each, made to send a careless pattern back and forth.
LONG = [
    *("(", ")", ":", "<", "</", "-", "^_", "-_", "=-", "[:", ":'", "'", "1", "1/", "a"),
    *("@", "@a", "rt ", "rt  ", "http://", "www.", "xd", ":d", "n't", " but", ". "),
    *(
        "never ",
        "can't ",
        "never a b c ",
        "can't abcdefghijklmno ",
        "ab",
        "\ud800",
        "\0",
    ),
]


def load_by_path(name: str) -> ModuleType:
    """As the server does: from the file, with its folder not on sys.path."""
    spec = importlib.util.spec_from_file_location(
        f"sentiment_test_{name}", SENTIMENT / f"{name}.py"
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def served() -> ModuleType:
    return load_by_path("model")


@pytest.fixture(scope="module")
def model(served: ModuleType) -> Any:
    return served.load(SENTIMENT)


@pytest.fixture(scope="module")
def held_out() -> list[dict[str, str]]:
    lines = (SENTIMENT / "corpus" / "held_out.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def card() -> dict[str, Any]:
    return tomllib.loads((SENTIMENT / "model.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def labels(card: dict[str, Any]) -> list[str]:
    return card["labels"]


@pytest.mark.parametrize("pair", STEMS.split())
def test_words_are_stemmed_as_in_porters_paper(pair: str) -> None:
    word, stem = pair.split(":")
    assert load_by_path("porter").stem(word) == stem


@pytest.mark.parametrize("word", ["", "a", "is", "naïve", "10k", "日本"])
def test_short_and_foreign_words_stay_as_they_are(word: str) -> None:
    assert load_by_path("porter").stem(word) == word


@pytest.mark.parametrize(("text", "stems"), PREPROCESSED)
def test_a_tweet_becomes_its_distinct_stems(
    model: Any, text: str, stems: list[str]
) -> None:
    assert model.stems(text) == stems


@pytest.mark.parametrize(("text", "label"), TOLD)
def test_plain_sentences_are_told(
    served: ModuleType, model: Any, labels: list[str], text: str, label: str
) -> None:
    assert labels[served.predict(model, [text])[0].argmax()] == label


def test_held_out_sentences_are_told_as_often_as_the_readme_says(
    served: ModuleType, model: Any, labels: list[str], held_out: list[dict[str, str]]
) -> None:
    best = served.predict(model, [s["text"] for s in held_out]).argmax(axis=1)
    right = sum(labels[i] == s["label"] for i, s in zip(best, held_out, strict=True))
    readme = (SENTIMENT / "README.md").read_text("utf-8")
    stated = re.search(r"(\d+) of (\d+) right", readme)
    assert stated
    assert (right, len(held_out)) == (int(stated[1]), int(stated[2]))
    assert right / len(held_out) >= 0.8


def test_held_out_sentences_are_many_even_and_in_no_training_file(
    held_out: list[dict[str, str]],
) -> None:
    files = (SENTIMENT / "corpus").glob("*.t*")
    learned = "".join(file.read_text("utf-8") for file in files).casefold()
    assert len(held_out) >= 120
    assert sum(s["label"] == "Positive" for s in held_out) * 2 == len(held_out)
    # Very short ones are parts of longer sentences: "not good at all".
    long = [s["text"] for s in held_out if len(s["text"]) > 25]
    assert [text for text in long if text.casefold() in learned] == []


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_any_string_is_answered(served: ModuleType, model: Any, text: str) -> None:
    scores = served.predict(model, [text])
    assert scores.shape == (1, 2)
    assert (scores >= 0).all()
    assert scores.sum() == pytest.approx(1)


@pytest.mark.parametrize("part", LONG)
def test_a_long_text_takes_no_longer_than_its_length(
    served: ModuleType, model: Any, part: str
) -> None:
    started = time.thread_time()
    scores = served.predict(model, [part * (100_000 // len(part)) + " good"])
    assert time.thread_time() - started < 2  # a quadratic one takes minutes
    assert scores.sum() == pytest.approx(1)


def test_a_long_text_is_no_surer_than_its_words(served: ModuleType, model: Any) -> None:
    short = "the food was good and the bed was bad"
    short_score, long_score = served.predict(model, [short, f"{short}. " * 500])[:, 1]
    assert long_score == pytest.approx(short_score)


def test_an_answer_does_not_depend_on_the_rest_of_the_batch(
    served: ModuleType, model: Any, held_out: list[dict[str, str]]
) -> None:
    texts = [s["text"] for s in held_out]
    together = served.predict(model, texts)
    alone = np.concatenate([served.predict(model, [text]) for text in texts])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together[::-1], served.predict(model, texts[::-1]))


def test_ten_thousand_texts_are_answered_in_two_seconds(
    served: ModuleType, model: Any
) -> None:
    texts = [
        f"Burger {i} @bob wasn't great, but the staff were nice :)"
        for i in range(10_000)
    ]
    started = time.thread_time()
    scores = served.predict(model, texts)
    assert time.thread_time() - started < 2
    assert scores.shape == (10_000, 2)
    np.testing.assert_allclose(scores.sum(axis=1), 1)


def test_training_reproduces_the_committed_artifacts(tmp_path: Path) -> None:
    """From any folder, whatever the seed of Python's hashes."""
    command = [
        sys.executable,
        str(SENTIMENT / "train.py"),
        "--out",
        str(tmp_path / "m"),
    ]
    run = subprocess.run(
        command,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONHASHSEED": "7"},
    )
    assert run.returncode == 0, run.stderr
    assert "held out" in run.stdout
    for name in ARTIFACTS:
        assert (tmp_path / "m" / name).read_bytes() == (SENTIMENT / name).read_bytes()


def test_artifacts_are_small_plain_json() -> None:
    text = (SENTIMENT / "artifacts.json").read_text("ascii")
    assert len(text) < 300_000
    assert set(json.loads(text)) == {"texts", "weights", "stems"}
    kinds = {
        file.suffix for file in SENTIMENT.rglob("*") if "__pycache__" not in file.parts
    }
    assert kinds <= {"", ".py", ".json", ".jsonl", ".txt", ".toml", ".md"}


def test_serving_needs_numpy_alone_and_leaves_no_module_behind() -> None:
    code = (
        "import importlib.util, pathlib, sys\n"
        f"folder = pathlib.Path({str(SENTIMENT)!r})\n"
        "spec = importlib.util.spec_from_file_location('m', folder / 'model.py')\n"
        "m = importlib.util.module_from_spec(spec)\n"
        "path = list(sys.path)\n"
        "spec.loader.exec_module(m)\n"
        "assert m.predict(m.load(folder), ['good']).shape == (1, 2)\n"
        "assert sys.path == path\n"
        "named = {name.partition('.')[0] for name in sys.modules}\n"
        "assert not named & {'text', 'porter', 'sentiment', 'sklearn', 'rich'}\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def test_the_golden_sample_is_answered_as_expected(
    served: ModuleType, model: Any, card: dict[str, Any], labels: list[str]
) -> None:
    sample = (SENTIMENT / "sample.txt").read_text("utf-8")
    expected = json.loads((SENTIMENT / "expected.json").read_text("utf-8"))
    scores = served.predict(model, [sample])[0]
    assert [p["label"] for p in expected] == [labels[i] for i in np.argsort(-scores)]
    probabilities = [p["probability"] for p in expected]
    np.testing.assert_allclose(
        probabilities, np.sort(scores)[::-1], atol=card["tolerance"]
    )


def test_the_card_says_what_the_model_is(card: dict[str, Any]) -> None:
    assert card == {
        "task": "text-classification",
        "labels": ["Negative", "Positive"],
        "output": "probability",
        "max_batch_size": 256,
        "tolerance": 0.001,
    }
