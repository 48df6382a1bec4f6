"""`python -m bench.protocols`: requests/s by protocol, beside /predict, as a table.

The same picture as a JPEG in a form, as BYTES, as base64, and as the tensor that it
becomes; MobileNetV2, where the model is most of the work, and models/digits, where the
protocol is. Rounds are interleaved; medians.
"""

import json
import os
import shutil
import statistics
import time
from base64 import b64encode
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
from rich.console import Console
from rich.progress import track

from facenality.images import decode
from facenality.protocols.tensors import to_bytes
from facenality.recipe import ImageSpec

from .forms import FORM, form
from .measuring import CLIENTS, ROUNDS, measured, result
from .served import served
from .workload import MOBILENET, RESULTS, photographs

SECONDS = float(os.environ.get("BENCH_SECONDS", "5"))
DIGITS = Path("models/digits")
SPECS = {
    "mobilenetv2": ImageSpec("RGB", 224, 224, "bilinear", "stretch", "tf"),
    "digits": ImageSpec("L", 32, 32, "bilinear", "stretch", "unit"),
}


class Load(NamedTuple):
    """One way to ask for the same picture."""

    what: str
    path: str
    body: bytes
    headers: tuple[str, ...]  # the content type, and what else there is


def loads(model: str, picture: bytes, tensor: str) -> list[Load]:
    """Every way to ask `model` about `picture`; its input is called `tensor`."""
    pixels = decode(picture, SPECS[model])[np.newaxis]
    image = np.array([picture], object)
    v1 = {"instances": [{"b64": b64encode(picture).decode()}]}
    v2 = f"/v2/models/{model}/infer"
    json_kind = ("application/json",)
    return [
        Load("/predict, form", f"/predict?model={model}", form(picture), (FORM,)),
        Load(
            "/v1 base64",
            f"/v1/models/{model}:predict",
            json.dumps(v1).encode(),
            json_kind,
        ),
        Load("/v2 BYTES", v2, *binary(tensor, "BYTES", image)),
        Load("/v2 FP32 binary", v2, *binary(tensor, "FP32", pixels)),
        Load(
            "/v2 UINT8 binary",
            v2,
            *binary(tensor, "UINT8", np.abs(pixels).astype("uint8")),
        ),
        Load("/v2 FP32 JSON", v2, as_json(tensor, pixels), json_kind),
    ]


def binary(name: str, datatype: str, array: Any) -> tuple[bytes, tuple[str, ...]]:
    """An infer request as tritonclient makes it: binary in and out."""
    data = to_bytes(array, datatype)
    size = {"binary_data_size": len(data)}
    one = {"name": name, "shape": array.shape, "datatype": datatype, "parameters": size}
    wish = {"binary_data_output": True}
    head = json.dumps({"inputs": [one], "parameters": wish}).encode()
    length = f"Inference-Header-Content-Length:{len(head)}"
    return head + data, ("application/octet-stream", length)


def as_json(name: str, pixels: Any) -> bytes:
    """The same in JSON alone."""
    data = pixels.ravel().tolist()
    one = {"name": name, "shape": pixels.shape, "datatype": "FP32", "data": data}
    return json.dumps({"inputs": [one]}).encode()


def rate(port: int, load: Load) -> float:
    """Requests/s of `load` with CLIENTS clients."""
    file = RESULTS / "body"
    file.write_bytes(load.body)
    took = result(measured(port, load.path, CLIENTS, SECONDS, file, *load.headers))
    assert isinstance(took, list)
    return len(took) / SECONDS


def input_name(port: int, model: str) -> str:
    """As the metadata has it, once the model is there."""
    while True:
        try:
            with urlopen(f"http://127.0.0.1:{port}/v2/models/{model}") as reply:
                name: str = json.load(reply)["inputs"][0]["name"]
                return name
        except HTTPError:  # it is loading
            time.sleep(0.1)


def main() -> None:
    """Print the table."""
    MOBILENET.make()
    models = RESULTS / "both"
    shutil.copytree(MOBILENET.file.parent, models / "mobilenetv2", dirs_exist_ok=True)
    script = shutil.ignore_patterns("*.py")  # the linters would read them
    shutil.copytree(DIGITS, models / "digits", ignore=script, dirs_exist_ok=True)
    pictures = {
        "mobilenetv2": photographs()[0].file.read_bytes(),
        "digits": (DIGITS / "sample.png").read_bytes(),
    }
    rates: dict[tuple[str, str], list[float]] = {}
    console = Console(stderr=True)
    with served(models, "--engine=tensorflow") as (port, _):
        asked = [
            (model, load)
            for model, picture in pictures.items()
            for load in loads(model, picture, input_name(port, model))
        ]
        for _ in track(range(ROUNDS), "measuring", console=console):
            for model, load in asked:
                rates.setdefault((model, load.what), []).append(rate(port, load))
    print(table(rates, [load.what for load in loads("digits", pictures["digits"], "")]))


def table(rates: dict[tuple[str, str], list[float]], ways: list[str]) -> str:
    """Requests/s in Markdown, each with its ratio to /predict."""
    models = list(SPECS)
    lines = [
        f"| {CLIENTS} clients, requests/s | {' | '.join(models)} |",
        "|---|" + "---|" * len(models),
    ]
    for what in ways:
        cells = []
        for model in models:
            mine = statistics.median(rates[model, what])
            cells.append(
                f"{mine:.0f} ({mine / statistics.median(rates[model, ways[0]]):.2f})"
            )
        lines.append(f"| {what} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
