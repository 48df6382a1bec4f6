"""`make openapi-fuzz`: row R7 in full. Is the server what its /openapi.json says?

schemathesis reads the document off a live server, sends what it allows and what it does
not, and compares each reply with it: 1,000 examples an operation (EXAMPLES=…), once
with API keys and once without.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import made  # noqa: E402  after the path
from facenality.observability.metrics import NO_ROUTE  # noqa: E402
from serving import Served  # noqa: E402

KEY = "the-key-of-the-house"
TEXTS = """
import numpy
def load(folder): return None
def predict(model, texts):
    good = numpy.array(["love" in text for text in texts], float)
    return numpy.stack([1 - good, good], axis=1)
"""
NUMBERS = """
import numpy
def load(folder): return None
def predict(model, rows): return numpy.clip(rows, -1, 1)
"""


def models(folder: Path) -> Path:
    """One of pictures, one of texts, one of numbers; named as in the document."""
    made.colours_by_hand(folder / "digits")
    examples = folder / "digits" / "examples"
    examples.mkdir()
    (examples / "sample.png").write_bytes(made.picture("red"))
    (examples / "note.json").write_text('{"image": "AAAA"}')
    (examples / "text.txt").write_text("I love it")
    for name, code, card in (
        ("sentiment", TEXTS, 'task = "text-classification"\nlabels = ["Bad", "Good"]'),
        ("plain", NUMBERS, 'task = "tensor"'),
    ):
        (folder / name).mkdir()
        (folder / name / "model.py").write_text(code)
        (folder / name / "model.toml").write_text(card + "\n")
    return folder


def conform(folder: Path, examples: int, *, keyed: bool, more: tuple[str, ...] = ()):
    """Run schemathesis against a server of its own; its exit status and its words."""
    flags = [
        "--model=digits",
        "--text-tokens=open-sesame",
        "--keep-uploads=flagged",
        f"--uploads-dir={folder / 'uploads'}",
    ]
    config = folder / "schemathesis.toml"
    config.write_text((ROOT / "tests" / "conforming.toml").read_text())
    if keyed:
        flags.append(f"--api-keys={KEY}")
        with config.open("a") as file:
            file.write(
                f'[auth.openapi]\nbearer.bearer = "{KEY}"\nkey.api_key = "{KEY}"'
            )
    with Served(models(folder / "models"), *flags) as server:
        server.ready()
        command = [
            Path(sys.executable).with_name("schemathesis"),
            f"--config-file={config}",
            "run",
            f"{server.url}/openapi.json",
            f"--max-examples={examples}",
            "--checks=all",
            "--no-color",
            *more,
        ]
        told = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        never = never_answered(server)
        report = f"operations that were never answered with success: {never or 'none'}"
        log = re.findall(r"(?ms)^\S+ \S+ (?:ERROR|WARNING).*?$", server.log())
        words = f"{told.stdout}\n{report}\n" + "\n".join(log)
        return told.returncode or len(never), words


def never_answered(server: Served) -> list[str]:
    """The routes whose replies were all refusals: of them too little was seen."""
    samples = server.get("/metrics").text
    counted = re.findall(r'request_total{code="(\d+)",route="([^"]+)"}', samples)
    answered = {route for code, route in counted if code.startswith("2")}
    return sorted({route for _, route in counted} - answered - {NO_ROUTE})


def main() -> int:
    """Both runs, in full."""
    examples = int(os.environ.get("EXAMPLES", "1000"))
    worst = 0
    for keyed in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            status, words = conform(
                Path(folder), examples, keyed=keyed, more=tuple(sys.argv[1:])
            )
        print(words, flush=True)
        worst = max(worst, status)
    return worst


if __name__ == "__main__":
    sys.exit(main())
