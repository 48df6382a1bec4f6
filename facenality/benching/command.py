"""`app.py bench --model M`: a table of what was measured, and what to set."""

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from .. import folder
from ..errors import WrongSetting
from ..folder import Found
from ..settings import Settings
from .child import NotMeasured, measured
from .measuring import Measured
from .ways import Way, ways

COLUMNS = ("engine", "threads", "ms by batch", "instances/s", "agrees", "load s")
Results = dict[Way, Measured]


def bench(settings: Settings) -> int:
    """Measure one model in every way; 0 when any of them worked."""
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


def _model(settings: Settings) -> Found:
    """The newest version of the model that is named, or of the only one."""
    every = folder.find(settings.models_dir)
    names = sorted({one.name for one in every})
    name = settings.model or (names[0] if len(names) == 1 else None)
    if name not in names:
        raise WrongSetting(
            f"--model is {name or 'not given'}: {settings.models_dir} has "
            f"{', '.join(names) or 'no models'}"
        )
    return max(one for one in every if one.name == name)


def _measure(
    console: Console, found: Found, settings: Settings
) -> tuple[Results, dict[Way, str]]:
    """Each way behind a progress bar that vanishes, and those that failed."""
    results: Results = {}
    failed: dict[Way, str] = {}
    columns = (MofNCompleteColumn(), BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=len(ways(found, settings)))
        for way in ways(found, settings):
            what = f"{way.engine}, {way.precision}, {way.threads} thread(s)"
            bar.update(task, description=what)
            try:
                results[way] = measured(found, settings, way.knobs())
            except NotMeasured as error:
                failed[way] = str(error)
            bar.advance(task)
    return results, failed


def _table(found: Found, results: Results) -> Table:
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
    """The fastest settings of each precision, what bfloat16 gains, decoding's part."""
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
        lines.append(f"bfloat16 is {gain:.1f} times as fast; see how far it agrees")
    decode = [r.decode_seconds for r in results.values() if r.decode_seconds]
    if decode:
        lines.append(f"one core decodes the sample in {1000 * min(decode):.1f} ms")
    return lines


def _counts(one: Measured, precision: str) -> bool:
    return bool(one.batch_seconds) and one.precision == precision


def _best(one: Measured) -> float:
    return one.rate(one.best_size())
