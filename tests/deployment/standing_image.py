"""TensorFlow Serving's stand-in as an image, where its own cannot be had."""

import importlib.util
import shutil
import tempfile
from pathlib import Path

import yaml
from engine import HERE, ROOT, Engine

COMPOSE = "docker-compose.gateway.yml"
SERVICES = yaml.safe_load((ROOT / COMPOSE).read_text())["services"]
IMAGE = SERVICES["tf-serving"]["image"]


def build(engine: Engine) -> None:
    """Under the name of TensorFlow Serving's own; for an engine that ends with us."""
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder) / "context"
        shutil.copytree(HERE / "stand_in", context)
        shutil.copytree(ROOT / "tests" / "model_server", context / "model_server")
        shutil.copytree(_stubs(), context / "tensorflow_serving")
        engine.docker("build", "-t", IMAGE, context)


def _stubs() -> Path:
    spec = importlib.util.find_spec("tensorflow_serving")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent
