"""`make bench`: what this machine serves, beside other servers and beside its ceiling.

Writes docs/bench.md and docs/bench.svg; every round's numbers go to bench/results. The
full run takes some 25 minutes on two cores, `--quick` (one round, without BentoML, Ray
Serve, ResNet50 and large pictures) under five, once the peers are installed.
"""

import argparse
from pathlib import Path

from rich.console import Console

from facenality.cpu import has_amx

from . import machine, page, venv, wrk
from .contenders import Contender, contenders
from .figures import figures
from .notebook import Notebook
from .rounds import Bench, Plan
from .visit import CLIENTS
from .workload import MOBILENET, RESNET, RESULTS, photographs


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--quick", action="store_true", help="under five minutes")
    parser.add_argument("--rounds", type=int, help="interleaved rounds [3; quick 1]")
    parser.add_argument("--seconds", type=float, help="a measurement's [6; quick 2]")
    parser.add_argument("--only", metavar="WORD,…", help="these contenders")
    out = "folder for bench.md and bench.svg"
    parser.add_argument("--out", type=Path, default=Path("docs"), help=out)
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
    """Install, make, measure, write; Ctrl-C ends what was started and writes."""
    given, console, book = parse(argv), Console(stderr=True), Notebook()
    all_ = chosen(given)
    wrk.install()
    failed = venv.install(console, {c.distribution for c in all_ if c.distribution})
    book.missing |= {
        one.name: failed[one.distribution] for one in all_ if one.distribution in failed
    }
    with console.status("making models and photographs"):
        pictures = photographs()
        for network in (MOBILENET,) if given.quick else (MOBILENET, RESNET):
            network.make()
            if any(one.kind == "tuned" for one in all_):
                network.convert(venv.python())
    plan = Plan(given.rounds, given.seconds, thorough=not given.quick)
    try:
        Bench(plan, all_, pictures, book, console.log).run()
    except KeyboardInterrupt:
        book.missing["the rest"] = "the run was interrupted"
    write(given, all_, book)
    promised = page.promised(figures(book, all_))
    console.print(promised, markup=False, soft_wrap=True)


def write(given: argparse.Namespace, all_: list[Contender], book: Notebook) -> None:
    """The page, the picture, and every round's numbers."""
    book.save(RESULTS / "rounds.json")
    how = (
        f"{MOBILENET.name} with random weights, a photograph of 640x427 pixels, "
        f"{CLIENTS} connections of wrk unless a row says otherwise; medians of "
        f"{given.rounds} interleaved round(s) of {given.seconds:g} s."
    )
    if not has_amx():
        how += " Figures in bfloat16 are promised for processors with AMX only."
    if given.quick:
        how += " This was `--quick`: one short round, good for a first look only."
    text = page.document(machine.describe(), how, figures(book, all_), book, all_)
    (given.out / "bench.md").write_text(text, encoding="utf-8")
    rates = [(c.name, c.kind, book.get(c.name, "rate") or 0.0) for c in all_]
    title = f"{MOBILENET.name}, photographs per second"
    drawn = page.picture(title, [bar for bar in rates if bar[2]])
    (given.out / "bench.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
