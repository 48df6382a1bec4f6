"""The corpus: sentences written one by one, and sentences made from templates."""

import json
import random
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

LABELS = ("Negative", "Positive")
# Per frame and side: every word of the lexicon is used a few times.
PER_FRAME = 100
_SLOT = re.compile(r"\{(\w+)\}")

Lexicon = dict[str, list[str]]


class Sentence(NamedTuple):
    """A text and its side: 0 for Negative, 1 for Positive."""

    text: str
    side: int


def hand_written(corpus: Path) -> list[Sentence]:
    """Return the sentences of negative.txt and positive.txt, one a line."""
    return [
        Sentence(line, side)
        for side, label in enumerate(LABELS)
        for line in (corpus / f"{label.lower()}.txt").read_text("utf-8").splitlines()
    ]


def held_out(corpus: Path) -> list[Sentence]:
    """Return the sentences of held_out.jsonl, which nothing here learns from."""
    lines = (corpus / "held_out.jsonl").read_text("utf-8").splitlines()
    read = (json.loads(line) for line in lines)
    return [Sentence(r["text"], LABELS.index(r["label"])) for r in read]


def made(corpus: Path, seed: int) -> Iterator[Sentence]:
    """Yield the sentences of templates.toml, as many of either side.

    Both sides fill the same frames, so only the words that fill them tell.
    """
    templates = tomllib.loads((corpus / "templates.toml").read_text("utf-8"))
    shared = lexicon(templates["shared"])
    for side, label in enumerate(LABELS):
        words = shared | lexicon(templates[label.lower()])
        fill = Filler(words, random.Random(seed))
        for kind, told in (("straight", side), ("turned", 1 - side), ("kept", side)):
            for frame in templates[kind]:
                for _ in range(PER_FRAME):
                    yield Sentence(fill(frame), told)


def lexicon(table: dict[str, str]) -> Lexicon:
    """Return the words of each slot; phrases are set apart by `|`, words by space."""
    return {
        slot: [w.strip() for w in text.split("|")] if "|" in text else text.split()
        for slot, text in table.items()
    }


class Filler:
    """Fills frames, going through each slot's words in a shuffled round."""

    def __init__(self, words: Lexicon, rng: random.Random) -> None:
        self.words, self.rng = words, rng
        self.left: Lexicon = {}

    def __call__(self, frame: str) -> str:
        """Return the frame with each `{slot}` replaced by that slot's next word."""
        return _SLOT.sub(lambda match: self.draw(match[1]), frame)

    def draw(self, slot: str) -> str:
        """Return the slot's next word; a round has every word once."""
        if not self.left.get(slot):
            words = self.words[slot]
            self.left[slot] = self.rng.sample(words, len(words))
        return self.left[slot].pop()
