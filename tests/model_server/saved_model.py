"""A SavedModel, run as TensorFlow Serving runs it: a session, fed by the names of its
signature."""

import asyncio
import threading
from pathlib import Path

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto

from .refused import INVALID_ARGUMENT, Refused

v1 = tf.compat.v1
Arrays = dict[str, np.ndarray]


class SavedModel:
    """One version, loaded."""

    def __init__(self, folder: Path):
        self._session = v1.Session(graph=tf.Graph())
        with self._session.graph.as_default():
            meta_graph = v1.saved_model.load(self._session, ["serve"], str(folder))
        self.signatures = dict(meta_graph.signature_def)
        self._lock = threading.Lock()
        self._users = 1  # whoever loaded it, and the calls that are under way

    async def predict(self, signature, inputs: dict, names: list[str]) -> Arrays:
        """The outputs called `names`; computed to the end, whoever waits for them."""
        with self._lock:
            self._users += 1
        return await asyncio.to_thread(self._run_and_leave, signature, inputs, names)

    def _run_and_leave(self, signature, inputs: dict, names: list[str]) -> Arrays:
        try:
            return self._run(signature, inputs, names)
        finally:
            self.close()

    def _run(self, signature, inputs: dict, names: list[str]) -> Arrays:
        feed = {
            signature.inputs[name].name: _array(name, tensor)
            for name, tensor in inputs.items()
        }
        fetch = {name: signature.outputs[name].name for name in names}
        for position, (name, tensor) in enumerate(inputs.items()):
            _check_dtype(position, signature.inputs[name].dtype, tensor.dtype)
        try:
            return self._session.run(fetch, feed)
        except tf.errors.OpError as error:
            raise Refused(CODES[error.error_code], error.message) from None
        except ValueError as error:  # a shape that the placeholder has not
            raise Refused(INVALID_ARGUMENT, str(error)) from None

    def close(self) -> None:
        """For one user; the last one ends it: no call is cut off."""
        with self._lock:
            self._users -= 1
            if self._users:
                return
        self._session.close()


CODES = {code.value[0]: code for code in grpc.StatusCode}


def _array(name: str, tensor: TensorProto) -> np.ndarray:
    try:
        return tf.make_ndarray(tensor)
    except (TypeError, ValueError):
        raise Refused(INVALID_ARGUMENT, f"tensor parsing error: {name}") from None


def _check_dtype(position: int, wanted: int, given: int) -> None:
    """TensorFlow's own sentence; a Python session would try to convert."""
    if wanted != given:
        names = [tf.dtypes.as_dtype(one).name for one in (wanted, given)]
        names = ["float" if name == "float32" else name for name in names]
        raise Refused(
            INVALID_ARGUMENT,
            f"Expects arg[{position}] to be {names[0]} but {names[1]} is provided",
        )
