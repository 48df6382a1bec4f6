"""`make bench`: what this machine serves, beside what it could at most.

MobileNetV2 with random weights (its cost is that of a trained one), scikit-learn's
photograph china.jpg (640x427) as a multipart form, 32 clients. TensorFlow in float32; any
other by FACENALITY_ENGINE and FACENALITY_PRECISION.
"""

import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import track

from facenality.cores import cores

os.environ.setdefault("FACENALITY_ENGINE", "tensorflow")  # one, from the first request
ENGINE = os.environ["FACENALITY_ENGINE"]
PRECISION = os.environ.get("FACENALITY_PRECISION", "float32")
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


@contextmanager
def served(models: Path = MODEL.parents[1]) -> Iterator[tuple[int, int]]:
    """A server of `models`: its port and process id."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    log = RESULTS / f"server-{os.getpid()}.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "app.py", "--models-dir", models, "--port", "0"],
            stderr=stream,
        )
    try:
        yield wait_until_ready(log), process.pid
    finally:
        process.terminate()
        process.wait()


def wait_until_ready(log: Path) -> int:
    """The port, once the model is ready."""
    while not (ready := re.search(r":(\d+)\n(?s:.*)ready in", log.read_text())):
        time.sleep(0.1)
    return int(ready[1])


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


def main() -> None:
    """Interleaved rounds of ceiling and server; medians, as a Markdown table."""
    console = Console(stderr=True)
    RESULTS.mkdir(parents=True, exist_ok=True)
    make_model()
    photo = photograph()
    form, kind = multipart(photo)
    rounds = track(range(ROUNDS), "measuring", console=console)
    rows = [one_round(photo, form, kind) for _ in rounds]
    print(table({key: statistics.median(r[key] for r in rows) for key in rows[0]}))


def one_round(photo: Path, form: Path, kind: str) -> dict[str, float]:
    """Ceiling, one client, 32 clients with /livez beside them, memory."""
    ceiling = result(measured(MODEL, photo, SECONDS, module="bench.ceiling"))
    assert isinstance(ceiling, dict)
    with served() as (port, pid):
        one = result(measured(port, "/predict", 1, SECONDS / 2, form, kind))
        busy = measured(port, "/predict", CLIENTS, SECONDS, form, kind)
        live = result(measured(port, "/livez", 1, SECONDS, "", "-"))
        many = result(busy)
        status = Path(f"/proc/{pid}/status").read_text()
    assert isinstance(one, list)
    assert isinstance(many, list)
    assert isinstance(live, list)
    return {
        "rate": len(many) / SECONDS,
        "ceiling": ceiling["full"],
        "p50": milliseconds(many, 0.5),
        "p99": milliseconds(many, 0.99),
        "one": milliseconds(one, 0.5),
        "alone": 1000 * ceiling["alone"],
        "live": milliseconds(live, 0.99),
        "rss": int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024,  # type: ignore[index]
    }


def table(m: dict[str, float]) -> str:
    """The figures of figures.md that this measures, in Markdown."""
    machine = f"{platform.machine()}, {cores()} cores shared with the load generator"
    return f"""
MobileNetV2 224x224, {PRECISION}, {ENGINE}; JPEG of 640x427; {machine}; medians of {ROUNDS}:

| what | measured | beside | ratio |
|---|---|---|---|
| requests/s, {CLIENTS} clients | {m["rate"]:.0f} | ceiling without HTTP {m["ceiling"]:.0f} | {m["rate"] / m["ceiling"]:.2f} |
| p50 / p99, {CLIENTS} clients | {m["p50"]:.0f} / {m["p99"]:.0f} ms | | |
| p50, one client | {m["one"]:.1f} ms | decode + prediction {m["alone"]:.1f} ms | {m["one"] / m["alone"]:.2f} |
| /livez p99 meanwhile | {m["live"]:.1f} ms | | |
| resident memory | {m["rss"]:.0f} MB | | |
"""


if __name__ == "__main__":
    if shutil.which("nproc") and cores() < 2:
        print("one core: load and server share it; expect little", file=sys.stderr)
    main()
