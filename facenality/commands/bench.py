"""`app.py bench --model M`: how fast a model runs here, and the fastest settings.

Measures every combination of engine, precision and threads in a child process of its
own, then prints a table and recommends settings.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import get_args

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from ..cpu import cores
from ..errors import InvalidSetting
from ..registry import repository
from ..registry.repository import ModelFiles
from ..settings import PREFIX, Settings
from .bench_worker import Measured


@dataclass(frozen=True)
class Way:
    """A combination of settings that affect speed."""

    engine: str
    precision: str
    threads: int  # threads that compute one batch

    def values(self) -> dict[str, object]:
        """The values by setting; settings that do not exist are left out."""
        wanted = {
            "engine": self.engine,
            "precision": self.precision,
            "model_threads": self.threads,
        }
        return {k: v for k, v in wanted.items() if k in Settings.model_fields}

    def flags(self, batch_size: int) -> str:
        """The flags for the command line."""
        values = self.values() | {"max_batch_size": batch_size}
        return " ".join(f"--{k.replace('_', '-')} {v}" for k, v in values.items())


def ways(found: ModelFiles, settings: Settings) -> list[Way]:
    """Every engine and precision, with one thread and with one thread per core.

    If the settings name an engine, only that one.
    """
    if found.file.suffix == ".py":  # a model.py is its own engine
        return [Way("auto", "float32", cores())]
    named = settings.engine != "auto"
    engines = (settings.engine,) if named else _allowed("engine")
    precisions = _allowed("precision") or ("float32",)
    threads = {1, cores()} if "model_threads" in Settings.model_fields else {cores()}
    local = [engine for engine in engines if engine in ("tensorflow", "openvino")]
    return [Way(*way) for way in product(local, precisions, sorted(threads))]


def _allowed(name: str) -> tuple[str, ...]:
    """The values that a setting may have."""
    field = Settings.model_fields.get(name)
    return get_args(field.annotation) if field else ()


PACKAGES = Path(__file__).parents[2]
PASSED_ON = ("models_dir", "cache_dir", "max_batch_size")


class NotMeasured(Exception):
    """An engine could not be measured; the message says why."""


def measured(
    found: ModelFiles, settings: Settings, more: Mapping[str, object]
) -> Measured:
    """Measure `found`; `more` overrides the settings. Raises NotMeasured."""
    command = [sys.executable, "-P", "-m", "facenality.commands.bench_worker"]
    done = subprocess.run(  # noqa: S603  # our own module, without a shell
        [*command, found.name, str(found.version)],
        env=_environment(settings, more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotMeasured((done.stderr.strip().splitlines() or ["it failed"])[-1])
    printed = json.loads(done.stdout.splitlines()[-1])
    by_size = {int(n): s for n, s in printed.pop("batch_seconds").items()}
    return Measured(**printed, batch_seconds=by_size)


def _environment(settings: Settings, more: Mapping[str, object]) -> dict[str, str]:
    """The child's environment, from which it reads its settings."""
    values = {name: getattr(settings, name, None) for name in PASSED_ON} | dict(more)
    path = os.pathsep.join(filter(None, (str(PACKAGES), os.getenv("PYTHONPATH"))))
    given = {f"{PREFIX}{n.upper()}": str(v) for n, v in values.items() if v is not None}
    return {**os.environ, **given, "PYTHONPATH": path}


COLUMNS = ("engine", "threads", "ms by batch", "instances/s", "agrees", "load s")
Results = dict[Way, Measured]


def bench(settings: Settings) -> int:
    """Measure one model in every way; return 0 if any of them worked."""
    console = Console()
    found = _model(settings)
    results, failed = _measure(console, found, settings)
    if results:
        console.print(_table(found, results))
        for line in advice(results):
            console.print(line, highlight=False)
    for way, why in failed.items():
        name = f"{way.engine}, {way.precision}, {way.threads} thread(s)"
        console.print(f"[red]{name} was not measured:[/] {escape(why)}")
    return int(not results)


def _model(settings: Settings) -> ModelFiles:
    """The newest version of the named model, or of the only model."""
    every = repository.scan(settings.models_dir)
    names = sorted({one.name for one in every})
    name = settings.model or (names[0] if len(names) == 1 else None)
    if name not in names:
        raise InvalidSetting(
            f"--model is {name or 'not given'}: {settings.models_dir} has "
            f"{', '.join(names) or 'no models'}"
        )
    return max(one for one in every if one.name == name)


def _measure(
    console: Console, found: ModelFiles, settings: Settings
) -> tuple[Results, dict[Way, str]]:
    """The results, and the errors of the ways that failed; shows a progress bar."""
    results: Results = {}
    failed: dict[Way, str] = {}
    columns = (MofNCompleteColumn(), BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=len(ways(found, settings)))
        for way in ways(found, settings):
            what = f"{way.engine}, {way.precision}, {way.threads} thread(s)"
            bar.update(task, description=what)
            try:
                results[way] = measured(found, settings, way.values())
            except NotMeasured as error:
                failed[way] = str(error)
            bar.advance(task)
    return results, failed


def _table(found: ModelFiles, results: Results) -> Table:
    table = Table(title=f"{found.name} {found.version}", title_justify="left")
    for column in COLUMNS:
        table.add_column(column, overflow="fold")
    for way, one in results.items():
        times = [f"{n}: {1000 * s:.1f}" for n, s in one.batch_seconds.items()]
        table.add_row(
            f"{one.engine}, {one.precision}",
            str(way.threads),
            ", ".join(times),
            f"{one.rate(one.best_size()):.0f}" if times else "",
            "" if one.agreement is None else f"{one.agreement:.1g}",
            f"{one.load_seconds:.1f}",
        )
    return table


def advice(results: Results) -> list[str]:
    """The fastest settings for each precision, bfloat16's gain, and decoding time."""
    rates = {}
    lines = []
    for precision in ("float32", "bfloat16"):
        ways_ = [w for w, r in results.items() if _counts(r, precision)]
        if ways_:
            way = max(ways_, key=lambda w: _best(results[w]))
            rates[precision] = _best(results[way])
            flags = way.flags(results[way].best_size())
            lines.append(f"fastest in {precision}: {flags}")
    if len(rates) == 2:
        gain = rates["bfloat16"] / rates["float32"]
        lines.append(
            f"bfloat16 is {gain:.1f} times as fast; compare the agreement above"
        )
    decode = [r.decode_seconds for r in results.values() if r.decode_seconds]
    if decode:
        lines.append(f"one core decodes the sample in {1000 * min(decode):.1f} ms")
    return lines


def _counts(one: Measured, precision: str) -> bool:
    return bool(one.batch_seconds) and one.precision == precision


def _best(one: Measured) -> float:
    return one.rate(one.best_size())
