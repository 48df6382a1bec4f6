"""The in-process ceiling: the same decode and the same engine in a loop, without HTTP.

Run in a process of its own: `python -m bench.ceiling MODELS ENGINE PRECISION PHOTO
SECONDS`; prints JSON with the seconds of one prediction alone and the rate of full
batches.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from facenality import folder
from facenality.arrays import stack
from facenality.cores import cores
from facenality.engines import Parallel
from facenality.entry import lanes_and_size
from facenality.loader import Model, load
from facenality.settings import Settings

from .contenders import CACHE

MAX_BATCH_SIZE = 16


def opened(models: Path, engine: str, precision: str) -> Model:
    """The only model in the folder, on this engine. Ends where it is another's."""
    knobs = {"engine": engine, "models_dir": models, "cache_dir": CACHE}
    knobs |= {"max_batch_size": MAX_BATCH_SIZE}
    if precision != "float32":
        knobs["precision"] = precision
    settings = Settings(**knobs)  # type: ignore[arg-type]  # pydantic checks them
    model = load(folder.find(models)[0], settings, lambda _: None)
    if (model.engine.name, model.engine.precision) != (engine, precision):
        raise SystemExit(f"{engine}, {precision} was asked for, {model.engine} runs")
    return model


def alone(model: Model, photo: bytes, seconds: float) -> float:
    """Median seconds of decode + one prediction of batch 1."""
    took = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        started = time.monotonic()
        model.engine.predict(stack([model.task.decode(photo)]))
        took.append(time.monotonic() - started)
    return sorted(took)[len(took) // 2]


def full(model: Model, photo: bytes, seconds: float) -> float:
    """Predictions per second in the batches that pay most, decoding meanwhile.

    In as many lanes as the server has.
    """
    lanes, size = lanes_and_size(model)
    if isinstance(model.engine, Parallel) and lanes > 1:
        model.engine.open_lanes(lanes, size)
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(cores()) as decoders, ThreadPoolExecutor(lanes) as threads:
        started = time.monotonic()
        lane = partial(_lane, model, decoders, photo, size, until)
        done = sum(one.result() for one in [threads.submit(lane) for _ in range(lanes)])
        return done / (time.monotonic() - started)


def _lane(
    model: Model, decoders: ThreadPoolExecutor, photo: bytes, size: int, until: float
) -> int:
    """One batch after the other; how many predictions."""
    decode, done = model.task.decode, 0
    waiting = [decoders.submit(decode, photo) for _ in range(size)]
    while time.monotonic() < until:
        batch = stack([one.result() for one in waiting])
        waiting = [decoders.submit(decode, photo) for _ in range(size)]
        model.engine.predict(batch)
        done += size
    return done


def main(models: str, engine: str, precision: str, photo: str, seconds: str) -> None:
    """Open, measure, print."""
    model = opened(Path(models), engine, precision)
    data = Path(photo).read_bytes()
    half = float(seconds) / 2
    model.engine.predict(stack([model.task.decode(data)] * model.batch_size))
    measured = {"alone": alone(model, data, half), "full": full(model, data, half)}
    print(json.dumps(measured))


if __name__ == "__main__":
    main(*sys.argv[1:])
