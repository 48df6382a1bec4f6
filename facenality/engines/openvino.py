"""OpenVINO: a converted model, compiled for this processor.

One compiled model with an open batch axis serves all batch sizes: one copy of the
weights. A size that is new to it costs a tenth of a second once, so batches are padded
to the allowed sizes, which were warmed. On a processor with AMX OpenVINO would compute
in bfloat16 of its own accord: the precision is always named.
"""

from functools import cache
from typing import Any

import numpy as np

from ..arrays import Arrays, length
from ..errors import ModelNotLoaded
from . import Converted, Precision, batches
from .openvino_library import openvino

PRECISIONS = {"float32": "f32", "bfloat16": "bf16"}


class OpenVINOEngine:
    """See the protocol `Engine`."""

    name = "openvino"

    def __init__(
        self,
        converted: Converted,
        batch_sizes: tuple[int, ...],
        precision: Precision,
        threads: int,
    ) -> None:
        self.batch_sizes = batch_sizes
        self.facts = converted.facts
        self.agreement = converted.agreement
        self.precision = precision
        try:
            model = _core().read_model(converted.file)
            self._compiled = _core().compile_model(
                model, "CPU", _knobs(precision, threads)
            )
        except RuntimeError as error:
            raise ModelNotLoaded("OpenVINO cannot compile the model") from error
        self._request = self._compiled.create_infer_request()
        self._dtypes = [part.get_element_type().to_dtype() for part in model.inputs]

    def predict(self, batch: Arrays) -> Arrays:
        """Scores[N, …] for batch[N, …]; N is padded up to an allowed size."""
        grown, size = batches.grown(batch, self.batch_sizes)
        arrays = batches.inputs(grown, self.facts)
        given = [
            np.ascontiguousarray(array, dtype)
            for array, dtype in zip(arrays, self._dtypes, strict=True)
        ]
        # Shared, so that nothing is copied on the way in; on the way out only our rows.
        answered = self._request.infer(given, share_inputs=True, share_outputs=True)
        parts = [answered[i] for i in range(len(self._compiled.outputs))]
        scores = batches.scores(parts, size, length(batch), self.facts)
        return _copied(scores)


def _copied(scores: Arrays) -> Arrays:
    """The request's buffers are overwritten by its next batch."""
    if isinstance(scores, dict):
        return {name: part.copy() for name, part in scores.items()}
    return scores.copy()


def _knobs(precision: str, threads: int) -> dict[str, Any]:
    """Source: OpenVINO's CPU device and its properties."""
    knobs: dict[str, Any] = {
        "INFERENCE_PRECISION_HINT": PRECISIONS[precision],
        "PERFORMANCE_HINT": "LATENCY",  # all threads on one batch
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # decoder threads want the cores too
    }
    return knobs | ({"INFERENCE_NUM_THREADS": threads} if threads else {})


@cache
def _core() -> Any:
    """Its plugins are loaded once for the process."""
    return openvino.Core()
