"""The reference engine: one frozen TensorFlow graph, shared by all requests.

The Keras model is traced once into an inference function, its variables are frozen into
constants, and the Keras objects are let go: one copy of the weights. Batches are padded
to a few allowed sizes that are warmed before serving, so nothing is traced or compiled
while requests wait. keras.Model.predict is not used: it is not safe to share between
threads, retraces, and costs several times as much a call.

A frozen graph that was kept is opened as it is: no Keras, nothing to trace or compare.
"""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import runtime  # isort: skip  the environment, before the imports
import tensorflow as tf

from ...arrays import Array, Arrays, length
from ...scan.saved_by import is_keras_2
from ...spec import ModelSpec
from .. import padding
from ..engine import Converted, Engine, ProgressCallback, share_of_batch
from ..load_options import DEFAULTS, LoadOptions
from . import channels_last, frozen_graph, graph_facts
from .agreement import largest_difference
from .prepare import process
from .traced import UNKNOWN_ACTIVATION, Traced

# Freezing warns about collections that inference has no use for.
logging.getLogger("tensorflow").setLevel(logging.ERROR)

log = logging.getLogger(__name__)


# MobileNetV2 in batches of 1, 2, 4, 8 takes 10.3, 7.5, 6.7, 6.4 ms an instance.
LEAST = 4


class TensorFlowEngine(Engine):
    """See the protocol `Engine`; `owner` holds what `graph` refers to, if anything."""

    name = "tensorflow"

    def __init__(
        self,
        graph: Any,
        facts: ModelSpec,
        batch_sizes: tuple[int, ...],
        owner: Any = None,
    ) -> None:
        self.precision = runtime.precision()
        self._streams = runtime.streams()
        self.max_concurrency = self._streams + 1  # one more waits ready-made
        self.graph = graph
        self.facts = facts
        fixed = facts.fixed_batch
        self.batch_sizes = (fixed,) if fixed else batch_sizes
        self.agreement: float | None = None
        self._owner = owner

    def predict(self, batch: Arrays) -> Arrays:
        """Scores[N, …] for batch[N, …]; N is padded up to an allowed size."""
        grown, size = padding.grown(batch, self.batch_sizes)
        tensors = map(tf.constant, padding.inputs(grown, self.facts))
        parts = [part.numpy() for part in self.graph(*tensors)]
        return padding.scores(parts, size, length(batch), self.facts)

    def concurrent_batch_size(self, best: int) -> int:
        """See `Engine`."""
        return share_of_batch(best, self._streams, LEAST)

    def keep(self, file: Path) -> bool:
        """See the protocol `Keepable`."""
        return self._owner is None and frozen_graph.write(self.graph, file)


def of_traced(traced: Traced, batch_sizes: tuple[int, ...]) -> TensorFlowEngine:
    """Freeze, where that is possible and small enough."""
    function, facts = traced.function, traced.facts
    large = frozen_graph.weight_bytes(function) > frozen_graph.MAX_BYTES
    known = facts.activation != UNKNOWN_ACTIVATION  # else read off the frozen graph
    graph = function if large and known else frozen_graph.frozen(function)
    if graph is not function:
        graph = channels_last.rewritten(graph)
    if not known:
        facts = replace(facts, activation=graph_facts.last_activation(graph))
    facts = graph_facts.told_by(graph, facts)
    owner = traced.owner if graph is function else None
    return TensorFlowEngine(graph, facts, batch_sizes, owner)


def open_file(
    file: Path,
    batch_sizes: tuple[int, ...],
    on_progress: ProgressCallback,
    options: LoadOptions = DEFAULTS,
) -> TensorFlowEngine:
    """Load, freeze and compare a Keras file or a SavedModel. Raises ModelLoadFailed."""
    on_progress("loading the file")
    traced = trace(file, options)
    on_progress("freezing the graph")
    engine = of_traced(traced, batch_sizes)
    if traced.agreement is not None:
        engine.agreement = traced.agreement
    else:
        on_progress("comparing with the reference")
        engine.agreement = _compare(traced, engine)
    return engine


def open_kept(kept: Converted, batch_sizes: tuple[int, ...]) -> TensorFlowEngine:
    """Open a frozen graph that was kept. Raises ModelLoadFailed."""
    graph = frozen_graph.read(kept.file)
    engine = TensorFlowEngine(graph, kept.facts, batch_sizes)
    engine.agreement = kept.agreement
    return engine


def trace(file: Path, options: LoadOptions = DEFAULTS) -> Traced:
    """Load and trace a Keras file or a SavedModel. Raises ModelLoadFailed."""
    if file.is_dir():
        from . import loading

        return loading.trace_saved_model(file)
    keras_2 = is_keras_2(file)
    if process.is_needed(options, keras_2=keras_2):
        from . import prepared

        return prepared.trace_prepared(file, options, keras_2=keras_2)
    from . import loading  # with Keras, which a kept graph does without

    return loading.trace_keras_file(file, options)


def _compare(traced: Traced, engine: TensorFlowEngine) -> float | None:
    """Largest difference between the engine and the reference, on noise."""
    names = [one.name for one in traced.facts.inputs]

    def compute(noise: list[Array]) -> list[Array]:
        named = dict(zip(names, noise, strict=True))
        answered = engine.predict(named if len(noise) > 1 else noise[0])
        return list(answered.values()) if isinstance(answered, dict) else [answered]

    count = min(2, engine.batch_sizes[-1])
    return largest_difference(compute, traced.reference, engine.facts, count)
