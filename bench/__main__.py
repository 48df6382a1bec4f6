"""`make bench`: what this machine serves, beside other servers and beside its ceiling.

Writes docs/bench.md and docs/bench.svg; every round's numbers go to bench/results. The
full run takes some 25 minutes on two cores, `--quick` (one round, without BentoML, Ray
Serve, ResNet50 and large pictures) under five, once the peers are installed.
"""

import argparse
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed

from facenality.processor import has_amx

from . import bars, machine, tables, venv, wrk
from .contenders import Contender, contenders
from .figures import figures
from .notebook import Notebook
from .plan import Plan
from .rounds import Bench
from .visit import CLIENTS
from .workload import MOBILENET, RESNET, RESULTS, Photograph, photographs

DOCS = Path("docs")


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--quick", action="store_true", help="under five minutes")
    parser.add_argument("--rounds", type=int, help="interleaved rounds [3; quick 1]")
    parser.add_argument("--seconds", type=float, help="a measurement's [6; quick 2]")
    parser.add_argument("--only", metavar="WORD,…", help="these contenders")
    parser.add_argument(
        "--out", type=Path, default=DOCS, help="folder for bench.md and bench.svg"
    )
    given = parser.parse_args(argv)
    given.rounds = given.rounds or (1 if given.quick else 3)
    given.seconds = given.seconds or (2 if given.quick else 6)
    given.out.mkdir(parents=True, exist_ok=True)  # not after half an hour's work
    return given


def chosen(given: argparse.Namespace) -> list[Contender]:
    """Who takes part."""
    words = (given.only or "").lower().split(",")
    return [
        one
        for one in contenders()
        if any(word in one.name.lower() for word in words)
        and not (given.quick and one.slow)
    ]


def main(argv: list[str] | None = None) -> None:
    """Install, make, measure, write."""
    given, console, book = parse(argv), Console(stderr=True), Notebook()
    all_ = chosen(given)
    wrk.install()
    failed = venv.install(console, {one.distribution for one in all_})
    book.missing |= {
        one.name: failed[one.distribution] for one in all_ if one.distribution in failed
    }
    with console.status("making models and photographs"):
        pictures = photographs()
        for network in (MOBILENET, RESNET):
            network.make()
            network.convert(venv.python())
    requests, limit = (0, 0) if given.quick else (100_000, 450)  # few tell nothing
    plan = Plan(given.rounds, given.seconds, requests, limit, not given.quick)
    measure(console, plan, all_, pictures, book)
    write(given, plan, all_, book)
    console.print(tables.promised(figures(book, all_)), markup=False, soft_wrap=True)


def measure(
    console: Console,
    plan: Plan,
    all_: list[Contender],
    pictures: tuple[Photograph, Photograph, Photograph],
    book: Notebook,
) -> None:
    """All rounds, behind a progress bar; Ctrl-C ends what was started and writes."""
    columns = (MofNCompleteColumn(), BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, Elapsed(), console=console) as progress:
        task = progress.add_task("", total=plan.steps(all_))

        def tell(what: str) -> None:
            progress.update(task, advance=1, description=what)

        def more(what: str) -> None:
            progress.update(task, description=what)

        try:
            Bench(plan, all_, pictures, book, tell, more).run()
        except KeyboardInterrupt:
            book.missing["the rest"] = "the run was interrupted"


def write(
    given: argparse.Namespace, plan: Plan, all_: list[Contender], book: Notebook
) -> None:
    """The page, the picture, and every round's numbers."""
    book.save(RESULTS / "rounds.json")
    how = (
        f"{MOBILENET.name} with random weights, a photograph of 640x427 pixels, "
        f"{CLIENTS} connections of wrk unless a row says otherwise; medians of "
        f"{plan.rounds} interleaved round(s) of {plan.seconds:g} s."
    )
    if not has_amx():
        how += (
            " Figures in bfloat16 are promised for processors with AMX, not for this."
        )
    if given.quick:
        how += " This was `--quick`: one short round, good for a first look only."
    rows = figures(book, all_)
    page = tables.document(machine.describe(), how, rows, book, all_)
    (given.out / "bench.md").write_text(page, encoding="utf-8")
    rates = [(c.name, c.kind, book.get(c.name, "rate") or 0.0) for c in all_]
    title = f"{MOBILENET.name}, photographs per second"
    drawn = bars.picture(title, [bar for bar in rates if bar[2]])
    (given.out / "bench.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
