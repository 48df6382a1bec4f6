"""`python -m bench.protocols`: requests/s by protocol, beside /predict, as a table.

The same picture as a JPEG in a form, as BYTES, as base64, and as the tensor that it
becomes; MobileNetV2, where the model is most of the work, and models/digits, where the
protocol is. Rounds are interleaved; medians.
"""

import json
import os
import shutil
import statistics
from base64 import b64encode
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import requests
from rich.console import Console
from rich.progress import track

from facenality.protocols.v2_tensors import to_bytes
from facenality.spec import ImageSpec
from facenality.tasks.image_decode import decode

from . import page, wrk
from .served import served
from .workload import FORM, MOBILENET, RESULTS, form, photographs

CLIENTS = 32
SECONDS = float(os.environ.get("BENCH_SECONDS", "5"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
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
    kind: str
    header: str = ""


def loads(model: str, picture: bytes, tensor: str) -> list[Load]:
    """Every way to ask `model` about `picture`; its input is called `tensor`."""
    pixels = decode(picture, SPECS[model])[np.newaxis]
    levels = np.abs(pixels).astype("uint8")
    v1 = {"instances": [{"b64": b64encode(picture).decode()}]}
    one = {"name": tensor, "shape": pixels.shape, "datatype": "FP32"}
    v2 = {"inputs": [one | {"data": pixels.ravel().tolist()}]}
    infer, text = f"/v2/models/{model}/infer", "application/json"
    v1_path = f"/v1/models/{model}:predict"
    return [
        Load("/predict, form", f"/predict?model={model}", form(picture), FORM),
        Load("/v1 base64", v1_path, json.dumps(v1).encode(), text),
        Load("/v2 BYTES", infer, *binary(tensor, "BYTES", np.array([picture], object))),
        Load("/v2 FP32 binary", infer, *binary(tensor, "FP32", pixels)),
        Load("/v2 UINT8 binary", infer, *binary(tensor, "UINT8", levels)),
        Load("/v2 FP32 JSON", infer, json.dumps(v2).encode(), text),
    ]


def binary(name: str, datatype: str, array: Any) -> tuple[bytes, str, str]:
    """An infer request as tritonclient makes it, binary in and out; its headers."""
    data = to_bytes(array, datatype)
    size = {"binary_data_size": len(data)}
    one = {"name": name, "shape": array.shape, "datatype": datatype, "parameters": size}
    wish = {"binary_data_output": True}
    head = json.dumps({"inputs": [one], "parameters": wish}).encode()
    length = f"Inference-Header-Content-Length: {len(head)}"
    return head + data, "application/octet-stream", length


def rate(port: int, load: Load) -> float:
    """Good answers per second to CLIENTS clients."""
    file = RESULTS / "body"
    file.write_bytes(load.body)
    sent = wrk.Sent(file, load.kind, header=load.header)
    measured = wrk.run(f"http://127.0.0.1:{port}{load.path}", sent, CLIENTS, SECONDS)
    if measured.errors:
        raise SystemExit(f"{load.what}: {measured}")
    return measured.rate


def main() -> None:
    """Print the table: requests/s, each with its ratio to /predict."""
    wrk.install()
    MOBILENET.make()
    models = RESULTS / "both"
    shutil.copytree(MOBILENET.file.parent, models / "mobilenetv2", dirs_exist_ok=True)
    script = shutil.ignore_patterns("*.py")  # the linters would read them
    shutil.copytree(DIGITS, models / "digits", ignore=script, dirs_exist_ok=True)
    pictures = {
        "mobilenetv2": photographs()[0].file.read_bytes(),
        "digits": (DIGITS / "sample.png").read_bytes(),
    }
    rates: dict[str, dict[str, list[float]]] = {}  # by what and model
    with served(models, "--engine=tensorflow") as (port, _):
        asked = []
        for model, picture in pictures.items():
            about = requests.get(f"http://127.0.0.1:{port}/v2/models/{model}").json()
            ways = loads(model, picture, about["inputs"][0]["name"])
            asked += [(model, load) for load in ways]
        for _ in track(range(ROUNDS), "measuring", console=Console(stderr=True)):
            for model, load in asked:
                both = rates.setdefault(load.what, {name: [] for name in SPECS})
                both[model].append(rate(port, load))
    medians = {
        what: [statistics.median(both[model]) for model in SPECS]
        for what, both in rates.items()
    }
    first = medians["/predict, form"]
    lines = [
        (what, *(f"{n:.0f} ({n / of:.2f})" for n, of in zip(own, first, strict=True)))
        for what, own in medians.items()
    ]
    print(page.table((f"{CLIENTS} clients, requests/s", *SPECS), lines))


if __name__ == "__main__":
    main()
