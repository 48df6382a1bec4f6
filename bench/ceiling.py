"""The in-process ceiling: the same decode and the same engine in a loop, without HTTP.

Run in a process of its own: `python -m bench.ceiling MODEL_FILE PHOTO SECONDS`; prints
JSON with the seconds of one prediction alone and the rate of full batches.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from facenality import folder, settings
from facenality.card import Card
from facenality.cores import cores
from facenality.engines import Engine, open_engine
from facenality.images import decode
from facenality.recipe import ImageSpec
from facenality.trials.choosing import chosen, wish

BATCH = 16
SPEC = ImageSpec("RGB", 224, 224, "bilinear", "stretch", "tf")


def opened(file: Path) -> Engine:
    """The engine that the server takes under the same settings."""
    found = next(one for one in folder.find(file.parents[1]) if one.file == file)
    asked = wish(found, Card(), settings.load())
    with chosen(asked, lambda _: None, decide=True) as choice:
        return open_engine(file, BATCH, lambda _: None, choice.how)


def alone(engine: Engine, photo: bytes, seconds: float) -> float:
    """Median seconds of decode + one prediction of batch 1."""
    took = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        started = time.monotonic()
        engine.predict(decode(photo, SPEC)[np.newaxis])
        took.append(time.monotonic() - started)
    return sorted(took)[len(took) // 2]


def full(engine: Engine, photo: bytes, seconds: float) -> float:
    """Predictions per second in full batches, decoding the next ones meanwhile."""
    with ThreadPoolExecutor(cores()) as pool:
        waiting = [pool.submit(decode, photo, SPEC) for _ in range(BATCH)]
        done, started = 0, time.monotonic()
        while time.monotonic() - started < seconds:
            batch = np.stack([one.result() for one in waiting])
            waiting = [pool.submit(decode, photo, SPEC) for _ in range(BATCH)]
            engine.predict(batch)
            done += BATCH
        return done / (time.monotonic() - started)


if __name__ == "__main__":
    file, photo, seconds = sys.argv[1:]
    engine = opened(Path(file))
    for size in engine.batch_sizes:
        engine.predict(np.zeros((size, 224, 224, 3), "float32"))
    data = Path(photo).read_bytes()
    half = float(seconds) / 2
    print(
        json.dumps(
            {"alone": alone(engine, data, half), "full": full(engine, data, half)}
        )
    )
