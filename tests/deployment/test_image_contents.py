"""The two images: how large they are, and what `docker run` of them serves."""

import json
import time

import pytest
from composed import SAMPLE, first_label

pytestmark = pytest.mark.timeout(900)
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


@pytest.mark.parametrize(
    ("image", "most"), [("facenality:slim", 600 * MB), ("facenality", 2200 * MB)]
)
def test_an_image_is_no_larger_than_promised(engine, image, most):
    size = int(engine.docker("inspect", "-f", "{{.Size}}", image))
    print(f"{image}: {size / MB:.0f} MB")
    assert size <= most


def test_slim_has_no_tensorflow(engine):
    installed = ("run", "--rm", "--network", "none", "facenality:slim", "pip", "list")
    assert "tensorflow" not in engine.docker(*installed).lower()
