"""What smaller measurements share: one model, one photograph, a load in its own process."""

import json
import os
import subprocess
import sys
from pathlib import Path

from .served import served, wait_until_ready

__all__ = ["served", "wait_until_ready"]

RESULTS = Path("bench/results")
MODEL = RESULTS / "models" / "mobilenetv2" / "model.keras"
CARD = 'task = "image-classification"\npreprocess = "tf"\n'
CLIENTS = 32
SECONDS = float(os.environ.get("BENCH_SECONDS", "10"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))

MAKE_MODEL = """
import keras, sys
keras.utils.set_random_seed(0)
keras.applications.MobileNetV2(weights=None).save(sys.argv[1])
"""


def photograph() -> Path:
    """scikit-learn's sample photograph, a JPEG of 640x427."""
    import sklearn

    return Path(sklearn.__file__).parent / "datasets" / "images" / "china.jpg"


def make_model() -> None:
    """Write the model and its card, once."""
    if not MODEL.exists():
        MODEL.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-c", MAKE_MODEL, MODEL], check=True)
        MODEL.with_name("model.toml").write_text(CARD)


def multipart(photo: Path) -> tuple[Path, str]:
    """The photograph as a form, in a file, and its content type."""
    form = RESULTS / "form"
    head = (
        '--b\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
    )
    form.write_bytes(head.encode() + photo.read_bytes() + b"\r\n--b--\r\n")
    return form, "multipart/form-data; boundary=b"


def measured(*args: object, module: str = "bench.load") -> subprocess.Popen[str]:
    """Start a measurement in a process of its own."""
    words = [sys.executable, "-m", module, *map(str, args)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def result(process: subprocess.Popen[str]) -> object:
    """What the measurement printed."""
    out, _ = process.communicate()
    if process.returncode:
        raise SystemExit("a measurement failed; see above")
    return json.loads(out)


def milliseconds(seconds: list[float], part: float) -> float:
    """A percentile, in milliseconds."""
    return 1000 * sorted(seconds)[int(part * (len(seconds) - 1))]
