"""Measures one model on one engine, in a process of its own.

A process can run only one engine at one precision, since TensorFlow reads its precision
when it is imported. Run as `python -m facenality.commands.bench_worker MODEL VERSION`,
with the settings in the environment; prints a line of JSON.
"""

import json
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import asdict, dataclass

from .. import settings
from ..registry import repository, samples
from ..registry.loader import Model, load
from ..registry.warmup import best, example, warm_up

SECONDS = 3.0  # for all batch sizes of one engine together, after loading
MIN_ROUNDS = 3  # measurements of each batch size


@dataclass(frozen=True)
class Measured:
    """How long one engine takes for one model; seconds are medians."""

    engine: str
    precision: str
    batch_seconds: dict[int, float]
    decode_seconds: float | None  # of the golden sample; None if there is none
    load_seconds: float
    agreement: float | None

    def rate(self, size: int) -> float:
        """Instances per second in batches of `size`."""
        return size / self.batch_seconds[size]

    def best_size(self) -> int:
        """The batch size that the server would choose."""
        return best(self.batch_seconds, self.engine)


def measure(model: Model) -> Measured:
    """Measure all batch sizes in turn, and decoding the golden sample."""
    engine = model.engine
    return Measured(
        engine.name,
        engine.precision,
        batch_seconds(model),
        decode_seconds(model),
        model.load_seconds,
        engine.agreement,
    )


def batch_seconds(model: Model) -> dict[int, float]:
    """Seconds of a warm prediction, by batch size; empty if no example can be made."""
    instance = example(model.found, model.task, model.engine)
    took: defaultdict[int, list[float]] = defaultdict(list)
    until, count = time.monotonic() + SECONDS, 0
    while count < MIN_ROUNDS or time.monotonic() < until:
        for size, seconds in warm_up(model.engine, instance, lambda _: None).items():
            took[size].append(seconds)
        count += 1
    return {size: statistics.median(all_) for size, all_ in took.items()}


def decode_seconds(model: Model) -> float | None:
    """Seconds to decode the golden sample in one thread."""
    sample = model.found.sample()
    if sample is None or not model.task.heavy:
        return None
    payload, took = samples.payload(sample), []
    for _ in range(20):
        started = time.monotonic()
        model.task.decode(payload)
        took.append(time.monotonic() - started)
    return statistics.median(took)


def main(name: str, version: str) -> None:
    """Load the model, measure it, print the result."""
    loaded = settings.load()
    found = next(
        one
        for one in repository.scan(loaded.models_dir)
        if (one.name, str(one.version)) == (name, version)
    )
    print(json.dumps(asdict(measure(load(found, loaded, lambda _: None)))))


if __name__ == "__main__":
    main(*sys.argv[1:])
