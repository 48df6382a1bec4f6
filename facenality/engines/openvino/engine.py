"""OpenVINO: a converted model, compiled for this processor.

A compiled model with an open batch axis serves all batch sizes. A size that is new to
it costs a tenth of a second once, so batches are padded to the allowed sizes, which
were warmed. On a processor with AMX OpenVINO would compute in bfloat16 of its own
accord: the precision is always named.

One compiled model takes all threads for a batch alone. Once it serves, the same model
is compiled again, in streams of fewer threads, for batches that come together.
"""

from bisect import bisect_left
from functools import cache
from typing import Any

import numpy as np

from ...arrays import Array, Arrays, length
from ...errors import ModelLoadFailed
from .. import padding
from ..engine import Converted, Engine, Precision, share_of_batch
from ..thread_priority import run_at_lower_priority
from . import openvino
from .infer_requests import LatencyRequest, RequestPool, ThroughputRequest, streams

# Compiled operations that a model of any size keeps for the shapes it has seen: of some
# sixteen shapes. MobileNetV2 grew by 3 MB with each new one, to 700 MB with 5000 (the
# default) and to 260 MB with 1000, and took 15 % longer for a new shape.
KEPT_OPERATIONS = "1000"

PRECISIONS = {"float32": "f32", "bfloat16": "bf16"}


class OpenVINOEngine(Engine):
    """See the protocol `Engine`."""

    name = "openvino"

    def __init__(
        self,
        converted: Converted,
        batch_sizes: tuple[int, ...],
        precision: Precision,
        threads: int,
    ) -> None:
        fixed = converted.facts.fixed_batch
        self.batch_sizes = (fixed,) if fixed else batch_sizes
        self.facts = converted.facts
        self.agreement = converted.agreement
        self.precision = precision
        self._streams = streams(threads)
        self.max_concurrency = self._streams + 1  # one more waits ready-made
        self._threads = threads
        try:
            self._model = _core().read_model(converted.file)
            compiled = self._compiled(1)
        except RuntimeError as error:
            raise ModelLoadFailed("OpenVINO cannot compile the model") from error
        self._requests = RequestPool(LatencyRequest(compiled.create_infer_request()))
        self._dtypes = [part.get_element_type().to_dtype() for part in compiled.inputs]

    def predict(self, batch: Arrays) -> Arrays:
        """Scores[N, …] for batch[N, …]; N is padded up to an allowed size."""
        given, size = self._given(batch)
        request = self._requests.take()
        try:
            answered = request.infer(given)
            # Its buffers are overwritten by its next batch; copied are only our rows.
            scores = padding.scores(answered, size, length(batch), self.facts)
            return _copied(scores)
        finally:
            self._requests.give_back(request)

    def concurrent_batch_size(self, best: int) -> int:
        """See `Engine`."""
        return share_of_batch(best, self._streams, least=1)

    def prepare(self, max_batch_size: int) -> None:
        """Compile and warm the model for several batches at once; see `Engine`."""
        if self._streams == 1:
            return
        compiled = run_at_lower_priority(lambda: self._compiled(self._streams))
        # As many as there are calls: what waits for a stream waits in OpenVINO's queue.
        requests = [
            ThroughputRequest(compiled.create_infer_request())
            for _ in range(self.max_concurrency)
        ]
        last = bisect_left(self.batch_sizes, max_batch_size)
        for size in self.batch_sizes[: last + 1]:
            given = [
                np.zeros((size, *one.example_shape()), dtype)
                for one, dtype in zip(self.facts.inputs, self._dtypes, strict=True)
            ]
            for request in requests:  # all at once, so that every stream has its share
                request.begin(given)
            for request in requests:
                request.end()
        self._requests.add(requests)

    def _compiled(self, streams: int) -> Any:
        knobs = _knobs(self.precision, self._threads, streams)
        if any(None in (one.shape or ()) for one in self.facts.inputs):
            knobs["CPU_RUNTIME_CACHE_CAPACITY"] = KEPT_OPERATIONS
        return _core().compile_model(self._model, "CPU", knobs)

    def _given(self, batch: Arrays) -> tuple[list[Array], int]:
        """The model's inputs for `batch`, grown to an allowed size; that size."""
        grown, size = padding.grown(batch, self.batch_sizes)
        arrays = padding.inputs(grown, self.facts)
        return [
            np.ascontiguousarray(array, dtype)
            for array, dtype in zip(arrays, self._dtypes, strict=True)
        ], size


def _copied(scores: Arrays) -> Arrays:
    if isinstance(scores, dict):
        return {name: part.copy() for name, part in scores.items()}
    return scores.copy()


def _knobs(precision: str, threads: int, streams: int) -> dict[str, Any]:
    """Source: OpenVINO's CPU device and its properties."""
    knobs: dict[str, Any] = {
        "INFERENCE_PRECISION_HINT": PRECISIONS[precision],
        "PERFORMANCE_HINT": "LATENCY" if streams == 1 else "THROUGHPUT",
        "NUM_STREAMS": streams,
        "ENABLE_CPU_PINNING": False,  # decoder threads want the cores too
    }
    return knobs | ({"INFERENCE_NUM_THREADS": threads} if threads else {})


@cache
def _core() -> Any:
    """Its plugins are loaded once for the process."""
    return openvino.Core()
