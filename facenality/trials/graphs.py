"""TensorFlow's frozen graphs, kept beside the verdicts: with one Keras is not needed.

The serving process keeps what it has just loaded, compared and verified itself.
"""

import logging
from pathlib import Path

from ..engines import Converted, Engine, Keepable, Precision
from ..errors import ModelNotLoaded
from ..folder import Found
from .cache import Cache, key, sums
from .verdict import Measured, Verdict

log = logging.getLogger(__name__)

GRAPH = "graph.pb"


def name(found: Found, precision: Precision) -> str:
    """Of the entry: the same file computes otherwise in another precision."""
    return f"{key(found)}-tensorflow-{precision}"


def find(cache: Cache, entry: str) -> Converted | None:
    """The graph that is kept as `entry`."""
    kept = cache.find(entry)
    return kept.converted(kept.verdict.measured[0].difference) if kept else None


def keep(cache: Cache, entry: str, found: Found, engine: Engine) -> None:
    """Keep the graph of `engine`, where it has one and its files are still the same."""
    if not isinstance(engine, Keepable) or name(found, engine.precision) != entry:
        return
    try:
        with cache.making() as folder:
            if engine.keep(folder / GRAPH):
                cache.keep(entry, folder, _verdict(engine, folder / GRAPH))
    except (OSError, ModelNotLoaded) as error:
        log.warning("cache_dir keeps nothing: %s", error)


def _verdict(engine: Engine, file: Path) -> Verdict:
    off = Measured(engine.name, engine.precision, difference=engine.agreement)
    return Verdict(engine.facts, (off,), files=sums(file))
