"""The engine tf-serving: scores come from a model in TensorFlow Serving.

Source: tensorflow_serving/apis/prediction_service.proto.

A signature as TensorFlow Serving describes it -> what the model tells of itself.
"""

import math
import time

import grpc
import numpy as np

from ...arrays import Array, Arrays, length
from ...errors import BadGateway, ModelLoadFailed, ModelServerUnavailable
from ...spec import ModelSpec, TensorSpec
from ..engine import Precision, RemoteEngine
from ..padding import inputs
from ..remote import Remote
from . import client
from . import prediction_pb2 as pb
from .client import Channel
from .tensors import KINDS, from_wire, to_wire

FIELD = "signature_def"  # the only metadata there is


def facts(reply: pb.GetModelMetadataResponse, remote: Remote) -> ModelSpec:
    """Inputs and outputs of the signature; the card may name one of each.

    Their order is that of their names: the metadata has none. Raises ModelLoadFailed.
    """
    # Read as what it is: Any.Unpack would ask for the type's official name.
    signatures = pb.SignatureDefMap.FromString(reply.metadata[FIELD].value)
    one = signatures.signature_def.get(remote.signature)
    if one is None:
        names = ", ".join(sorted(signatures.signature_def)) or "none"
        raise ModelLoadFailed(
            f"{remote.name} has no signature {remote.signature} in TensorFlow Serving; "
            f"it has: {names}. Set [tf_serving] signature in the card"
        )
    # Of the last activation nothing is known there: the card's `output` says it.
    return ModelSpec(
        _tensors(dict(one.inputs), "input", remote.input),
        _tensors(dict(one.outputs), "output", remote.output),
        "not told by TensorFlow Serving",
        rescales=False,
    )


def _tensors(
    there: dict[str, pb.TensorInfo], what: str, wanted: str | None
) -> tuple[TensorSpec, ...]:
    if wanted is not None and wanted not in there:
        raise ModelLoadFailed(
            f"[tf_serving] {what} is {wanted!r}, but the signature has "
            f"{', '.join(sorted(there))}"
        )
    names = sorted(there) if wanted is None else [wanted]
    return tuple(_tensor(name, there[name]) for name in names)


def _tensor(name: str, info: pb.TensorInfo) -> TensorSpec:
    if info.dtype not in KINDS:
        raise ModelLoadFailed(f"{name} has a dtype ({info.dtype}) that is not served")
    dtype, _ = KINDS[info.dtype]
    if info.tensor_shape.unknown_rank:
        return TensorSpec(name, None, dtype)
    lengths = [None if dim.size < 0 else dim.size for dim in info.tensor_shape.dim]
    if not lengths:
        raise ModelLoadFailed(
            f"{name} is a single number: it has no axis for the batch"
        )
    return TensorSpec(name, tuple(lengths[1:]), dtype)


SERVICE = "/tensorflow.serving.PredictionService"
LOOK_SECONDS = 2.0  # for a question that costs it nothing
LOAD_SECONDS = 10.0  # for the first answers of a model, which may be the slowest


class TFServingEngine(RemoteEngine):
    """See the protocol `RemoteEngine`."""

    name = "tf-serving"
    precision: Precision = "float32"
    agreement: float | None = None  # nothing here to compare with

    def __init__(self, remote: Remote, seconds: float = LOAD_SECONDS) -> None:
        self._remote = remote
        self._channel = Channel(remote)
        self._predict = self._channel.method(f"{SERVICE}/Predict", pb.PredictResponse)
        self._metadata = self._channel.method(
            f"{SERVICE}/GetModelMetadata", pb.GetModelMetadataResponse
        )
        self.max_concurrency = remote.in_flight
        self.batch_sizes = tuple(sorted({1, remote.batch_size}))
        try:
            self.facts = self._asked_facts(seconds)
        except BaseException:
            self.close()
            raise

    def predict(self, batch: Arrays) -> Arrays:
        """As `ask`, in a native thread, which waits: for loading and for `check`."""
        try:
            reply = self._channel.call_now(
                self._predict, self._request(batch), LOAD_SECONDS
            )
        except grpc.RpcError as error:
            raise client.error(error, self._remote) from None
        return self._scores(reply, length(batch))

    def ask(self, batch: Arrays, deadline: float) -> Arrays:
        """Scores[N, …] for batch[N, …]; see `RemoteEngine`."""
        if math.isinf(deadline):
            deadline = time.monotonic() + self._remote.timeout
        count, request = length(batch), self._request(batch)
        del batch  # it may wait for long, and is in the request
        try:
            reply = self._channel.call(self._predict, request, deadline)
        except grpc.RpcError as error:
            raise client.error(error, self._remote) from None
        return self._scores(reply, count)

    def health_check(self) -> bool:
        """Whether its signature is still the one that was loaded.

        A name that was gone for a while is looked up ever more seldom by gRPC, up to
        two minutes apart, and may come back with other addresses. Another channel does
        it at once: where that one is answered, the model is to be loaded anew.
        """
        try:
            return self._asked_twice() == self.facts
        except ModelServerUnavailable:
            if not self._remote.target.startswith("dns:") or not self._is_there():
                raise
            return False

    def _asked_twice(self) -> ModelSpec:
        """Replicas answer in turn: where one has stopped, the next one is asked."""
        try:
            return self._asked_facts(LOOK_SECONDS)
        except ModelServerUnavailable:
            return self._asked_facts(LOOK_SECONDS)

    def _is_there(self) -> bool:
        """Whether it answers who connects anew."""
        try:
            TFServingEngine(self._remote, LOOK_SECONDS).close()
        except ModelServerUnavailable:
            return False
        return True

    def close(self) -> None:
        """Let the connections go."""
        self._channel.close()

    def _asked_facts(self, seconds: float) -> ModelSpec:
        request = pb.GetModelMetadataRequest(
            model_spec=_spec(self._remote), metadata_field=[FIELD]
        )
        try:
            reply = self._channel.call_now(
                self._metadata, request.SerializeToString(), seconds
            )
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                raise ModelServerUnavailable(
                    f"TensorFlow Serving says nothing for {seconds:g} s."
                ) from None
            raise client.error(error, self._remote) from None
        return facts(reply, self._remote)

    def _request(self, batch: Arrays) -> bytes:
        spec = _spec(self._remote)
        spec.signature_name = self._remote.signature
        wired = {
            one.name: to_wire(array, one.dtype)
            for one, array in zip(
                self.facts.inputs, inputs(batch, self.facts), strict=True
            )
        }
        wanted = [self._remote.output] if self._remote.output else []
        request = pb.PredictRequest(model_spec=spec, inputs=wired, output_filter=wanted)
        wire: bytes = request.SerializeToString()
        return wire

    def _scores(self, reply: pb.PredictResponse, count: int) -> Arrays:
        """Raises BadGateway where the reply is not this signature's."""
        asked, answered = self._remote.version, reply.model_spec.version.value
        if asked is not None and answered not in (asked, 0):
            raise BadGateway(
                f"TensorFlow Serving answered by version {answered}, not {asked}."
            )
        parts = {one.name: _checked(reply, one, count) for one in self.facts.outputs}
        return parts if len(parts) > 1 else next(iter(parts.values()))


def open_remote(remote: Remote) -> TFServingEngine:
    """Ask what the model is. Raises ModelServerUnavailable, ModelLoadFailed."""
    return TFServingEngine(remote)


def _spec(remote: Remote) -> pb.ModelSpec:
    spec = pb.ModelSpec(name=remote.name)
    if remote.version is not None:
        spec.version.value = remote.version
    elif remote.label is not None:
        spec.version_label = remote.label
    return spec


def _checked(reply: pb.PredictResponse, output: TensorSpec, count: int) -> Array:
    """The rows of `output`: as many as instances, in the shape that was announced."""
    if output.name not in reply.outputs:
        raise BadGateway(f"TensorFlow Serving answered no {output.name}.")
    array = from_wire(reply.outputs[output.name])
    if array.shape[:1] != (count,) or not output.fits(array.shape[1:]):
        raise BadGateway(
            f"TensorFlow Serving answered {output.name} of shape {list(array.shape)} "
            f"for {count} instances."
        )
    if output.dtype != "string" and array.dtype != np.dtype(output.dtype):
        raise BadGateway(
            f"TensorFlow Serving answered {array.dtype} for {output.name}, which is "
            f"{output.dtype}."
        )
    return array
