"""A model that sleeps instead of computing, and answers what shows whose input it got.

So many cores as a test likes: `at_once` calls sleep together, the others wait in line.
Output number k of a row is the row's sum divided by k + 1.
"""

import asyncio

import numpy as np
from tensorflow.core.framework.types_pb2 import DT_FLOAT
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

from . import tensors
from .refused import INVALID_ARGUMENT, Refused

Arrays = dict[str, np.ndarray]


class Sleeper:
    """A version 1 of `float32[N, *shape] -> float32[N, units]`."""

    def __init__(
        self, seconds: float, at_once: int, shape: tuple[int, ...], units: int
    ):
        self._seconds, self._shape = seconds, shape
        self._places = asyncio.Semaphore(at_once)
        self._divisors = np.arange(1, units + 1)
        self.signatures = {"serving_default": _signature(shape, units)}

    async def predict(self, _signature, inputs: dict, names: list[str]) -> Arrays:
        """The outputs called `names`, which here are all the same."""
        scores = self._scores(*inputs.values())
        if self._seconds:
            async with self._places:
                await asyncio.sleep(self._seconds)
        return dict.fromkeys(names, scores)

    def _scores(self, tensor) -> np.ndarray:
        if tensor.dtype != DT_FLOAT:
            sentence = "Expects arg[0] to be float but another type is provided"
            raise Refused(INVALID_ARGUMENT, sentence)
        rows = tensors.floats(tensor)
        if rows.shape[1:] != self._shape:
            sentence = f"input of shape {rows.shape}, not [N, {self._shape}]"
            raise Refused(INVALID_ARGUMENT, sentence)
        sums = rows.reshape(len(rows), -1).sum(axis=1, dtype="float64")
        return (sums[:, np.newaxis] / self._divisors).astype("float32")


def _signature(shape: tuple[int, ...], units: int) -> SignatureDef:
    signature = SignatureDef(method_name="tensorflow/serving/predict")
    _describe(signature.inputs["rows"], "serving_default_rows:0", shape)
    _describe(signature.outputs["sums"], "StatefulPartitionedCall:0", (units,))
    return signature


def _describe(info, name: str, shape: tuple[int, ...]) -> None:
    info.name, info.dtype = name, DT_FLOAT
    for size in (-1, *shape):
        info.tensor_shape.dim.add(size=size)
