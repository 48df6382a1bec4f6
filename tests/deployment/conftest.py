"""Images built once, and an engine to run them."""

import os
from collections.abc import Iterator

import pytest
from engine import Engine, unavailable


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """An engine with the images `facenality` (full) and `facenality:slim`."""
    if why := unavailable():
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    with Engine() as one:
        network = ["--network", "host"] if one.own else []
        one.docker("build", *network, "--target", "slim", "-t", "facenality:slim", ".")
        one.docker("build", *network, "-t", "facenality", ".")
        one.enter_network()
        yield one
