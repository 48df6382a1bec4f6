"""Train the sentiment model and write its artifacts.

Learns from corpus/: sentences written one by one, and thousands made from templates.
Needs no network and takes a few seconds. Writes artifacts.json, and expected.json, the
answer to sample.txt.
"""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import Progress

import learning
import model
import sentences

HERE = Path(__file__).parent


def main() -> None:
    """Read, preprocess, count, fit, save, evaluate."""
    options = parse()
    written = sentences.hand_written(options.corpus)
    made = list(sentences.made(options.corpus, options.seed))
    with Progress() as progress:
        stems = model.preprocessor(HERE)
        todo = progress.track(written + made, description="preprocessing")
        examples = [learning.Example(stems(text), side) for text, side in todo]
        folds = progress.track(range(learning.FOLDS), description="fitting")
        artifacts = fit(examples[: len(written)], examples[len(written) :], folds)
    trained = model.assemble(artifacts, stems)
    save(artifacts, options.out)
    answer(trained, options.out)
    report(trained, sentences.held_out(options.corpus))


def parse() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for flag, kind, default, text in (
        ("--corpus", Path, HERE / "corpus", "the folder of the sentences"),
        ("--seed", int, 1, "the same seed gives the same model"),
        ("--out", Path, HERE, "the folder to write to"),
    ):
        shown = "this script's" if kind is Path else default
        help_text = f"{text} (default: {shown})"
        parser.add_argument(flag, type=kind, default=default, help=help_text)
    return parser.parse_args()


def fit(
    written: list[learning.Example],
    made: list[learning.Example],
    folds: Iterable[int],
) -> dict[str, Any]:
    """Return the artifacts; print how well each fold was told by the others."""
    rows = learning.unseen(written, made, folds)
    sides = np.array([example.side for example in written])
    weights = learning.regress(rows, sides)
    right = (rows @ weights > 0) == sides
    print(f"{len(written)} sentences hand-written, {len(made)} made from templates")
    print(f"hand-written, cross-validated: {right.sum()} right, {right.mean():.1%}")
    tally = learning.Tally(made, written)
    return {
        "texts": tally.texts,
        "weights": weights.tolist(),
        "stems": tally.counts(),
    }


def save(artifacts: dict[str, Any], folder: Path) -> None:
    """Write artifacts.json, a stem a line."""
    folder.mkdir(parents=True, exist_ok=True)
    stems = (f"{json.dumps(k)}: {list(v)}" for k, v in artifacts["stems"].items())
    lines = (
        *(f'"{key}": {artifacts[key]}' for key in ("texts", "weights")),
        '"stems": {\n' + ",\n".join(stems) + "\n}",
    )
    write(folder / "artifacts.json", "{\n" + ",\n".join(lines) + "\n}")


def answer(trained: model.Model, folder: Path) -> None:
    """Write expected.json, the best label first, for sample.txt."""
    sample = (HERE / "sample.txt").read_text("utf-8")
    scores = model.predict(trained, [sample])[0].tolist()
    best = sorted(zip(scores, sentences.LABELS, strict=True), reverse=True)
    predictions = [{"label": k, "probability": round(v, 6)} for v, k in best]
    write(folder / "expected.json", json.dumps(predictions, indent=2))


def write(file: Path, text: str) -> None:
    """Write the text and a line's end."""
    file.write_text(text + "\n", encoding="utf-8")


def report(trained: model.Model, held_out: list[sentences.Sentence]) -> None:
    """Print how many sentences that nothing was learned from are told."""
    texts, sides = zip(*held_out, strict=True)
    right = model.predict(trained, texts).argmax(axis=1) == sides
    print(f"held out: {right.sum()} of {len(right)} right, {right.mean():.1%}")


if __name__ == "__main__":
    main()
