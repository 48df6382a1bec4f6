"""The whole way: `app.py export`, TensorFlow Serving, the card, the gateway."""

import shutil
import subprocess
import sys

import pytest

import exported
import made
import networks
from serving import ROOT, Served
from standing_in import ModelServer
from test_gateway_equal import PHOTO, SAMPLE, assert_close

pytestmark = pytest.mark.full

PICTURES = {"digits": SAMPLE, "net": PHOTO, "traits": PHOTO}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("whole")


@pytest.fixture(scope="module")
def local(place):
    models = place / "local"
    shutil.copytree(ROOT / "models" / "digits", models / "digits")
    made.traits(models / "traits")
    networks.network().save(models / "net.keras")
    with Served(models, "--model=digits") as server:
        yield server.ready()


@pytest.fixture(scope="module")
def server(place, local):
    """TensorFlow Serving, of what `app.py export` wrote."""
    bases = {name: place / "exported" / name for name in PICTURES}
    for name, base in bases.items():
        card = place / "cards" / name / "model.toml"
        card.parent.mkdir(parents=True)
        where = [f"--card={card}", f"--model={name}", f"--models-dir={place / 'local'}"]
        subprocess.run(
            [sys.executable, "app.py", "export", base, *where],
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
    with ModelServer.of(bases) as server:
        yield server


@pytest.fixture(scope="module")
def gateway(place, server):
    """With the cards that it wrote, and nothing else."""
    flags = ("--model=digits",)
    with exported.gateway(place / "cards", server, flags=flags) as served:
        yield served.ready()


@pytest.mark.parametrize("name", PICTURES)
def test_the_gateway_answers_what_was_exported(local, gateway, name):
    form = {"files": {"image": PICTURES[name]}}
    answers = [
        server.post(f"/predict?model={name}&top=10", **form)
        for server in (gateway, local)
    ]
    assert [one.status_code for one in answers] == [200, 200], answers[0].text
    off = assert_close(*(one.json() for one in answers))
    print(f"\n{name}: off by {off:.1g}")
