"""The three images: how large they are, and what `docker run` of them serves."""

import json
import time

import pytest
from composed import SAMPLE, first_label

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
MB = 1_000_000
CONFINED = (
    *("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
    *("--tmpfs", "/tmp:size=256m", "--memory", "4g"),
)


@pytest.fixture(params=["facenality:slim", "facenality"])
def running(engine, request):
    """A container as the README runs it; the address of its server."""
    name = f"alone-{request.param.replace(':', '-')}"
    port = ("-p", "127.0.0.1:5001:5000")
    engine.docker("run", "--detach", "--name", name, *port, *CONFINED, request.param)
    try:
        yield request.param, name, "http://127.0.0.1:5001"
    finally:
        engine.docker("rm", "--force", "--volumes", name)


def ready(engine, name: str, url: str) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            engine.beside("curl", "-sS", "--fail", f"{url}/readyz")
            return
        except AssertionError:
            assert time.monotonic() < deadline, engine.run(
                "sh", "-c", f"docker logs {name} 2>&1"
            )
            time.sleep(0.3)


def test_an_image_alone_serves_digits_confined(engine, running):
    image, name, url = running
    ready(engine, name, url)
    reply = engine.beside("curl", "-sS", "-F", f"image=@{SAMPLE}", f"{url}/predict")
    assert first_label(reply) == "3"
    if image == "facenality:slim":
        models = json.loads(engine.beside("curl", "-sS", f"{url}/models"))["models"]
        assert {one["name"]: one["engine"] for one in models}["digits"] == "openvino"


SIZES = {
    "facenality:gateway": 250 * MB,
    "facenality:slim": 600 * MB,
    "facenality": 2200 * MB,
}


@pytest.mark.parametrize(("image", "most"), SIZES.items())
def test_an_image_is_no_larger_than_promised(engine, image, most):
    size = int(engine.docker("inspect", "-f", "{{.Size}}", image))
    print(f"{image}: {size / MB:.0f} MB")
    assert size <= most


LIBRARIES = ("tensorflow", "tensorflow_cpu", "keras", "h5py", "scipy", "openvino")


@pytest.mark.parametrize(
    ("image", "has"),
    [
        ("facenality:slim", {"keras", "h5py", "scipy", "openvino"}),
        ("facenality:gateway", {"grpcio", "protobuf"}),
    ],
)
def test_an_image_has_the_libraries_that_it_uses_and_no_others(engine, image, has):
    code = "import importlib.metadata as m; print(*(d.name for d in m.distributions()))"
    words = ("run", "--rm", "--network", "none", image, "python", "-c", code)
    there = {name.lower().replace("-", "_") for name in engine.docker(*words).split()}
    assert has <= there
    assert not (there & set(LIBRARIES)) - has


def test_the_gateway_alone_says_what_it_lacks(engine):
    """It has no models of its own: only the operator knows what to ask for."""
    name, url = "alone-gateway", "http://127.0.0.1:5001"
    words = ("--detach", "--name", name, "-p", "127.0.0.1:5001:5000", *CONFINED)
    engine.docker("run", *words, "facenality:gateway")
    try:
        listening = ("--retry", "20", "--retry-all-errors", "--retry-delay", "1")
        engine.beside("curl", "-sS", "--fail", *listening, f"{url}/livez")
        told = json.loads(engine.beside("curl", "-sS", f"{url}/readyz"))
        assert "no model" in told["error"]
        assert "models" in engine.docker("exec", name, "python", "app.py", "check")
        (config,) = json.loads(engine.docker("inspect", name))
        assert config["Config"]["User"] == "10001:10001"
    finally:
        engine.docker("rm", "--force", "--volumes", name)
