"""PredictionService and ModelService, as the official stubs have them.

request ─ fault? ─▶ version ─ checks ─▶ predict ─ fault? ─▶ reply
"""

import asyncio
from collections.abc import Callable, Mapping

import grpc
from tensorflow_serving.apis.get_model_metadata_pb2 import (
    GetModelMetadataResponse,
    SignatureDefMap,
)
from tensorflow_serving.apis.get_model_status_pb2 import (
    GetModelStatusResponse,
    ModelVersionStatus,
)
from tensorflow_serving.apis.model_service_pb2_grpc import (
    ModelServiceServicer,
    add_ModelServiceServicer_to_server,
)
from tensorflow_serving.apis.predict_pb2 import PredictResponse
from tensorflow_serving.apis.prediction_service_pb2_grpc import (
    PredictionServiceServicer,
    add_PredictionServiceServicer_to_server,
)

from . import checks, faults, tensors, versions
from .faults import Fault, Faults
from .refused import INVALID_ARGUMENT, NOT_FOUND, Refused
from .seen import Seen
from .versions import Model


class Told:
    """What both services share."""

    def __init__(self, models: Mapping[str, Model], *, content: bool):
        self.models, self.content = models, content
        self.seen, self.faults = Seen(), Faults()

    async def answer(self, method: str, context, work: Callable):
        """`await work(fault)`, counted, with refusals as gRPC's."""
        self.seen.calls[method] += 1
        self.seen.in_progress += 1
        try:
            fault = self.faults.take(method)
            await faults.before(fault)
            reply = await work(fault)
            self.seen.answered += 1
            return reply
        except Refused as refused:
            return await context.abort(refused.code, str(refused))
        except asyncio.CancelledError:
            self.seen.left += 1
            raise
        finally:
            self.seen.in_progress -= 1


class Prediction(PredictionServiceServicer):
    def __init__(self, told: Told):
        self._told = told

    async def Predict(self, request, context):  # noqa: N802  gRPC's name
        self._told.seen.predict(request, context.time_remaining())
        return await self._told.answer(
            "Predict", context, lambda fault: self._predict(request, fault)
        )

    async def _predict(self, request, fault: Fault | None) -> PredictResponse:
        spec = checks.spec(request)
        model = versions.find(self._told.models, spec)
        version = model.version(spec)
        servable = model.loaded[version]
        name, signature = checks.signature(spec, servable.signatures)
        names = checks.outputs(request, signature)
        checks.inputs(request, signature)
        arrays = await servable.predict(signature, dict(request.inputs), names)
        reply = PredictResponse()
        reply.model_spec.name, reply.model_spec.signature_name = spec.name, name
        reply.model_spec.version.value = version
        for output, array in faults.spoil(fault, arrays).items():
            proto = tensors.proto(array, content=self._told.content)
            reply.outputs[output].CopyFrom(proto)
        faults.spoil_reply(fault, reply)
        return reply

    async def GetModelMetadata(self, request, context):  # noqa: N802  gRPC's name
        return await self._told.answer(
            "GetModelMetadata", context, lambda _fault: self._metadata(request)
        )

    async def _metadata(self, request) -> GetModelMetadataResponse:
        spec = checks.spec(request)
        checks.metadata_fields(request)
        model = versions.find(self._told.models, spec)
        version = model.version(spec)
        signatures = SignatureDefMap()
        for name, signature in model.loaded[version].signatures.items():
            signatures.signature_def[name].CopyFrom(signature)
        reply = GetModelMetadataResponse()
        reply.model_spec.name = spec.name
        reply.model_spec.version.value = version
        reply.metadata["signature_def"].Pack(signatures)
        return reply


class Status(ModelServiceServicer):
    def __init__(self, told: Told):
        self._told = told

    async def GetModelStatus(self, request, context):  # noqa: N802  gRPC's name
        return await self._told.answer(
            "GetModelStatus", context, lambda _fault: self._status(request)
        )

    async def _status(self, request) -> GetModelStatusResponse:
        spec = checks.spec(request)
        model = self._told.models.get(spec.name, Model())
        states = dict.fromkeys(model.loaded, "") | model.failed
        if spec.HasField("version"):
            states = {v: why for v, why in states.items() if v == spec.version.value}
        if not states:
            raise Refused(NOT_FOUND, _not_there(spec))
        reply = GetModelStatusResponse()
        for version, why in states.items():
            _add(reply, version, why)
        return reply


def _not_there(spec) -> str:
    if spec.HasField("version"):
        return f"Could not find version {spec.version.value} of model {spec.name}"
    return f"Could not find any versions of model {spec.name}"


def _add(reply: GetModelStatusResponse, version: int, why: str) -> None:
    one = reply.model_version_status.add(version=version)
    one.state = ModelVersionStatus.END if why else ModelVersionStatus.AVAILABLE
    if why:
        one.status.error_code = INVALID_ARGUMENT.value[0]
        one.status.error_message = why


def server(told: Told, more: list[tuple[str, int]]) -> grpc.aio.Server:
    """Both services, with messages of any size, and `more` of gRPC's arguments."""
    options = [*more, ("grpc.max_receive_message_length", -1)]
    options += [("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)]
    serving = grpc.aio.server(options=options)
    add_PredictionServiceServicer_to_server(Prediction(told), serving)
    add_ModelServiceServicer_to_server(Status(told), serving)
    return serving
