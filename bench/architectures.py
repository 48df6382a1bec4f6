"""`make architectures`: every network of keras.applications, served from the folder.

Each is built with random weights whose answers differ (bench/spread.py), saved by Keras,
served by app.py, and asked over HTTP with PNG pictures; its probabilities are compared with
those of keras.Model.predict. Prints a Markdown table.

`python -m bench.architectures --build NAME FOLDER` builds one, in a process of its own: it
writes model.keras and pictures.npz with `shown` uint8[N, H, W, 3]; `preprocess`, how they
become the network's input; `answers` of keras.Model.predict to each alone; `moved`, its
answers when every pixel is moved by one part in a million, which shows how steep the network
is; and `wrong`, those of a copy whose weights are 2 % off, which a comparison has to notice.
"""

import inspect
import io
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import requests
from PIL import Image
from rich.console import Console
from rich.progress import track

from . import spread
from .page import table
from .served import served

CARD = """
task = "image-classification"
output = "probability"
preprocess = "{preprocess}"
engine = "tensorflow"
max_batch_size = 4
"""
HEAD = (
    *("architecture", "parameters, millions", "largest difference to Keras"),
    *("Keras, the picture moved by 1e-6", "answers differ by", "a model 2 % wrong"),
)


def build(name: str, folder: Path) -> None:
    """Build, spread, answer, save."""
    import keras

    from facenality.tasks.image_transform import preprocess

    keras.utils.set_random_seed(0)
    make = getattr(keras.applications, name)
    model = make(weights=None)
    if None in model.input_shape[1:]:  # MobileNetV3 leaves its size open
        model = make(weights=None, input_shape=(224, 224, 3))
    shown = spread.pictures(model.input_shape[1:3])
    how = "none" if spread.rescales(model) else "tf"
    batch = np.stack([preprocess(one, how) for one in shown])
    spread.spread(model, batch)
    folder.mkdir(parents=True)

    def answers(pixels: np.ndarray) -> np.ndarray:
        # One by one, as they are asked for: another batch size is rounded differently,
        # and the steep last layer shows it.
        return np.asarray(model.predict(pixels, batch_size=1, verbose=0))

    right, moved = answers(batch), answers(batch * (1 + 1e-6))
    model.save(folder / "model.keras")
    rng = np.random.default_rng(2)
    for weight in model.trainable_weights:
        noise = 1 + 0.02 * rng.standard_normal(weight.shape)
        weight.assign(weight.numpy() * noise.astype("float32"))
    np.savez(
        folder / "pictures.npz",
        shown=shown,
        preprocess=how,
        answers=right,
        moved=moved,
        wrong=answers(batch),
    )


def compare(name: str, root: Path) -> list[str]:
    """A row: how far the served answers are from Keras's, and a wrong model's."""
    folder = root / name.lower() / "1"
    words = [sys.executable, "-m", "bench.architectures", "--build", name]
    if subprocess.run([*words, str(folder)], stderr=subprocess.DEVNULL).returncode:
        return [name, "could not be built here", "", "", "", ""]
    kept = np.load(folder / "pictures.npz")
    (folder / "model.toml").write_text(CARD.format(preprocess=kept["preprocess"]))
    with served(root) as (port, _):
        answers = np.stack([ask(port, one) for one in kept["shown"]])
    return [
        name,
        f"{(folder / 'model.keras').stat().st_size / 4e6:.1f}",
        f"{np.abs(answers - kept['answers']).max():.1e}",
        f"{np.abs(kept['moved'] - kept['answers']).max():.1e}",
        f"{np.ptp(kept['answers'], axis=0).max():.2f}",
        f"{np.abs(answers - kept['wrong']).max():.1e}",
    ]


def ask(port: int, pixels: np.ndarray) -> np.ndarray:
    """The probabilities of all labels, in the model's order."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    url = f"http://127.0.0.1:{port}/predict?top=100000"
    reply = requests.post(url, files={"image": stream.getvalue()}, timeout=120).json()
    if "predictions" not in reply:
        raise SystemExit(f"the server answered {reply}")
    by_label = {int(p["label"]): p["probability"] for p in reply["predictions"]}
    return np.array([by_label[i] for i in range(len(by_label))])


def main(wanted: list[str]) -> None:
    """All, or those that are named; the table comes at the end."""
    if not wanted:
        import keras

        found = inspect.getmembers(keras.applications, inspect.isfunction)
        wanted = [name for name, _ in found]
    rows = []
    for name in track(wanted, "comparing", console=Console(stderr=True)):
        with tempfile.TemporaryDirectory() as root:
            rows.append(compare(name, Path(root)))
    print(table(HEAD, rows))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--build"]:
        build(sys.argv[2], Path(sys.argv[3]))
    else:
        main(sys.argv[1:])
