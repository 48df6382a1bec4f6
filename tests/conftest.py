"""Models made for the tests, and servers that serve them."""

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import made
from browsing import browser
from serving import Served
from speaking import Spoken, speaking

# Other tests' servers run on one engine, and no child process compares engines beside
# them; those of the engines say what they want. Nothing is kept in the user's cache.
os.environ |= {"FACENALITY_ENGINE": "tensorflow", "FACENALITY_CACHE_DIR": "none"}

ROOT = Path(__file__).parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Several processes share the files; those of the deployment share one engine."""
    for item in items:
        deploys = "deployment" in item.path.parts
        group = "deployment" if deploys else item.path.name
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(autouse=True)
def _audible() -> None:
    """`caplog` hears everything, whatever the command of an earlier test has set up."""
    logging.disable(logging.NOTSET)
    logging.getLogger().setLevel(logging.WARNING)
    for name, one in logging.root.manager.loggerDict.items():
        if name.startswith("facenality") and isinstance(one, logging.Logger):
            one.disabled = False
    log = logging.getLogger("facenality")
    log.setLevel(logging.NOTSET)
    log.handlers.clear()
    log.propagate = True


@pytest.fixture(scope="session")
def chromium():
    """One browser for all tests of the page."""
    with browser() as one:
        yield one


@pytest.fixture(scope="session")
def colours(tmp_path_factory) -> Path:
    """A models folder with `colours`, which names a picture's strongest colour."""
    folder = tmp_path_factory.mktemp("models")
    made.colours(folder / "colours")
    return folder


@pytest.fixture(scope="session")
def by_hand(tmp_path_factory) -> Path:
    """As `colours`, in a model.py: for tests that start servers of their own."""
    folder = tmp_path_factory.mktemp("by_hand")
    made.colours_by_hand(folder / "colours")
    return folder


@pytest.fixture(scope="session")
def several(tmp_path_factory) -> Path:
    """A folder with models of several kinds, versions, and one that cannot load."""
    folder = tmp_path_factory.mktemp("several")
    made.colours(folder / "colours" / "1")
    made.colours(folder / "colours" / "2", strength=1.0)
    made.traits(folder / "traits")
    made.sums(folder / "sums.keras")
    (folder / "broken.keras").write_bytes(b"no model")
    return folder


@pytest.fixture(scope="session")
def server(colours) -> Iterator[Served]:
    """One server of the `colours` model, for all tests that only ask it things."""
    with Served(colours) as served:
        yield served.ready()


@pytest.fixture(scope="module")
def _speaking() -> Iterator[Spoken]:
    with speaking() as spoken:
        yield spoken


@pytest.fixture
def spoken(_speaking) -> Spoken:
    """Our server in this process, which has seen nothing yet."""
    _speaking.seen.clear()
    _speaking.refused.clear()
    return _speaking


@pytest.fixture(scope="module")
def network() -> Any:
    """A Keras model that has what real ones use."""
    import networks  # Keras, which few tests need

    return networks.network()


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    """A batch for it."""
    return np.random.default_rng(0).random((16, 32, 32, 3)).astype("float32")


@pytest.fixture(scope="session")
def faces(tmp_path_factory) -> Path:
    """A folder with a model of every task, and two versions with examples of one."""
    folder = tmp_path_factory.mktemp("faces")
    made.colours(folder / "colours" / "1")
    made.colours(folder / "colours" / "2", strength=1.0)
    (folder / "colours" / "examples").mkdir()
    for name in ("blue", "red"):
        file = folder / "colours" / "examples" / f"{name}.png"
        file.write_bytes(made.picture(name))
    made.moods(folder / "moods")
    made.multi_label(folder / "tags")
    made.spot(folder / "spot", fit="pad")
    made.sums(folder / "sums.keras")
    made.two_by_two(folder / "two")
    shutil.copytree(ROOT / "models" / "sentiment", folder / "sentiment")
    return folder


@pytest.fixture(scope="session")
def kept(tmp_path_factory) -> Path:
    """Where the server of the page keeps corrections."""
    return tmp_path_factory.mktemp("kept") / "uploads"


@pytest.fixture(scope="session")
def page_server(faces, kept) -> Iterator[Served]:
    """One server of all tasks, which takes corrections."""
    where = ("--keep-uploads", "flagged", "--uploads-dir", str(kept))
    with Served(faces, "--model", "colours", *where) as served:
        yield served.ready()


@pytest.fixture(scope="session")
def kinds_server(tmp_path_factory) -> Iterator[Served]:
    """One server of models of every kind: digits, and what the tests make."""
    folder = tmp_path_factory.mktemp("every")
    shutil.copytree(ROOT / "models" / "digits", folder / "digits")
    made.colours(folder / "colours" / "1")
    made.colours(folder / "colours" / "2", strength=1.0)
    made.traits(folder / "traits")
    made.sums(folder / "sums.keras")
    made.words(folder / "words.keras")
    made.two_by_two(folder / "two")
    made.lookup(folder / "lookup.keras")
    made.shout(folder / "shout")
    made.half_plus_three(folder / "half")
    (folder / "broken.keras").write_bytes(b"no model")
    with Served(folder) as served:
        yield served.ready()


@pytest.fixture(scope="session")
def several_server(several) -> Iterator[Served]:
    """One server of the folder with several models."""
    with Served(several, "--model", "colours") as served:
        yield served.ready()
