"""Train the digits model and write its folder.

Learns to read single digits, scanned, drawn or photographed, from scikit-learn's 8x8
scans and from drawn strokes. Needs no network, no font and no GPU; takes a few minutes
on two cores. Writes model.keras, labels.txt, metrics.json, sample.png with
expected.json, and examples/.
"""

import argparse
import json
from pathlib import Path

import keras
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

import exams
import extra
import network
import samples
import scans
from pictures import Pictures

BATCH_SIZE = 128


def main() -> None:
    """Load, build, fit, evaluate, save."""
    options = parse()
    keras.utils.set_random_seed(options.seed)
    seen, held_out = scans.load()
    more = extra.load(options.extra) if options.extra else None
    if more:
        print(f"learning from {len(more.digits)} pictures of {options.extra} as well")
    pictures = Pictures(seen, options.samples, BATCH_SIZE, options.seed, more)
    model = network.build()
    fit(model, pictures, options)
    model = network.bare(model)
    accuracies = exams.accuracies(model, held_out)
    report(accuracies)
    save(model, accuracies, options.out)
    samples.save(model, held_out, options.out)


def parse() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    here = Path(__file__).parent
    for flag, kind, default, text in (
        ("--epochs", int, 16, "how often to go through SAMPLES pictures"),
        ("--samples", int, 20_480, "new pictures per epoch, no less than 128"),
        ("--seed", int, 1, "the same seed gives the same model"),
        ("--out", Path, here, "the folder to write to"),
        ("--extra", Path, None, "a folder of `app.py dataset`, to learn from as well"),
    ):
        shown = "this script's folder" if default is here else default
        help_text = f"{text} (default: {shown})"
        parser.add_argument(flag, type=kind, default=default, help=help_text)
    return parser.parse_args()


def fit(model: keras.Model, pictures: Pictures, options: argparse.Namespace) -> None:
    """Train the model under a progress bar."""
    steps = options.epochs * len(pictures)
    network.compile_for(model, steps)
    columns = TextColumn("training"), BarColumn(), TimeRemainingColumn()
    with Progress(*columns, TextColumn("{task.fields[state]}")) as progress:
        bar = progress.add_task("training", total=steps, state="")

        def advance(_batch: int, logs: dict[str, float]) -> None:
            state = f"accuracy {logs['accuracy']:.1%}"
            progress.update(bar, advance=1, state=state)

        model.fit(
            pictures,
            epochs=options.epochs,
            shuffle=False,  # every picture is new: there is no order to forget
            verbose=0,
            callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=advance)],
        )


def report(accuracies: exams.Accuracies) -> None:
    """Print the accuracy of every exam."""
    for name, right in accuracies.items():
        print(name, "-" if right is None else f"{right:.2%}")


def save(model: keras.Model, accuracies: exams.Accuracies, folder: Path) -> None:
    """Write the model, its labels and how well it did."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder / "model.keras")
    labels = "\n".join(samples.LABELS) + "\n"
    (folder / "labels.txt").write_text(labels, encoding="utf-8")
    text = json.dumps(accuracies, indent=2) + "\n"
    (folder / "metrics.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
