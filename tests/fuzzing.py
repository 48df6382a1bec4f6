"""`make fuzz`: rows R1 and R6 in full. Broken pictures, JSON bodies, cards and heads of
requests; then over HTTP.

Cases are numbered; each runs in a process that notes its number first, so that one
that crashes is known. What was run is kept in .cache/fuzz.json: the next run goes on
from there. A finding is printed with its number; `python tests/fuzzing.py KIND NUMBER`
runs it alone.
"""

import io
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import requests
from rich.console import Console
from rich.progress import Progress
from werkzeug.exceptions import HTTPException
from werkzeug.test import EnvironBuilder

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import mutating  # noqa: E402
from facenality.errors import FacenalityError, ModelLoadFailed  # noqa: E402
from facenality.registry import card, infer_config  # noqa: E402
from facenality.spec import (  # noqa: E402
    ImageSpec,
    ModelSpec,
    TensorSpec,
)
from facenality.tasks import image_decode  # noqa: E402
from facenality.tasks.image import ImageClassification  # noqa: E402
from facenality.tasks.tensor import TensorTask  # noqa: E402
from facenality.tasks.text import TextClassification  # noqa: E402
from facenality.web.json_body import loads  # noqa: E402
from facenality.web.request import Request, read, unfetched  # noqa: E402
from serving import Served  # noqa: E402

STATE = ROOT / ".cache" / "fuzz.json"
SPEC = ImageSpec("RGB", 8, 8, "bilinear", "stretch", "unit")
FOUR = TensorSpec("a", (4,), "float32")
TASKS = (
    ImageClassification(SPEC, TensorTask((FOUR,)), ("x",), "score"),
    TensorTask((FOUR,)),
    TensorTask((FOUR, TensorSpec("b", None, "int64"))),
    TextClassification(TensorSpec("t", (), "string"), ("x",), "score"),
)
FACTS = ModelSpec(
    (TensorSpec("a", (24, 24, 3), "float32"),),
    (TensorSpec("b", (3,), "float32"),),
    "softmax",
    rescales=False,
)
SLOW = 2.0
STEP = 2_000


class Finding(Exception):
    """Something that must not be."""


def picture(case: int, seeds: list[bytes]) -> str:
    """Decode; a tensor, or an error that is the file's fault."""
    started = time.process_time()
    try:
        tensor = image_decode.decode(mutating.picture(case, seeds), SPEC)
    except FacenalityError as error:
        if not 400 <= error.status < 500:
            raise
        outcome = error.code
    else:
        if tensor.shape != (8, 8, 3) or not np.isfinite(tensor).all():
            raise Finding(f"{tensor.shape}")
        outcome = "read"
    if time.process_time() - started > SLOW:
        raise Finding("it took long")
    return outcome


def body(case: int, _: list[bytes]) -> str:
    """Read a JSON body, and decode what it holds, for every task."""
    data = mutating.text(case, mutating.JSON, mutating.TOKENS)
    environ = EnvironBuilder(
        method="POST", data=data, content_type="application/json"
    ).get_environ()
    outcome = "refused"
    for task in TASKS:
        try:
            sent = read(
                Request(environ | {"wsgi.input": io.BytesIO(data)}),
                task.fields,
                lambda _: loads(data),
                unfetched,
            )
        except HTTPException as error:
            if (error.code or 500) >= 500:
                raise
            continue
        except FacenalityError as error:
            if not 400 <= error.status < 500:
                raise
            continue
        outcome = "read"
        for payload in sent.payloads:
            try:
                task.decode(payload)
            except FacenalityError as error:
                if not 400 <= error.status < 500:
                    raise
    return outcome


def written(case: int, _: list[bytes]) -> str:
    """Read a card and settle its recipe: ours, or ModelLoadFailed."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        file = Path(folder) / "model.toml"
        file.write_bytes(mutating.text(case, (mutating.CARD,), mutating.WORDS))
        try:
            infer_config.complete(card.read(file), FACTS, Path(folder))
        except ModelLoadFailed:
            return "refused"
        return "read"


KINDS: dict[str, Callable[[int, list[bytes]], str]] = {
    "pictures": picture,
    "bodies": body,
    "cards": written,
}


def run(kind: str, start: int, end: int, note: Path | None = None) -> Counter[str]:
    """Cases from `start` to before `end`; what came out, how often."""
    seeds = mutating.pictures() if kind == "pictures" else []
    counts: Counter[str] = Counter()
    with (note or Path(os.devnull)).open("wb", buffering=0) as stream:
        for case in range(start, end):
            os.pwrite(stream.fileno(), b"%12d" % case, 0) if note else None
            try:
                counts[KINDS[kind](case, seeds)] += 1
            except Exception:
                counts["FINDING"] += 1
                print(f"{kind} {case}", traceback.format_exc(), file=sys.stderr)
    return counts


def in_process(kind: str, count: int, bar: Progress) -> Counter[str]:
    """Go on with `kind` for `count` cases, STEP at a time in a process of its own."""
    state = json.loads(STATE.read_text()) if STATE.exists() else {}
    start = state.get(kind, 0)
    task = bar.add_task(f"{kind} from {start}", total=count)
    counts: Counter[str] = Counter()
    for begin in range(start, start + count, STEP):
        end = min(begin + STEP, start + count)
        note = STATE.with_name(f"fuzz-{kind}")
        STATE.parent.mkdir(exist_ok=True)
        done = subprocess.run(
            [sys.executable, __file__, kind, str(begin), str(end), str(note)],
            stdout=subprocess.PIPE,
        )
        if done.returncode:
            counts["CRASH"] += 1
            case = note.read_text().strip()
            bar.console.print(f"{kind} {case} ended its process: {done.returncode}")
        else:
            counts.update(json.loads(done.stdout))
        STATE.write_text(json.dumps(state | {kind: end}))
        bar.update(task, advance=end - begin)
    return counts


def heads(count: int, bar: Progress) -> Counter[str]:
    """Our reader and h11's side by side; hypothesis chooses the heads."""
    task = bar.add_task("heads", total=None)
    words = ["pytest", "-q", "--timeout=0", "-k", "mutated", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", *words, "tests/test_http_against_h11.py"],
        cwd=ROOT,
        env=os.environ | {"FUZZ": str(count)},
        capture_output=True,
        text=True,
    )
    bar.update(task, total=1, completed=1)
    if done.returncode:
        print(done.stdout, done.stderr, file=sys.stderr)
        return Counter({"FINDING": 1})
    return Counter({"as h11 reads them, or refused": count})


def over_http(count: int, bar: Progress) -> Counter[str]:
    """To a real server of the digits model."""
    task = bar.add_task("over HTTP", total=count)
    flags = ("--model", "digits")
    with Served(ROOT / "models", *flags) as server:
        return asked(server.ready(), count, lambda: bar.update(task, advance=1))


def asked(
    server: Served, count: int, tell: Callable[[], None] = lambda: None
) -> Counter[str]:
    """Statuses of pictures and JSON bodies by turns."""
    seeds, counts = mutating.pictures(), Counter[str]()
    with requests.Session() as session:
        for case in range(count):
            if case % 2:
                data, kind = mutating.picture(case, seeds), "image/png"
            else:
                data = mutating.text(case, mutating.JSON, mutating.TOKENS)
                kind = "application/json"
            reply = session.post(
                server.url + "/predict", data=data, headers={"Content-Type": kind}
            )
            json.loads(reply.content)
            counts[str(reply.status_code)] += 1
            if reply.status_code >= 500:
                counts["FINDING"] += 1
                print(f"HTTP {case}: {reply.status_code} {reply.text}", file=sys.stderr)
            tell()
    return counts


def main() -> int:
    """All kinds; 0 when nothing was found."""
    count = int(os.environ.get("FUZZ", "1000000"))
    amounts = {"pictures": count, "bodies": count // 10, "cards": count // 100}
    with Progress(console=Console(stderr=True)) as bar:
        found = {kind: in_process(kind, n, bar) for kind, n in amounts.items()}
        found["heads"] = heads(count // 10, bar)
        found["HTTP"] = over_http(count // 100, bar)
    for kind, counts in found.items():
        print(f"{kind}: {sum(counts.values())} cases: {dict(counts.most_common())}")
    return int(any(c["FINDING"] + c["CRASH"] for c in found.values()))


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(main())
    import faulthandler
    import warnings

    faulthandler.enable()
    warnings.simplefilter("ignore")
    kind, start, *rest = sys.argv[1:]
    end = int(rest[0]) if rest else int(start) + 1
    print(json.dumps(run(kind, int(start), end, Path(rest[1]) if rest[1:] else None)))
