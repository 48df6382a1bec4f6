"""The in-process ceiling: the same decode and the same engine in a loop, without HTTP.

It is a process of its own that idles beside the server and takes turns with it, since
what a shared machine does in one minute says nothing of the next. Run as `python -m
bench.ceiling MODELS ENGINE PRECISION PHOTO`, it answers lines: `alone SECONDS` with the
median milliseconds of one prediction, `full SECONDS` with the rate of full batches.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from facenality.arrays import stack
from facenality.cpu import cores
from facenality.registry import repository
from facenality.registry.loader import Model, load
from facenality.settings import Settings

from .contenders import CACHE, Contender


def opened(models: Path, engine: str, precision: str) -> Model:
    """The only model in the folder, on this engine. Ends where it is another's."""
    knobs = {"engine": engine, "models_dir": models, "cache_dir": CACHE}
    knobs |= {"max_batch_size": 16}
    if precision != "float32":
        knobs["precision"] = precision
    settings = Settings(**knobs)  # type: ignore[arg-type]  # pydantic checks them
    model = load(repository.scan(models)[0], settings, lambda _: None)
    if (model.engine.name, model.engine.precision) != (engine, precision):
        raise SystemExit(f"{engine}, {precision} was asked for, {model.engine} runs")
    return model


def alone(model: Model, photo: bytes, seconds: float) -> float:
    """Median milliseconds of decode + one prediction of batch 1."""
    took, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        started = time.monotonic()
        model.engine.predict(stack([model.task.decode(photo)]))
        took.append(time.monotonic() - started)
    return 1000 * median(took)


def full(model: Model, photo: bytes, seconds: float) -> float:
    """Predictions per second in the batches that pay most, decoding meanwhile.

    In as many lanes as the server has.
    """
    lanes = model.engine.max_concurrency
    size = model.engine.concurrent_batch_size(model.batch_size)
    until = time.monotonic() + seconds

    def lane(_: int) -> int:
        done, decode = 0, model.task.decode
        waiting = [decoders.submit(decode, photo) for _ in range(size)]
        while time.monotonic() < until:
            batch = stack([one.result() for one in waiting])
            waiting = [decoders.submit(decode, photo) for _ in range(size)]
            model.engine.predict(batch)
            done += size
        return done

    with ThreadPoolExecutor(cores()) as decoders, ThreadPoolExecutor(lanes) as threads:
        started = time.monotonic()
        done = sum(threads.map(lane, range(lanes)))
        return done / (time.monotonic() - started)


def main(models: str, engine: str, precision: str, photo: str) -> None:
    """Open, then answer line by line."""
    model = opened(Path(models), engine, precision)
    model.engine.prepare(model.engine.concurrent_batch_size(model.batch_size))
    data = Path(photo).read_bytes()
    model.engine.predict(stack([model.task.decode(data)] * model.batch_size))
    for line in sys.stdin:
        what, seconds = line.split()
        measure = {"alone": alone, "full": full}[what]
        print(measure(model, data, float(seconds)), flush=True)


class NoCeiling(Exception):
    """Why there is none."""


class Ceiling:
    """That process, to be asked."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, what: str, seconds: float) -> float:
        """`alone` or `full`. Raises NoCeiling where the process has failed."""
        assert self._process.stdin
        assert self._process.stdout
        try:
            print(what, seconds, file=self._process.stdin, flush=True)
            return float(self._process.stdout.readline())
        except (BrokenPipeError, ValueError):
            _, errors = self._process.communicate()
            last = ["it failed", *errors.strip().splitlines()][-1]
            raise NoCeiling(last) from None


@contextmanager
def beside(one: Contender, models: Path, photo: Path) -> Iterator[Ceiling]:
    """The loop with the engine of `one`; it does nothing until it is asked."""
    words = [sys.executable, "-m", "bench.ceiling", str(models), one.engine]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*words, one.precision, str(photo)],
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        text=True,
    ) as process:
        try:
            yield Ceiling(process)
        finally:
            process.kill()


if __name__ == "__main__":
    main(*sys.argv[1:])
