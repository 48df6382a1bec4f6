"""Long JSON over HTTP: every protocol answers it as it answers short JSON."""

import re
from pathlib import Path

import numpy as np
import pytest

from serving import Served

MODEL = """
import numpy as np

def load(folder):
    return None

def predict(model, instances):
    flat = np.reshape(instances, (len(instances), -1)).astype("float64")
    return np.stack([flat.sum(1), flat[:, 0], flat[:, -1]], 1)
"""
ROWS = np.arange(8 * 100 * 60, dtype="float64").reshape(8, 100, 60)
WANTED = [[row.sum(), row[0, 0], row[-1, -1]] for row in ROWS]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("long") / "sums"
    folder.mkdir()
    (folder / "model.py").write_text(MODEL)
    (folder / "model.toml").write_text('task = "tensor"\n')
    with Served(folder.parent) as server:
        yield server.ready()


@pytest.mark.parametrize("rows", [ROWS, ROWS + 0.5], ids=["whole", "fractions"])
def test_rows_are_answered(server, rows):
    """They are far more than is parsed at once."""
    wanted = [[row.sum(), row[0, 0], row[-1, -1]] for row in rows]
    sent = {"instances": rows.tolist()}
    results = server.post("/predict", json=sent).json()["results"]
    assert [one["predictions"][0]["values"] for one in results] == wanted
    v1 = server.post("/v1/models/sums:predict", json=sent).json()
    assert v1["predictions"] == wanted
    columns = server.post(
        "/v1/models/sums:predict", json={"inputs": rows.tolist()}
    ).json()
    assert columns["outputs"] == wanted


@pytest.mark.parametrize("flat", [False, True])
def test_the_open_inference_protocol_answers(server, flat):
    (told,) = server.get("/v2/models/sums").json()["inputs"]
    entry = {
        "name": told["name"],
        "datatype": "FP64",
        "shape": list(ROWS.shape),
        "data": (ROWS.ravel() if flat else ROWS).tolist(),
    }
    reply = server.post("/v2/models/sums/infer", json={"inputs": [entry]})
    assert reply.status_code == 200, reply.text[:300]
    (output,) = reply.json()["outputs"]
    assert np.reshape(output["data"], output["shape"]).tolist() == WANTED


def test_rows_of_unequal_length_are_each_instances_own_fault(server):
    rows = ROWS.tolist()
    rows[3][7].pop()
    reply = server.post("/predict", json={"instances": rows})
    results = reply.json()["results"]
    assert [one.get("code") for one in results] == [
        "not_usable" if i == 3 else None for i in range(8)
    ]


def test_text_among_numbers_takes_no_memory(server):
    """90 KB of this took 2.2 GiB and stopped the server for 8 s."""

    def peak():
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) // 1024

    before = peak()
    sent = {"instances": [["a" * 60_000] + [""] * 10_000]}
    reply = server.post("/predict", json=sent)
    assert reply.status_code == 422
    assert "finite numbers" in reply.json()["results"][0]["error"]
    assert peak() - before < 100
