"""Images built once, and an engine to run them."""

from collections.abc import Iterator

import beside
import pytest
import standing_image
from beside import Site
from composed import Composed
from engine import Engine, cannot, unavailable


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """An engine with the images `facenality` (full), `:slim` and `:gateway`.

    TensorFlow Serving's is pulled where there is a registry; else it is our stand-in's.
    """
    if why := unavailable():
        cannot(why)
    with Engine() as one:
        network = ["--network", "host"] if one.own else []
        for target in ("slim", "gateway"):
            name = f"facenality:{target}"
            one.docker("build", *network, "--target", target, "-t", name, ".")
        one.docker("build", *network, "-t", "facenality", ".")
        if one.own:
            standing_image.build(one)
        one.enter_network()
        yield one


@pytest.fixture(scope="module")
def site(engine, tmp_path_factory) -> Iterator[Site]:
    """docker-compose.yml and the shipped nginx site before it."""
    if why := beside.why_not(engine):
        cannot(why)
    with Composed(engine, "docker-compose.yml", engine.composes()[-1]) as composed:
        composed.healthy("facenality")
        with beside.nginx(composed, tmp_path_factory.mktemp("certificate")) as one:
            yield one
