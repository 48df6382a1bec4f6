"""`make architectures`: every network of keras.applications, served from the folder.

Each is built with random weights whose answers differ (bench/spread.py), saved by Keras,
served by app.py, and asked over HTTP with PNG pictures; its probabilities are compared with
those of keras.Model.predict. Prints a Markdown table.
"""

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import requests
from PIL import Image
from rich.console import Console
from rich.progress import track

from .served import served

CARD = """
task = "image-classification"
output = "probability"
preprocess = "{preprocess}"
engine = "tensorflow"
max_batch_size = 4
"""
HEAD = (
    "| architecture | parameters, millions | largest difference to Keras | Keras, "
    "the picture moved by 1e-6 | answers differ by | a model 2 % wrong |\n|---|---|---|---|---|---|"
)


def names() -> list[str]:
    """Every architecture that Keras exports, in a child: importing it costs 600 MB."""
    code = (
        "import inspect, keras.applications as a;"
        "print(*(n for n, v in vars(a).items() if inspect.isfunction(v)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return sorted(done.stdout.split())


def compare(name: str, root: Path) -> dict[str, float]:
    """How far the served answers are from Keras's, and how far a wrong model's are."""
    folder = root / name.lower() / "1"
    subprocess.run(
        [sys.executable, "-m", "bench.spread", name, folder],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    kept = np.load(folder / "pictures.npz")
    (folder / "model.toml").write_text(CARD.format(preprocess=kept["preprocess"]))
    with served(root) as (port, _):
        answers = np.stack([ask(port, one) for one in kept["shown"]])
    return {
        "parameters": (folder / "model.keras").stat().st_size / 4e6,
        "difference": float(np.abs(answers - kept["answers"]).max()),
        "steep": float(np.abs(kept["moved"] - kept["answers"]).max()),
        "spread": float(np.ptp(kept["answers"], axis=0).max()),
        "wrong": float(np.abs(answers - kept["wrong"]).max()),
    }


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
    """One row each; those that cannot be built say why."""
    print(HEAD, flush=True)
    for name in track(wanted or names(), "comparing", console=Console(stderr=True)):
        root = Path(tempfile.mkdtemp())
        try:
            row = compare(name, root)
        except subprocess.CalledProcessError:
            print(f"| {name} | could not be built here | | | | |", flush=True)
        else:
            print(
                f"| {name} | {row['parameters']:.1f} | {row['difference']:.1e} "
                f"| {row['steep']:.1e} | {row['spread']:.2f} | {row['wrong']:.1e} |",
                flush=True,
            )
        finally:
            shutil.rmtree(root)


if __name__ == "__main__":
    main(sys.argv[1:])
